#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <thread>

#include "grantfs/crypto/hash.h"

namespace grantfs {

/// One thread that does bounded work in order: appends verify and wait for the disk here, so that no thread
/// of the server does. Threads: Add and Close are safe.
class VaultQueue {
 public:
  /// @param cancelled  true: the queue closes, and the work must only say so.
  using Work = std::function<void(bool cancelled)>;
  explicit VaultQueue(std::size_t max_waiting);
  ~VaultQueue() { Close(); }
  /// @param who  asks for it; zero: nobody of whom there is only one.
  /// False: too many wait, or too many of his, or it is closed.
  bool Add(Work work, const Hash& who = {});
  /// The rest of a work under way, behind what waits: it had its place. False: the queue is closed.
  bool GoOn(Work rest);
  /// Lets the work under way end and cancels what waits. Not from the work itself.
  void Close();

 private:
  /// An honest client waits for each before it asks for the next.
  static constexpr std::size_t kMaxOfOne = 16;
  struct Waiting {
    Hash who;
    Work work;
  };
  void Run();
  const std::size_t max_waiting_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Waiting> waiting_;
  std::map<Hash, std::size_t> of_one_;  ///< how many of these wait
  bool closing_ = false;
  std::thread thread_;
};

}  // namespace grantfs

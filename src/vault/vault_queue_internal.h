#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace grantfs {

/// One thread that does bounded work in order: appends verify and wait for the disk here, so that no thread
/// of the server does. Threads: Add and Close are safe.
class VaultQueue {
 public:
  /// @param cancelled  true: the queue closes, and the work must only say so.
  using Work = std::function<void(bool cancelled)>;
  explicit VaultQueue(std::size_t max_waiting);
  ~VaultQueue() { Close(); }
  /// False: too many wait, or it is closed.
  bool Add(Work work);
  /// Lets the work under way end and cancels what waits. Not from the work itself.
  void Close();

 private:
  void Run();
  const std::size_t max_waiting_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Work> waiting_;
  bool closing_ = false;
  std::thread thread_;
};

}  // namespace grantfs

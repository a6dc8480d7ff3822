#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <set>
#include <thread>
#include <unordered_map>
#include <vector>

#include "grantfs/crypto/hash.h"

namespace grantfs {

/// Threads beside those that carry requests, for requests that look at much: while they search the log or
/// verify lists, others' reads go on. Who asks for much waits for himself: of one identity one request is
/// under way at a time, and all that ask have their turns. Threads: safe.
class SlowLane {
 public:
  using Work = std::function<void()>;
  static constexpr std::size_t kMaxWaiting = 4096;

  explicit SlowLane(unsigned threads);
  ~SlowLane() { Close(); }
  /// False: too many wait, or it is closed.
  bool Add(const Hash& identity, Work work);
  /// Lets what is under way end; what waits never runs.
  void Close();

 private:
  void Run();
  std::mutex mutex_;
  std::condition_variable changed_;
  std::unordered_map<Hash, std::deque<Work>> waiting_;  ///< by identity; none is empty
  std::deque<Hash> turns_;                              ///< of those that wait with nothing under way
  std::set<Hash> running_;
  std::size_t count_ = 0;  ///< of what waits
  bool closing_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace grantfs

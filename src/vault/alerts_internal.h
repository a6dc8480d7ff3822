#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "grantfs/api/alerts.h"
#include "grantfs/crypto/hash.h"
#include "grantfs/store/store.h"
#include "grantfs/vault/alerts.h"

namespace grantfs {

/// Sends critical records to one sink, in their order. The queue is the log itself: all that is kept is how
/// far the sink was told, so that no record is lost with the process and nothing grows where a sink is away.
/// At most ten messages a minute, each with all that waits then: a flood is told, and drowns nobody. Threads:
/// safe.
class AlertSender {
 public:
  AlertSender(Store& store, std::shared_ptr<AlertSink> sink, std::function<Hash()> vault);
  ~AlertSender() { Close(); }
  void Close();
  /// There may be more.
  void Poke();
  api::AlertState State() const;

 private:
  using Clock = std::chrono::steady_clock;
  void Run();
  /// @return false: there is nothing, or it went wrong.
  bool SendNext();
  Status Begin();
  void Note(const Status& delivered, std::size_t alerts);
  void WaitUntil(Clock::time_point until);
  Clock::time_point NextTurn() const;

  Store& store_;
  const std::shared_ptr<AlertSink> sink_;
  const std::function<Hash()> vault_;
  std::atomic<bool> stop_{false};
  bool begun_ = false;  ///< the thread's own, like what follows
  std::uint64_t reached_ = 0;
  std::vector<Clock::time_point> sent_;  ///< the messages of the last minute

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool poked_ = true;  ///< guarded, like what follows
  api::AlertState state_;
  std::thread thread_;
};

}  // namespace grantfs

#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <vector>

#include "grantfs/api/machine.h"
#include "grantfs/client/secret_source.h"
#include "grantfs/client/vault_connection.h"
#include "grantfs/util/kept_memory.h"
#include "timer_internal.h"

namespace grantfs {

/// Sends a mount's refusals to the vault, one batch after the other, each until it is recorded; if need be by
/// the process that serves the mount after this one. Nobody waits for it. Threads: safe.
class RefusalReporter {
 public:
  static constexpr std::size_t kMaxWaiting = 4096;

  /// @param vault, timer  outlive its last use: they are closed before this ends.
  /// @param kept  where what waits outlives the process; null: nowhere. Outlives this.
  RefusalReporter(VaultConnection* vault, Timer* timer, KeptMemory* kept);
  /// Sends what the process before this one had not.
  void Resume() { Add({}); }

  /// What does not fit any more is dropped, and said in the log.
  void Add(std::vector<RefusedRead> refusals);

  /// At the end: waits until all is recorded, or the vault does not take it, at most so long.
  void Drain(std::chrono::milliseconds wait);
  /// Before another process goes on: waits, as Drain does, while something waits that it would not find.
  void HandOver(std::chrono::milliseconds wait);

 private:
  using Entry = api::RefusalsRequest::Refusal;  ///< its id is that by which the vault records it once
  void TakeOver();
  bool Keep(const Entry& entry);
  void SendNext();
  void Sent(std::size_t count, const Result<Json>& answer);

  VaultConnection* const vault_;
  Timer* const timer_;
  KeptMemory* const kept_;
  const std::string prefix_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Entry> waiting_;
  std::uint64_t next_ = 1;
  bool sending_ = false;  ///< a batch is under way, or waits to be sent again
  bool asking_ = false;   ///< a batch is under way
  bool failing_ = false;  ///< the last one failed: the vault may be back by now, if one is under way
  bool dropping_ = false;
  std::chrono::milliseconds backoff_{0};
};

}  // namespace grantfs

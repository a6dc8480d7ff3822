#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "grantfs/store/audit_purge.h"
#include "grantfs/store/store.h"
#include "grantfs/util/clock.h"

namespace grantfs {

/// Takes away the bodies of audit records that are older than they are kept, once a day by severity, beside
/// what else the vault does: a purge is a critical record first, and then a row of short jobs. One that the
/// vault's end interrupted is finished after the next start. A clock that is suddenly far ahead (by an hour;
/// where the vault was stopped or recorded nothing, by a day) is not believed for a day. Threads: safe.
class Retention {
 public:
  /// Begins with nothing to do until it is poked.
  Retention(Store& store, const Clock& clock, const AuditKeep& keep);
  ~Retention() { Close(); }
  void Close();
  /// It may be time.
  void Poke();

 private:
  void Run();
  Status RunOnce();
  std::int64_t BelievedMs() const;
  bool IsClockBelieved();
  bool KnowsLast(const std::vector<AuditPurge>& purges) const;
  Result<std::vector<AuditPurge>> Newest();
  Result<std::optional<AuditPurge>> Find(AuditSeverity severity, std::int64_t keep_seconds);
  Status Tell(AuditPurge* purge);
  Status Purge(const AuditPurge& purge);
  Status WaitForQuiet();

  Store& store_;
  const Clock& clock_;
  const AuditKeep keep_;
  // The thread's own.
  std::int64_t believed_ms_;  ///< the time that the clock may show, less CLOCK_BOOTTIME's
  std::optional<std::chrono::nanoseconds> ahead_since_;  ///< by that
  // By severity.
  std::array<bool, 3> finished_{};                                  ///< nothing of a former purge is left
  std::array<std::optional<std::chrono::nanoseconds>, 3> nothing_;  ///< when a look found nothing old
  std::atomic<bool> stop_{false};
  std::mutex mutex_;
  std::condition_variable changed_;
  bool poked_ = false;  ///< guarded
  std::thread thread_;
};

}  // namespace grantfs

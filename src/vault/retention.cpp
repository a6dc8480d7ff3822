#include <algorithm>
#include <string>

#include "grantfs/log/log.h"
#include "grantfs/tlog/leaf.h"
#include "grantfs/util/text.h"
#include "retention_internal.h"

namespace grantfs {
namespace {

constexpr std::int64_t kDayMs = 86'400'000;
/// Of one job, between others: a millisecond or two.
constexpr std::size_t kBodiesOfJob = 100;
/// Records that one view of the database is held for.
constexpr std::uint64_t kRecordsOfLook = 16 * 4096;
constexpr std::size_t kPurgesLookedAt = 100;
/// Where so many jobs wait, others need the disk more.
constexpr std::uint64_t kBusy = 32;
constexpr std::chrono::milliseconds kPause{50};
/// A look that finds nothing has read all that is old.
constexpr std::chrono::hours kLookAgain{1};

/// A clock that runs within that is not set anew, but drifts.
constexpr std::int64_t kDriftMs = 3'600'000;
constexpr std::chrono::hours kUntilBelieved{24};

std::int64_t BootMs(const Clock& clock) {
  return std::chrono::floor<std::chrono::milliseconds>(clock.Boot()).count();
}

Error Stopped() { return {Code::kCancelled, "the vault is closing"}; }

}  // namespace

Retention::Retention(Store& store, const Clock& clock, const AuditKeep& keep)
    : store_(store), clock_(clock), keep_(keep), believed_ms_(BelievedMs()), thread_([this] { Run(); }) {}

/// By the newest record, a day after which at most the vault is likely to record the next.
std::int64_t Retention::BelievedMs() const {
  const auto newest = [&]() -> Result<std::int64_t> {
    const auto reader = GRANTFS_TRY(store_.Read());
    const std::uint64_t size = GRANTFS_TRY(reader->AuditSize());
    if (size == 0) return clock_.WallMilliseconds();
    const auto last = GRANTFS_TRY(reader->ReadAudit(size - 1, 1, 1, false));
    if (last.empty()) return Error{Code::kIntegrity, "the audit log's last record is missing"};
    return GRANTFS_TRY(ParseLeaf(last[0].leaf)).time_ms;
  }();
  // Of what cannot be read nothing is believed.
  return std::min(clock_.WallMilliseconds(), (newest ? *newest : 0) + kDayMs) - BootMs(clock_);
}

/// Who sets a vault's clock ahead, or tells it another time over the network, would have it take away what it
/// keeps. What passes between two looks CLOCK_BOOTTIME tells.
bool Retention::IsClockBelieved() {
  const std::int64_t shown = clock_.WallMilliseconds() - BootMs(clock_);
  if (shown <= believed_ms_ + kDriftMs) {
    believed_ms_ = std::min(believed_ms_, shown);  // it may have been set back
    ahead_since_.reset();
    return true;
  }
  if (!ahead_since_) {
    ahead_since_ = clock_.Boot();
    Log(LogLevel::kError,
        "this host's clock is suddenly ahead by " + FormatDuration((shown - believed_ms_) / 1000) +
            ": no audit records are purged for a day; if it is wrong, set it right until then");
  }
  if (clock_.Boot() - *ahead_since_ < kUntilBelieved) return false;
  believed_ms_ = shown;
  ahead_since_.reset();
  return true;
}

void Retention::Close() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Retention::Poke() {
  {
    const std::lock_guard lock(mutex_);
    poked_ = true;
  }
  changed_.notify_all();
}

void Retention::Run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stop_ || poked_; });
    if (stop_) return;
    poked_ = false;
    lock.unlock();
    const Status done = RunOnce();
    if (!done && done.error().code != Code::kCancelled)
      Log(LogLevel::kError, "bodies of old audit records could not be purged", done.error());
    lock.lock();
  }
}

Status Retention::RunOnce() {
  const auto newest = GRANTFS_TRY(Newest());
  const bool believed = IsClockBelieved();
  for (std::size_t at = 0; at < keep_.seconds.size(); ++at) {
    if (!keep_.seconds[at]) continue;
    const auto severity = static_cast<AuditSeverity>(at);
    const auto last = std::find_if(newest.begin(), newest.end(),
                                   [&](const AuditPurge& purge) { return purge.severity == severity; });
    if (last != newest.end() && !finished_[at]) GRANTFS_CHECK(Purge(*last));
    finished_[at] = true;
    if (!believed) continue;
    if (last != newest.end() && clock_.WallMilliseconds() - last->time_ms < kDayMs) continue;
    if (nothing_[at] && clock_.Boot() - *nothing_[at] < kLookAgain) continue;
    auto purge = GRANTFS_TRY(Find(severity, *keep_.seconds[at]));
    if (!purge) nothing_[at] = clock_.Boot();
    if (!purge) continue;
    finished_[at] = false;
    GRANTFS_CHECK(Tell(&*purge));
    GRANTFS_CHECK(Purge(*purge));
    finished_[at] = true;
    Log(LogLevel::kInfo, "purged what is not kept longer: " + DescribePurges({*purge}));
  }
  return {};
}

/// Of each severity that may have an unfinished purge the last one must be among them.
bool Retention::KnowsLast(const std::vector<AuditPurge>& purges) const {
  for (std::size_t at = 0; at < keep_.seconds.size(); ++at) {
    const auto is_it = [at](const AuditPurge& purge) {
      return purge.severity == static_cast<AuditSeverity>(at);
    };
    if (keep_.seconds[at] && !finished_[at] && std::none_of(purges.begin(), purges.end(), is_it))
      return false;
  }
  return true;
}

/// The purges that were told last, the newest first.
Result<std::vector<AuditPurge>> Retention::Newest() {
  AuditQuery query;
  query.type = kAuditPurgeType;
  query.limit = kPurgesLookedAt;
  const auto reader = GRANTFS_TRY(store_.Read());
  std::vector<AuditPurge> purges;
  for (;;) {
    const auto found = GRANTFS_TRY(reader->SearchAudit(query));
    for (const AuditEntry& entry : found.records) purges.push_back(GRANTFS_TRY(PurgeOfRecord(entry)));
    if (!found.next || KnowsLast(purges)) return purges;
    query.before = found.next;
  }
}

/// What a purge would take now; absent: nothing.
Result<std::optional<AuditPurge>> Retention::Find(AuditSeverity severity, std::int64_t keep_seconds) {
  AuditPurge purge;
  purge.severity = severity;
  purge.keep_seconds = keep_seconds;
  purge.time_ms = clock_.WallMilliseconds();
  purge.before_ms = purge.time_ms - keep_seconds * 1000;
  if (purge.before_ms <= 0) return std::optional<AuditPurge>();
  std::uint64_t end = 0;
  for (std::uint64_t from = 0;; from += kRecordsOfLook) {
    if (stop_) return Stopped();
    const auto reader = GRANTFS_TRY(store_.Read());
    if (from == 0)
      end = std::min(GRANTFS_TRY(reader->AuditBefore(purge.before_ms)), GRANTFS_TRY(reader->AuditSize()));
    if (from >= end) break;
    AuditPurge window = purge;
    window.first = from;
    window.end = std::min(end, from + kRecordsOfLook);
    window = GRANTFS_TRY(reader->FindPurgeable(window));
    if (window.count == 0) continue;
    if (purge.count == 0) purge.first = window.first;
    purge.end = window.end;
    purge.count += window.count;
  }
  return purge.count == 0 ? std::optional<AuditPurge>() : std::optional(purge);
}

Status Retention::Tell(AuditPurge* purge) {
  std::uint64_t told = 0;
  const AuditRecord record = RecordOfPurge(*purge);
  GRANTFS_CHECK(store_.WriteAndWait([&](StoreWriter& writer) -> Status {
    told = GRANTFS_TRY(writer.Audit(record));
    return {};
  }));
  purge->record = told;
  return {};
}

Status Retention::Purge(const AuditPurge& purge) {
  for (std::uint64_t next = purge.first; next < purge.end;) {
    GRANTFS_CHECK(WaitForQuiet());
    AuditPurged done;
    GRANTFS_CHECK(store_.WriteAndWait([&](StoreWriter& writer) -> Status {
      done = GRANTFS_TRY(writer.PurgeAudit(purge, next, kBodiesOfJob));
      return {};
    }));
    next = done.next;
  }
  return {};
}

Status Retention::WaitForQuiet() {
  std::unique_lock lock(mutex_);
  while (!stop_ && store_.Figures().queued >= kBusy) changed_.wait_for(lock, kPause);
  return stop_ ? Status(Stopped()) : Status();
}

}  // namespace grantfs

#include <limits>

#include "client/connection/problem_internal.h"
#include "grantfs/log/log.h"
#include "grantfs/store/audit_purge.h"
#include "machine_internal.h"

// Behind the reads, never in one: what the vault said that it recorded is in its log, and the log goes on
// from what was seen. What is not is told wherever somebody looks; reading goes on.

namespace grantfs {
namespace {

constexpr std::chrono::seconds kCheckEvery{10};
/// A vault that is older than this program, or takes no complaint for now.
constexpr std::chrono::seconds kCheckLater{600};
/// Nothing that was told of later than this ago can have lost its body to retention; a minute less, as two
/// clocks do not run alike.
constexpr std::chrono::seconds kMayBeGone{kMinKeepSeconds - 60};

}  // namespace

void MachineSessionImpl::LoadComplaints() {
  auto kept = Complaints(*known_);
  const std::lock_guard guard(status_mutex_);
  if (kept) complaints_ = *std::move(kept);
}

void MachineSessionImpl::NoteRecorded(RecordedRead read) {
  read.told_boot = options_.clock->Boot();
  if (options_.watch) checks_.Add(std::move(read));
}

void MachineSessionImpl::NotePlaces(const Journal::Batch& batch, const std::vector<std::uint64_t>& places) {
  const bool placed = places.size() <= batch.entries.size();
  const auto sample = ReadChecks::SampleOf(placed ? places.size() : 0);
  // Who names no place shall not have it look as if all were found.
  if (options_.watch) checks_.CountChecked(0, batch.entries.size() - sample.size());
  if (!placed) return;
  const std::size_t first = batch.entries.size() - places.size();
  for (const std::size_t at : sample) {
    const auto entry = JournalEntry::Parse(batch.entries[first + at]);
    if (entry) NoteRecorded({places[at], entry->secret, entry->version, entry->open, /*told_later=*/true});
  }
}

void MachineSessionImpl::CheckLater(std::chrono::nanoseconds pause) {
  check_after_boot_ns_ = (checking_since_ + pause).count();
  checking_ = false;
}

bool MachineSessionImpl::HasToCheck() const {
  if (checks_.figures().waiting > 0) return true;
  const std::lock_guard guard(status_mutex_);
  return NextComplaint(complaints_, log_good_).has_value();
}

void MachineSessionImpl::CheckReads() {
  if (!HasToCheck() || !listens_ || options_.clock->Boot().count() < check_after_boot_ns_ ||
      view()->vault->empty() || checking_.exchange(true))
    return;
  checking_since_ = options_.clock->Boot();
  FollowLog(view()->vault->log_origin());
  // Before anything is asked for: another process may remember a newer one meanwhile.
  const auto peer = known_->ReadPeer();
  auto reads = checks_.Take(api::kMaxProvenRecords);
  if (!peer || reads.empty()) {
    checks_.Return(std::move(reads));
    return Complain(log_good_);
  }
  api::MachineRecordsRequest request;
  for (const RecordedRead& read : reads) request.records.push_back(read.record);
  // Held: the refresher may show another view meanwhile.
  const std::shared_ptr<const VaultList> vault = view()->vault;
  if (const auto before = OpenCheckpoint(peer->checkpoint, vault->log_key(), vault->log_origin()))
    request.before = before->size;
  vault_->Send(
      api::kMachineRecords, request.ToJson(), {},
      [this, asked = ShownLog{peer->checkpoint, {}}, reads = std::move(reads)](const Result<Json>& answer) {
        LeaveToKeeper([this, asked, reads, answer] { Checked(asked, reads, answer); });
      });
}

/// After a restored backup the list names another log, with other records under the same numbers.
void MachineSessionImpl::FollowLog(const std::string& origin) {
  if (origin == checked_origin_) return;
  if (!checked_origin_.empty()) checks_.Clear();
  checked_origin_ = origin;
  SetLogProblem({});
  if (const Status others = ForgetOtherLogs(*known_, origin); !others)
    Log(LogLevel::kWarning, "what contradicts the audit log could not be looked up", others.error());
  LoadComplaints();
}

void MachineSessionImpl::Checked(const ShownLog& asked, std::vector<RecordedRead> reads,
                                 Result<Json> answer) {
  auto response = vault_->Read<api::MachineRecordsResponse>(std::move(answer));
  if (view()->vault->log_origin() != checked_origin_) return CheckLater(kCheckEvery);
  if (!response) {
    const Code code = response.error().code;
    checks_.Return(std::move(reads));
    const bool old = code == Code::kNotFound || code == Code::kUnsupported;
    SetLogProblem(old ? "the vault cannot prove that reads are in it: it is older than this program" : "");
    return CheckLater(old ? std::chrono::nanoseconds(kCheckLater) : std::chrono::nanoseconds(kCheckEvery));
  }
  const std::int64_t now = options_.clock->WallSeconds();
  const auto log = JudgeLog(
      *known_, *view()->vault, {asked.remembered, response->checkpoint},
      [&](std::uint64_t, const Checkpoint&) { return Result<std::vector<Hash>>(response->consistency); },
      now);
  log_good_ = log.has_value();
  if (!log) {  // an honest one may yet show them
    checks_.Return(std::move(reads));
    SetLogProblem(Describe(log.error()));
  } else {
    SetLogProblem({});
    CheckRecords(*log, std::move(reads), *response);
  }
  LoadComplaints();
  Complain(log_good_);
}

void MachineSessionImpl::CheckRecords(const Checkpoint& log, std::vector<RecordedRead> reads,
                                      const api::MachineRecordsResponse& response) {
  std::uint64_t proved = 0;
  std::uint64_t gone = 0;
  const std::int64_t now_ms = options_.clock->WallMilliseconds();
  const std::chrono::nanoseconds now_boot = options_.clock->Boot();
  const std::shared_ptr<const VaultList> vault = view()->vault;
  const auto shown = StripCheckpoint(response.checkpoint, vault->log_key(), vault->log_origin());
  std::size_t at = 0;
  for (; at < response.records.size() && at < reads.size(); ++at) {
    const RecordedRead& read = reads[at];
    std::string what = "the vault answered for another record";
    ReadProof proven = ReadProof::kBad;
    // The record's time is the vault's own word: one who hides what he wrote would date it back.
    const std::int64_t gone_before_ms = now_boot - read.told_boot >= kMayBeGone
                                            ? now_ms - kMinKeepSeconds * 1000
                                            : std::numeric_limits<std::int64_t>::min();
    if (response.records[at].record == read.record)
      proven = CheckProven(read, response.records[at], log, me_.Id(), gone_before_ms, &what);
    proved += proven == ReadProof::kGood ? 1 : 0;
    gone += proven == ReadProof::kGone ? 1 : 0;
    if (proven != ReadProof::kBad) continue;
    api::LogComplaintRequest complaint;
    complaint.kind = api::LogComplaintRequest::Kind::kRecord;
    complaint.shown = shown ? *shown : response.checkpoint;
    complaint.time = now_ms / 1000;
    complaint.record = read.record;
    complaint.secret = read.secret;
    complaint.version = read.version;
    complaint.open = read.open;
    complaint.what = what;
    const std::string sentence = DescribeComplaint({complaint, false});
    Log(LogLevel::kError, sentence);
    {
      const std::lock_guard guard(status_mutex_);
      record_problem_ = sentence;
    }
    if (const Status kept = KeepComplaint(*known_, complaint); !kept)
      Log(LogLevel::kError, "that could not be kept, to be told to the vault", kept.error());
  }
  checks_.CountChecked(proved, gone);
  reads.erase(reads.begin(), reads.begin() + static_cast<std::ptrdiff_t>(at));
  checks_.Return(std::move(reads));
}

/// Sends what is still to be told, one at a time; the last lets the next look begin.
void MachineSessionImpl::Complain(bool good) {
  std::optional<api::LogComplaintRequest> next;
  {
    const std::lock_guard guard(status_mutex_);
    next = NextComplaint(complaints_, good);
  }
  if (!next) return CheckLater(kCheckEvery);
  const Json body = next->ToJson();
  vault_->Send(api::kLogComplaints, body, {},
               [this, complaint = *std::move(next), good](const Result<Json>& answer) {
                 LeaveToKeeper([this, complaint, good, answer] { Complained(complaint, good, answer); });
               });
}

void MachineSessionImpl::Complained(const api::LogComplaintRequest& complaint, bool good,
                                    const Result<Json>& answer) {
  if (!answer) {
    Log(LogLevel::kWarning, "the vault was not told what its audit log contradicts; trying again",
        answer.error());
    return CheckLater(answer.error().code == Code::kUnreachable ? std::chrono::nanoseconds(kCheckEvery)
                                                                : std::chrono::nanoseconds(kCheckLater));
  }
  const Status taken = ComplaintTaken(*known_, complaint, good);
  if (!taken) return CheckLater(kCheckLater);
  LoadComplaints();
  Complain(good);
}

void MachineSessionImpl::SetLogProblem(std::string problem) {
  {
    const std::lock_guard guard(status_mutex_);
    if (problem == log_problem_) return;
    log_problem_ = problem;
  }
  if (!problem.empty()) Log(LogLevel::kError, "the vault's audit log: " + problem);
}

}  // namespace grantfs

#include <algorithm>

#include "grantfs/crypto/merkle.h"
#include "grantfs/util/clock.h"
#include "grantfs/util/text.h"
#include "log_judge_internal.h"

namespace grantfs {
namespace {

using Kind = api::LogComplaintRequest::Kind;

constexpr std::size_t kMaxComplaintsBytes = std::size_t{256} << 10;

bool SameComplaint(const api::LogComplaintRequest& a, const api::LogComplaintRequest& b) {
  return a.kind == b.kind && a.remembered == b.remembered && a.record == b.record && a.open == b.open;
}

std::string OriginOf(const std::string& checkpoint) { return checkpoint.substr(0, checkpoint.find('\n')); }

std::vector<KeptComplaint> Parsed(const std::string& text) {
  std::vector<KeptComplaint> kept;
  const auto list = ParseJson(text.empty() ? "[]" : text, {.max_bytes = kMaxComplaintsBytes});
  if (!list || !list->is(Json::Kind::kArray)) return kept;
  for (const Json& item : list->Items()) {
    const Json* const what = item.is(Json::Kind::kObject) ? item.Find("complaint") : nullptr;
    const Json* const told = what != nullptr ? item.Find("told") : nullptr;
    const auto complaint = what != nullptr
                               ? api::LogComplaintRequest::FromJson(*what)
                               : Result<api::LogComplaintRequest>(Error{Code::kInvalid, "", 0, {}});
    if (complaint && kept.size() < kMaxComplaints)
      kept.push_back({*complaint, told != nullptr && told->is(Json::Kind::kBool) && told->AsBool()});
  }
  return kept;
}

std::string Written(const std::vector<KeptComplaint>& kept) {
  Json list = Json::Array();
  for (const KeptComplaint& one : kept)
    list.Append(Json::Object({{"complaint", one.complaint.ToJson()}, {"told", one.told}}));
  return list.Dump();
}

Error Shrunk(const std::string& subject) {
  return {
      Code::kIntegrity,
      "the audit log has shrunk: the vault's database was put back to an older copy, or records were taken "
      "away; keep a copy of it as evidence",
      0, subject};
}

Error Another(const std::string& subject) {
  return {Code::kIntegrity,
          "the audit log is another than was seen before: records were changed; keep a copy of the vault's "
          "database as evidence, and run grantfs audit verify",
          0, subject};
}

/// What it contradicts, if it does.
Result<std::optional<Kind>> Contradicts(const Checkpoint& before, const Checkpoint& now,
                                        const Continues& proof) {
  if (now.size < before.size) return std::optional(Kind::kLower);
  if (before.size == 0) return std::optional<Kind>();
  if (now.size == before.size) return now.root == before.root ? std::nullopt : std::optional(Kind::kForked);
  const auto hashes = GRANTFS_TRY(proof(before.size, now));
  const bool goes_on = VerifyConsistency(before.size, before.root, now.size, now.root, hashes);
  return goes_on ? std::nullopt : std::optional(Kind::kForked);
}

}  // namespace

Result<Checkpoint> JudgeLog(KnownStore& known, const VaultList& vault, const ShownLog& log,
                            const Continues& proof, std::int64_t now) {
  const Checkpoint shown = GRANTFS_TRY(OpenCheckpoint(log.shown, vault.log_key(), vault.log_origin()));
  // What may be added by whoever shows it must not make it too long to be complained of.
  const std::string own_shown = GRANTFS_TRY(StripCheckpoint(log.shown, vault.log_key(), vault.log_origin()));
  if (OriginOf(log.remembered) == vault.log_origin()) {
    const Checkpoint before =
        GRANTFS_TRY(OpenCheckpoint(log.remembered, vault.log_key(), vault.log_origin()));
    if (const auto kind = GRANTFS_TRY(Contradicts(before, shown, proof))) {
      api::LogComplaintRequest complaint;
      complaint.kind = *kind;
      complaint.remembered =
          GRANTFS_TRY(StripCheckpoint(log.remembered, vault.log_key(), vault.log_origin()));
      complaint.shown = own_shown;
      complaint.time = now;
      GRANTFS_CHECK(KeepComplaint(known, complaint));
      const std::string subject = "the audit log of " + Count(shown.size, "record") + ", seen with " +
                                  std::to_string(before.size) + " before";
      return *kind == Kind::kLower ? Shrunk(subject) : Another(subject);
    }
  }
  GRANTFS_CHECK(known.RememberCheckpoint(own_shown));
  return shown;
}

Result<std::vector<KeptComplaint>> Complaints(KnownStore& known) {
  return Parsed(GRANTFS_TRY(known.Complaints()));
}

Status KeepComplaint(KnownStore& known, const api::LogComplaintRequest& complaint) {
  return known.ChangeComplaints([&](const std::string& text) {
    auto kept = Parsed(text);
    const bool there = std::any_of(kept.begin(), kept.end(), [&](const KeptComplaint& one) {
      return SameComplaint(one.complaint, complaint);
    });
    if (!there && kept.size() < kMaxComplaints) kept.push_back({complaint, false});
    return Written(kept);
  });
}

std::optional<api::LogComplaintRequest> NextComplaint(const std::vector<KeptComplaint>& kept, bool good) {
  for (const KeptComplaint& one : kept)
    if (good || !one.told) return one.complaint;
  return std::nullopt;
}

Status ForgetOtherLogs(KnownStore& known, const std::string& origin) {
  return known.ChangeComplaints([&](const std::string& text) {
    if (text.empty()) return text;
    auto kept = Parsed(text);
    std::erase_if(kept, [&](const KeptComplaint& one) { return OriginOf(one.complaint.shown) != origin; });
    return Written(kept);
  });
}

Status ComplaintTaken(KnownStore& known, const api::LogComplaintRequest& complaint, bool good) {
  return known.ChangeComplaints([&](const std::string& text) {
    auto kept = Parsed(text);
    for (KeptComplaint& one : kept)
      if (SameComplaint(one.complaint, complaint)) one.told = true;
    if (good)
      std::erase_if(kept, [&](const KeptComplaint& one) { return SameComplaint(one.complaint, complaint); });
    return Written(kept);
  });
}

std::string DescribeComplaint(const KeptComplaint& kept) {
  const api::LogComplaintRequest& complaint = kept.complaint;
  std::string text;
  if (complaint.kind == Kind::kRecord)
    text = "a read is not in the audit log as the vault has told it (record " +
           std::to_string(complaint.record) + ", secret " + std::to_string(complaint.secret) +
           "): " + complaint.what;
  else if (complaint.kind == Kind::kLower)
    text = "the vault showed an audit log that had shrunk";
  else
    text = "the vault showed an audit log that is another than was seen before";
  return text + ", at " + FormatTime(complaint.time) +
         (kept.told ? "; the vault was told of it" : "; the vault is still to record it") +
         ": an owner should run grantfs audit verify";
}

}  // namespace grantfs

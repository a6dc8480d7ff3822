#include <algorithm>

#include "grantfs/util/text.h"
#include "purge_ledger_internal.h"

namespace grantfs {

Result<std::optional<PurgeLedger::Problem>> PurgeLedger::Load(AuditSource& source, std::uint64_t size) {
  for (AuditEntry& entry : GRANTFS_TRY(source.Purges())) {
    if (entry.sequence >= size) continue;
    const auto purge = PurgeOfRecord(entry);
    if (!purge) return std::optional(Problem{entry.sequence, std::string("it ") + purge.error().where});
    claims_.push_back({*purge, std::move(entry.leaf), 0});
  }
  std::sort(claims_.begin(), claims_.end(),
            [](const Claim& a, const Claim& b) { return a.purge.first < b.purge.first; });
  for (std::size_t at = 0; at < claims_.size(); ++at) told_.emplace_back(claims_[at].purge.record, at);
  std::sort(told_.begin(), told_.end());
  return std::optional<Problem>();
}

bool PurgeLedger::Take(const AuditEntry& entry, const LeafHeader& header) {
  const std::uint64_t sequence = header.sequence;
  for (; begun_ < claims_.size() && claims_[begun_].purge.first <= sequence; ++begun_) {
    const auto earlier = [&](std::size_t a, std::size_t b) {
      return claims_[a].purge.record < claims_[b].purge.record;
    };
    active_.insert(std::upper_bound(active_.begin(), active_.end(), begun_, earlier), begun_);
  }
  if (next_told_ < told_.size() && told_[next_told_].first == sequence) {
    if (claims_[told_[next_told_].second].leaf != entry.leaf)
      problem_ = Problem{sequence, "it is not the purge's record that the vault shows elsewhere"};
    ++next_told_;
  }
  for (const std::size_t at : active_) {
    if (!claims_[at].purge.Takes(header.severity, sequence, header.time_ms)) continue;
    ++claims_[at].taken;
    return true;
  }
  return false;
}

std::optional<PurgeLedger::Problem> PurgeLedger::Ended(const Claim& claim) const {
  if (claim.taken == claim.purge.count) return std::nullopt;
  const std::string range =
      std::to_string(claim.purge.first) + " to " + std::to_string(claim.purge.end) + " (exclusive)";
  return Problem{claim.purge.first, "the purge of record " + std::to_string(claim.purge.record) +
                                        " found the bodies of " + Count(claim.purge.count, "record") +
                                        " from " + range + " where there must have been " +
                                        std::to_string(claim.taken) + ": some were taken away before"};
}

std::optional<PurgeLedger::Problem> PurgeLedger::CheckBefore(std::uint64_t sequence) {
  if (problem_) return problem_;
  for (auto at = active_.begin(); at != active_.end();) {
    const Claim& claim = claims_[*at];
    if (claim.purge.end > sequence) {
      ++at;
      continue;
    }
    if (auto problem = Ended(claim)) return problem;
    at = active_.erase(at);
  }
  return std::nullopt;
}

}  // namespace grantfs

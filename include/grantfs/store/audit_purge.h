#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "grantfs/store/audit.h"
#include "grantfs/util/result.h"

namespace grantfs {

/// For how long bodies are kept, by severity; absent: for ever. Critical ones always are.
struct AuditKeep {
  std::array<std::optional<std::int64_t>, 3> seconds;  ///< by AuditSeverity: info, notice, warning
  bool empty() const { return !seconds[0] && !seconds[1] && !seconds[2]; }
};

/// Nothing younger is purged by any rule, so that whoever was told of a record has time to look for it.
inline constexpr std::int64_t kMinKeepSeconds = 86'400;

/// "info=90d,notice=1y": severities and durations (s, m, h, d, y of 365 days), each once. Errors: kInvalid
/// with a sentence: critical bodies, less than kMinKeepSeconds, a severer one that is kept for less time.
Result<AuditKeep> ParseAuditKeep(std::string_view text);

/// The type of the critical record of a purge.
inline constexpr char kAuditPurgeType[] = "audit.purge";

/// Which bodies a purge took: those of the records `first` to `end` (exclusive) that have this severity and a
/// time before `before_ms`, as far as none before it took them. So whether a body may be missing follows from
/// its leaf and the purges' records alone, and a body that was taken away by hand is one too few or too many.
struct AuditPurge {
  AuditSeverity severity = AuditSeverity::kInfo;  ///< not critical
  std::uint64_t first = 0;
  std::uint64_t end = 0;
  std::int64_t before_ms = 0;
  std::int64_t keep_seconds = 0;  ///< the rule
  std::uint64_t count = 0;
  std::uint64_t record = 0;  ///< that tells of it
  std::int64_t time_ms = 0;  ///< that record's

  bool Takes(AuditSeverity of, std::uint64_t sequence, std::int64_t of_ms) const {
    return of == severity && sequence >= first && sequence < end && of_ms < before_ms;
  }
};

/// The critical record that tells of it, to be written before the first body goes.
AuditRecord RecordOfPurge(const AuditPurge& purge);

/// The inverse, from a record with its body; the body must be the leaf's. Errors: kInvalid (it is none),
/// kIntegrity (it contradicts itself, or purges what no rule may).
Result<AuditPurge> PurgeOfRecord(const AuditEntry& entry);

/// A sentence for people: "12 bodies of info before ... (records 0 to 40)".
std::string DescribePurges(const std::vector<AuditPurge>& purges);

}  // namespace grantfs

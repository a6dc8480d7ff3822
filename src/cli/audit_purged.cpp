#include <limits>

#include "audit_purged_internal.h"

namespace grantfs {

std::vector<AuditPurge> PurgesWithin(std::vector<AuditPurge> purges, const AuditFilter& filter,
                                     std::uint64_t from) {
  std::erase_if(purges, [&](const AuditPurge& purge) {
    return purge.severity < filter.at_least.value_or(AuditSeverity::kInfo) || purge.end <= from ||
           purge.before_ms <= filter.since_ms.value_or(std::numeric_limits<std::int64_t>::min());
  });
  return purges;
}

void NotePurges(Terminal& terminal, const std::vector<AuditPurge>& purges, const char* consequence) {
  if (purges.empty()) return;
  terminal.Note("the vault's retention has purged " + DescribePurges(purges) + ": " + consequence +
                " (grantfs audit list --action audit.purge shows the purges)");
}

Json PurgesJson(const std::vector<AuditPurge>& purges) {
  Json list = Json::Array();
  for (const AuditPurge& purge : purges)
    list.Append(Json::Object({{"record", purge.record},
                              {"severity", AuditSeverityName(purge.severity)},
                              {"from", purge.first},
                              {"to", purge.end},
                              {"before_ms", purge.before_ms},
                              {"purged", purge.count}}));
  return list;
}

}  // namespace grantfs

#include "audit_sight_internal.h"
#include "grantfs/store/audit_purge.h"

namespace grantfs {

bool MaySeeAudit(const VaultState& now, const VaultCaller& caller, const std::string& environment) {
  if (environment.empty()) return now.IsVaultOwner(caller.id);
  return now.CheckMember(caller, environment, Operation::kReadAudit).has_value();
}

bool MaySeeRecord(const VaultState& now, const VaultCaller& caller, const AuditColumns& columns) {
  return columns.type == kAuditPurgeType || MaySeeAudit(now, caller, columns.environment);
}

std::vector<std::string> AuditedBy(const VaultState& now, const VaultCaller& caller) {
  std::vector<std::string> names;
  for (const auto& [name, environment] : now.environments)
    if (MaySeeAudit(now, caller, name)) names.push_back(name);
  return names;
}

}  // namespace grantfs

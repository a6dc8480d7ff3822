#include "client/log/wire_audit_internal.h"
#include "grantfs/store/audit_purge.h"
#include "owner_internal.h"

namespace grantfs {

Result<std::vector<AuditPurge>> OwnerSessionImpl::AuditPurges() {
  std::vector<AuditPurge> purges;
  for (const AuditEntry& entry : GRANTFS_TRY(FetchPurges(*vault_))) {
    const auto purge = PurgeOfRecord(entry);
    if (!purge)
      return Error{Code::kIntegrity, "is no record of a purge that a rule makes: run grantfs audit verify", 0,
                   "record " + std::to_string(entry.sequence)};
    purges.push_back(*purge);
  }
  return purges;
}

}  // namespace grantfs

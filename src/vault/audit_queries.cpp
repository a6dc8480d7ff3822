#include "audit_sight_internal.h"
#include "core_internal.h"

namespace grantfs {
namespace {

constexpr std::size_t kMaxAuditBytes = std::size_t{1} << 20;

void Withhold(const VaultState& now, const VaultCaller& caller, AuditEntry& entry) {
  if (entry.columns && MaySeeRecord(now, caller, *entry.columns)) return;
  entry.body.reset();
  entry.salt.reset();
}

}  // namespace

Result<api::AuditRecordsResponse> Vault::AuditRecords(const VaultCaller& caller,
                                                      const api::AuditRecordsRequest& request) const {
  const StatePtr now = core_->state.Get();
  const auto reader = GRANTFS_TRY(core_->store.Read());
  api::AuditRecordsResponse response;
  response.checkpoint = GRANTFS_TRY(reader->LatestCheckpoint()).value_or("");
  response.records =
      GRANTFS_TRY(reader->ReadAudit(request.from, request.limit, kMaxAuditBytes, request.bodies));
  for (AuditEntry& entry : response.records) Withhold(*now, caller, entry);
  return response;
}

}  // namespace grantfs

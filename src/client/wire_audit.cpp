#include <algorithm>

#include "grantfs/api/audit.h"
#include "grantfs/tlog/checkpoint.h"
#include "wire_audit_internal.h"

namespace grantfs {

Result<std::optional<std::string>> WireAudit::Checkpoint() {
  api::AuditRecordsRequest request;
  request.limit = 1;
  const auto page = GRANTFS_TRY(vault_->Ask<api::AuditRecordsResponse>(api::kAuditRecords, request));
  return page.checkpoint.empty() ? std::optional<std::string>() : std::optional<std::string>(page.checkpoint);
}

Result<std::vector<AuditEntry>> WireAudit::Fetch(std::uint64_t from, std::size_t limit) {
  api::AuditRecordsRequest request;
  request.from = from;
  request.limit = std::min(limit, api::kMaxAuditRecords);
  request.bodies = true;
  auto page = GRANTFS_TRY(vault_->Ask<api::AuditRecordsResponse>(api::kAuditRecords, request));
  if (progress_) progress_(from + page.records.size());
  return std::move(page.records);
}

Result<std::vector<std::string>> WireAudit::OlderCheckpoints(std::uint64_t, std::size_t) {
  return std::vector<std::string>();
}

Result<AuditAnchor> AnchorOf(const VaultList& vault, const std::string& remembered) {
  AuditAnchor anchor;
  anchor.key = vault.log_key();
  anchor.origin = vault.log_origin();
  if (remembered.empty()) return anchor;
  const auto point = GRANTFS_TRY(OpenCheckpoint(remembered, vault.log_key(), vault.log_origin()));
  anchor.remembered.push_back({point.size, point.root});
  return anchor;
}

}  // namespace grantfs

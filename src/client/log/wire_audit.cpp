#include <algorithm>

#include "grantfs/api/audit.h"
#include "grantfs/store/audit_purge.h"
#include "grantfs/tlog/checkpoint.h"
#include "wire_audit_internal.h"

namespace grantfs {
namespace {

/// So many pages in which nothing is found, one after the other, are the end: a log that grows meanwhile has
/// always a little more, and a vault that lies has it for ever.
constexpr int kMaxEmptyPages = 3;

}  // namespace

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

Result<std::vector<AuditEntry>> WireAudit::Purges() { return FetchPurges(*vault_); }

Result<std::vector<AuditEntry>> FetchPurges(VaultConnection& vault) {
  std::vector<AuditEntry> purges;
  api::AuditSearchRequest request;
  request.type = kAuditPurgeType;
  request.limit = api::kMaxAuditRecords;
  request.from = 0;
  for (int empty = 0; purges.size() < kMaxPurgesRead;) {
    auto page = vault.Ask<api::AuditSearchResponse>(api::kAuditSearch, request);
    // Who may audit nothing sees no bodies either.
    if (!page && page.error().code == Code::kDenied) return purges;
    if (!page) return page.error();
    for (AuditEntry& entry : page->records) {
      if (entry.sequence < *request.from) return vault.Malformed();
      request.from = entry.sequence + 1;
      purges.push_back(std::move(entry));
    }
    const std::uint64_t next = page->next.value_or(*request.from);
    if (page->records.empty() && next <= *request.from) break;
    if (next < *request.from) return vault.Malformed();
    empty = page->records.empty() ? empty + 1 : 0;
    if (empty == kMaxEmptyPages) break;
    request.from = next;
  }
  return purges;
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

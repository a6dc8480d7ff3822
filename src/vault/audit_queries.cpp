#include "core_internal.h"

namespace grantfs {
namespace {

constexpr std::size_t kMaxAuditBytes = std::size_t{1} << 20;
constexpr std::size_t kSearchPage = 1000;

/// Bodies are for owners and auditors of an environment; the vault's own for owners of the vault.
bool MaySee(const VaultState& now, const VaultCaller& caller, const std::string& environment) {
  if (environment.empty()) return now.IsVaultOwner(caller.id);
  return now.CheckMember(caller, environment, Operation::kReadAudit).has_value();
}

bool MaySeeAny(const VaultState& now, const VaultCaller& caller) {
  if (now.IsVaultOwner(caller.id)) return true;
  for (const auto& [name, environment] : now.environments) {
    if (MaySee(now, caller, name)) return true;
  }
  return false;
}

void Withhold(const VaultState& now, const VaultCaller& caller, AuditEntry& entry) {
  if (entry.columns && MaySee(now, caller, entry.columns->environment)) return;
  entry.body.reset();
  entry.salt.reset();
}

AuditQuery QueryOf(const api::AuditSearchRequest& request) {
  AuditQuery query;
  query.environment = request.environment;
  query.object = request.below.empty() ? request.object : request.below;
  query.below = !request.below.empty();
  query.actor = request.actor;
  query.type = request.type;
  query.outcome = request.outcome;
  query.at_least = request.at_least;
  query.since_ms = request.since_ms;
  query.until_ms = request.until_ms;
  query.before = request.before;
  query.from = request.from;
  query.limit = kSearchPage;
  return query;
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

Result<api::AuditSearchResponse> Vault::SearchAudit(const VaultCaller& caller,
                                                    const api::AuditSearchRequest& request) const {
  const StatePtr now = core_->state.Get();
  const bool may =
      request.environment.empty() ? MaySeeAny(*now, caller) : MaySee(*now, caller, request.environment);
  if (!may) {
    const bool member = !request.environment.empty() && now->RoleOf(caller.id, request.environment);
    return member || request.environment.empty() ? RoleMissing("audit") : NotVisible(request.environment);
  }
  const auto reader = GRANTFS_TRY(core_->store.Read());
  AuditQuery query = QueryOf(request);
  api::AuditSearchResponse response;
  std::size_t bytes = 0;
  for (std::size_t scanned = 0; scanned < kMaxAuditScan;) {
    query.scan = kMaxAuditScan - scanned;
    auto found = GRANTFS_TRY(reader->SearchAudit(query));
    scanned += found.scanned;
    for (AuditEntry& entry : found.records) {
      const std::uint64_t sequence = entry.sequence;
      if (MaySee(*now, caller, entry.columns->environment)) {
        bytes += entry.body->size();
        if (bytes > kMaxAuditBytes && !response.records.empty()) return response;
        response.records.push_back(std::move(entry));
      }
      response.next = request.from ? sequence + 1 : sequence;
      if (response.records.size() == request.limit) return response;
    }
    const bool more = request.from ? found.next != query.from : found.next.has_value();
    response.next = found.next;
    if (!more || found.scanned == 0) break;
    (request.from ? query.from : query.before) = found.next;
  }
  return response;
}

}  // namespace grantfs

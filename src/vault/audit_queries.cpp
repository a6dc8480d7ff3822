#include "core_internal.h"

namespace grantfs {
namespace {

constexpr std::size_t kMaxAuditBytes = std::size_t{1} << 20;
constexpr std::size_t kSearchPage = 1000;
constexpr int kMaxSearchPages = 20;

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
  AuditQuery query;
  query.environment = request.environment;
  query.object = request.object;
  query.actor = request.actor;
  query.at_least = request.at_least;
  query.before = request.before;
  query.limit = kSearchPage;
  api::AuditSearchResponse response;
  std::size_t bytes = 0;
  for (int page = 0; page < kMaxSearchPages; ++page) {
    auto found = GRANTFS_TRY(reader->SearchAudit(query));
    for (AuditEntry& entry : found) {
      const std::uint64_t sequence = entry.sequence;
      if (entry.columns && MaySee(*now, caller, entry.columns->environment)) {
        bytes += entry.body ? entry.body->size() : 0;
        if (bytes > kMaxAuditBytes && !response.records.empty()) return response;
        response.records.push_back(std::move(entry));
      }
      response.next = sequence;
      if (response.records.size() == request.limit) return response;
    }
    if (found.size() < kSearchPage) {
      response.next.reset();
      break;
    }
    query.before = response.next;
  }
  return response;
}

}  // namespace grantfs

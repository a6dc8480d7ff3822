#include <algorithm>
#include <iterator>
#include <limits>

#include "audit_sight_internal.h"
#include "core_internal.h"
#include "grantfs/store/audit_purge.h"

// Searching the audit log. A cursor names no record that the caller may not see: how far a search came must
// not tell that there is something in an environment of others.

namespace grantfs {
namespace {

constexpr std::size_t kMaxFoundBytes = std::size_t{1} << 20;
constexpr std::size_t kSearchPage = 1000;
constexpr std::size_t kLeastScan = 100;

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

/// The environment that an object's name says it is of; "" where it says none.
std::string EnvironmentOf(const std::string& object) {
  const auto project = object.find('/');
  const auto end = project == std::string::npos ? project : object.find('/', project + 1);
  return end == std::string::npos ? std::string() : object.substr(0, end);
}

/// As many as were asked for and fit, with the cursor behind them. @param next  behind all of them.
void TakePage(const api::AuditSearchRequest& request, std::vector<AuditEntry> found,
              std::optional<std::uint64_t> next, api::AuditSearchResponse* response) {
  std::size_t bytes = 0;
  for (AuditEntry& entry : found) {
    bytes += entry.body->size();
    const bool full =
        response->records.size() == request.limit || (bytes > kMaxFoundBytes && !response->records.empty());
    if (full) {
      const std::uint64_t last = response->records.back().sequence;
      response->next = request.from ? last + 1 : last;
      return;
    }
    response->records.push_back(std::move(entry));
  }
  response->next = next;
}

/// Over all environments, along the index that suits the search best.
Result<api::AuditSearchResponse> SearchAll(StoreReader& reader, const VaultState& now,
                                           const VaultCaller& caller,
                                           const api::AuditSearchRequest& request) {
  AuditQuery query = QueryOf(request);
  std::vector<AuditEntry> shown;
  std::optional<std::uint64_t> next;
  for (std::size_t scanned = 0; scanned < kMaxAuditScan && shown.size() <= request.limit;) {
    query.scan = kMaxAuditScan - scanned;
    auto found = GRANTFS_TRY(reader.SearchAudit(query));
    scanned += found.scanned;
    for (AuditEntry& entry : found.records)
      if (MaySeeRecord(now, caller, *entry.columns)) shown.push_back(std::move(entry));
    const bool more = request.from ? found.next != query.from : found.next.has_value();
    next = found.next;
    if (!more || found.scanned == 0) break;
    (request.from ? query.from : query.before) = found.next;
  }
  api::AuditSearchResponse response;
  TakePage(request, std::move(shown), next, &response);
  return response;
}

/// Within some environments: along the index of each, so that no other's records are looked at, and put
/// together in order.
Result<api::AuditSearchResponse> SearchWithin(StoreReader& reader, const std::vector<std::string>& names,
                                              const api::AuditSearchRequest& request) {
  const bool forward = request.from.has_value();
  AuditQuery query = QueryOf(request);
  query.within = true;
  query.limit = std::min(request.limit + 1, kSearchPage);
  query.scan = std::max(kMaxAuditScan / std::max<std::size_t>(names.size(), 1), kLeastScan);
  std::vector<AuditEntry> found;
  // What lies beyond was not looked at in all of them.
  std::optional<std::uint64_t> reached;
  if (forward) reached = std::max(*request.from, GRANTFS_TRY(reader.AuditSize()));
  for (const std::string& name : names) {
    query.environment = name;
    auto part = GRANTFS_TRY(reader.SearchAudit(query));
    std::move(part.records.begin(), part.records.end(), std::back_inserter(found));
    if (forward)
      reached = std::min(*reached, part.next.value_or(*reached));
    else if (part.next)
      reached = std::max(reached.value_or(0), *part.next);
  }
  std::erase_if(found, [&](const AuditEntry& entry) {
    return reached && (forward ? entry.sequence >= *reached : entry.sequence < *reached);
  });
  std::sort(found.begin(), found.end(), [&](const AuditEntry& a, const AuditEntry& b) {
    return forward ? a.sequence < b.sequence : a.sequence > b.sequence;
  });
  api::AuditSearchResponse response;
  TakePage(request, std::move(found), reached, &response);
  return response;
}

}  // namespace

Result<api::AuditSearchResponse> Vault::SearchAudit(const VaultCaller& caller,
                                                    const api::AuditSearchRequest& asked) const {
  const StatePtr now = core_->state.Get();
  const std::vector<std::string> audited = AuditedBy(*now, caller);
  const bool owner = now->IsVaultOwner(caller.id);
  api::AuditSearchRequest request = asked;
  if (!request.environment.empty() && !MaySeeAudit(*now, caller, request.environment)) {
    const bool member = now->RoleOf(caller.id, request.environment).has_value();
    return member ? RoleMissing("audit") : NotVisible(request.environment);
  }
  if (!owner && audited.empty()) return RoleMissing("audit");
  const auto reader = GRANTFS_TRY(core_->store.Read());
  const std::string named = EnvironmentOf(request.below.empty() ? request.object : request.below);
  if (request.environment.empty() && !named.empty()) {
    if (!MaySeeAudit(*now, caller, named)) return SearchWithin(*reader, {}, request);
    request.environment = named;
  }
  const bool purges = request.type == kAuditPurgeType && request.environment.empty();
  if (owner || purges) return SearchAll(*reader, *now, caller, request);
  return SearchWithin(*reader, request.environment.empty() ? audited : std::vector{request.environment},
                      request);
}

}  // namespace grantfs

#include <algorithm>
#include <iterator>
#include <set>

#include "client/connection/problem_internal.h"
#include "client/log/audit_line_internal.h"
#include "grantfs/api/audit.h"
#include "owner_internal.h"

namespace grantfs {
namespace {

bool IsMachine(const Grantee& grantee, const std::string& machine) {
  if (grantee.kind == GranteeKind::kGroup) return "@" + grantee.name == machine;
  return grantee.name == machine || grantee.id.Hex() == machine;
}

}  // namespace

bool IsGrantedTo(const SecretList& list, const std::string& machine) {
  return std::any_of(list.grants().begin(), list.grants().end(),
                     [&](const auto& one) { return IsMachine(one.second.grant.grantee, machine); });
}

Result<std::vector<OwnerSessionImpl::Ended>> OwnerSessionImpl::PrepareRevoke(const std::string& machine,
                                                                             const SecretName& name,
                                                                             const std::string& reason,
                                                                             Batch& batch) {
  SecretList list = GRANTFS_TRY(FetchSecret(name));
  KnownStore::Verified appended{list.id(), {}, {}};
  std::vector<Ended> ended;
  const auto grants = list.grants();
  for (const auto& [key, standing] : grants) {
    const Grantee& grantee = standing.grant.grantee;
    if (!IsMachine(grantee, machine)) continue;
    ended.push_back({name, grantee.number, grantee.id, grantee.kind == GranteeKind::kGroup});
    appended.statements.push_back(GRANTFS_TRY(
        Next(list, keeper_->UpperOf(name.environment), GrantRevoke{grantee.kind, grantee.number}, reason)));
  }
  if (!ended.empty()) batch.push_back(std::move(appended));
  return ended;
}

Result<std::optional<ReadReport>> OwnerSessionImpl::ReadsOf(const Hash& machine, const SecretName& secret) {
  api::AuditSearchRequest request;
  request.environment = secret.environment;
  request.object = secret.Full();
  request.actor = machine.Hex();
  ReadReport report;
  report.secret = secret;
  std::set<std::uint32_t> versions;
  GRANTFS_CHECK(EachFound(std::move(request), 0, [&](const AuditEntry& entry) {
    const AuditLine line = LineOf(entry);
    if (!IsRead(line)) return;
    versions.insert(line.version);
    report.last = std::max(report.last, line.lease ? std::max(line.read_ms / 1000, line.last) : line.time);
  }));
  if (versions.empty()) return std::optional<ReadReport>();
  report.versions.assign(versions.begin(), versions.end());
  return std::optional<ReadReport>(std::move(report));
}

Result<std::optional<ReadReport>> OwnerSessionImpl::ReportOf(const Hash& machine, const SecretName& secret) {
  auto report = GRANTFS_TRY(ReadsOf(machine, secret));
  if (!report) return report;
  const SecretList list = GRANTFS_TRY(FetchSecret(secret));
  const auto* current = list.Current();
  report->holds_current = current != nullptr && std::find(report->versions.begin(), report->versions.end(),
                                                          current->publish.version) != report->versions.end();
  return report;
}

Result<RevokeResult> OwnerSessionImpl::RevokeListed(const std::string& machine,
                                                    const std::vector<SecretName>& secrets,
                                                    const std::string& reason, bool each,
                                                    std::chrono::milliseconds wait) {
  RevokeResult result;
  result.machine = machine;
  std::uint64_t change = 0;
  std::vector<Ended> all;
  for (std::size_t begun = 0; begun < secrets.size(); begun += kListsAtOnce) {
    const std::size_t end = std::min(begun + kListsAtOnce, secrets.size());
    const auto ended = Retry([&]() -> Result<std::vector<Ended>> {
      GRANTFS_CHECK(EnterAll(std::span(secrets).subspan(begun, end - begun), Operation::kGrant));
      Batch batch;
      std::vector<Ended> made;
      for (std::size_t at = begun; at < end; ++at) {
        const auto one = GRANTFS_TRY(PrepareRevoke(machine, secrets[at], reason, batch));
        Report("revoking", at + 1, secrets.size());
        if (one.empty() && each) {
          return Error{Code::kNotFound,
                       "it is granted to nobody of that name: grantfs grants shows what is, and to whom",
                       0, machine + " " + secrets[at].Full()};
        }
        std::copy(one.begin(), one.end(), std::back_inserter(made));  // none: somebody else was quicker
      }
      if (!batch.empty()) change = GRANTFS_TRY(Submit(batch));
      return made;
    });
    if (!ended) return Halfway(ended.error(), begun, secrets.size());
    std::copy(ended->begin(), ended->end(), std::back_inserter(all));
  }
  // What it has read is asked for afterwards: no read can come after the revocation.
  for (const Ended& one : all) {
    if (result.revoked.empty() || result.revoked.back() != one.secret) result.revoked.push_back(one.secret);
    if (one.group) continue;  // whose machines have read it, grantfs audit readers says
    auto report = ReportOf(one.id, one.secret);
    result.reads_known = result.reads_known && report.has_value();
    if (report && *report) result.read.push_back(std::move(**report));
  }
  const auto newest = std::max_element(all.begin(), all.end(),
                                       [](const Ended& a, const Ended& b) { return a.number < b.number; });
  for (const Ended& one : all) {
    const auto known = [&](const EnvironmentDelivery& told) { return told.environment == one.secret.environment; };
    if (!one.group || std::any_of(result.followed.begin(), result.followed.end(), known)) continue;
    result.followed.push_back(WaitForGroup(one.secret.environment, one.number, change, wait));
    result.followed.back().environment = one.secret.environment;
  }
  if (newest != all.end() && !newest->group) result.delivery = WaitFor(newest->id, change, wait);
  return result;
}

Result<RevokeResult> OwnerSessionImpl::RevokeFrom(const std::string& machine,
                                                  const std::vector<SecretName>& secrets,
                                                  const std::string& reason, std::chrono::milliseconds wait) {
  return RevokeListed(machine, secrets, reason, true, wait);
}

Result<RevokeResult> OwnerSessionImpl::RevokeAll(const std::string& machine, const std::string& reason,
                                                 std::chrono::milliseconds wait) {
  std::vector<SecretName> granted;
  const auto mine = GRANTFS_TRY(SecretsOfMine());
  std::size_t done = 0;
  for (const Listed& listed : mine) {
    const SecretList list = GRANTFS_TRY(keeper_->RefreshSecret(listed.number, listed.name, listed.head));
    if (IsGrantedTo(list, machine)) granted.push_back(listed.name);
    Report("verifying", ++done, mine.size());
  }
  return RevokeListed(machine, granted, reason, false, wait);
}

}  // namespace grantfs

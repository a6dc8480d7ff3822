#include <algorithm>
#include <set>

#include "audit_line_internal.h"
#include "grantfs/api/audit.h"
#include "owner_internal.h"
#include "problem_internal.h"

namespace grantfs {
namespace {

bool IsGrantedTo(const SecretList& list, const std::string& machine) {
  return std::any_of(list.grants().begin(), list.grants().end(), [&](const auto& one) {
    const Grantee& grantee = one.second.grant.grantee;
    return grantee.name == machine || grantee.id.Hex() == machine;
  });
}

}  // namespace

Result<std::optional<Grantee>> OwnerSessionImpl::RevokeOnce(const std::string& machine, const Listed& secret,
                                                            const std::string& reason,
                                                            std::uint64_t* change) {
  GRANTFS_CHECK(Enter(secret.name.environment, Operation::kGrant));
  SecretList list = GRANTFS_TRY(FetchSecret(secret.name));
  KnownStore::Verified appended{list.id(), {}, {}};
  std::optional<Grantee> revoked;
  const auto grants = list.grants();
  for (const auto& [key, standing] : grants) {
    const Grantee& grantee = standing.grant.grantee;
    if (grantee.kind != GranteeKind::kMachine || (grantee.name != machine && grantee.id.Hex() != machine))
      continue;
    revoked = grantee;
    appended.statements.push_back(GRANTFS_TRY(Next(list, keeper_->UpperOf(secret.name.environment),
                                                   GrantRevoke{grantee.kind, grantee.number}, reason)));
  }
  if (revoked) *change = GRANTFS_TRY(Submit({appended}));
  return revoked;
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
    report.last = std::max(report.last, line.time);
  }));
  if (versions.empty()) return std::optional<ReadReport>();
  report.versions.assign(versions.begin(), versions.end());
  return std::optional<ReadReport>(std::move(report));
}

Result<RevokeResult> OwnerSessionImpl::RevokeListed(const std::string& machine,
                                                    const std::vector<Listed>& secrets,
                                                    const std::string& reason,
                                                    std::chrono::milliseconds wait) {
  RevokeResult result;
  result.machine = machine;
  std::uint64_t change = 0;
  std::optional<Grantee> grantee;
  std::size_t done = 0;
  for (const Listed& secret : secrets) {
    const auto revoked = GRANTFS_TRY(Retry([&] { return RevokeOnce(machine, secret, reason, &change); }));
    Report("revoking", ++done, secrets.size());
    if (!revoked) continue;
    grantee = revoked;
    result.revoked.push_back(secret.name);
    // What it has read is asked for afterwards: no read can come after the revocation.
    auto report = ReadsOf(revoked->id, secret.name);
    result.reads_known = result.reads_known && report.has_value();
    if (!report || !*report) continue;
    const SecretList list = GRANTFS_TRY(FetchSecret(secret.name));
    const auto* current = list.Current();
    const auto& read = (*report)->versions;
    (*report)->holds_current =
        current != nullptr && std::find(read.begin(), read.end(), current->publish.version) != read.end();
    result.read.push_back(std::move(**report));
  }
  if (grantee) result.delivery = WaitFor(grantee->id, change, wait);
  return result;
}

Result<RevokeResult> OwnerSessionImpl::RevokeFrom(const std::string& machine,
                                                  const std::vector<SecretName>& secrets,
                                                  const std::string& reason, std::chrono::milliseconds wait) {
  std::vector<Listed> listed;
  for (const SecretName& name : secrets) {
    // Before anything is revoked: a mistyped name must not leave half of it done.
    GRANTFS_CHECK(Enter(name.environment, Operation::kGrant));
    if (!IsGrantedTo(GRANTFS_TRY(FetchSecret(name)), machine)) {
      return Error{Code::kNotFound, "it is not granted to this machine: grantfs grants shows what is", 0,
                   machine + " " + name.Full()};
    }
    listed.push_back({name, 0, {}});
  }
  return RevokeListed(machine, listed, reason, wait);
}

Result<RevokeResult> OwnerSessionImpl::RevokeAll(const std::string& machine, const std::string& reason,
                                                 std::chrono::milliseconds wait) {
  std::vector<Listed> granted;
  const auto mine = GRANTFS_TRY(SecretsOfMine());
  std::size_t done = 0;
  for (const Listed& listed : mine) {
    const SecretList list = GRANTFS_TRY(keeper_->RefreshSecret(listed.number, listed.name, listed.head));
    if (IsGrantedTo(list, machine)) granted.push_back(listed);
    Report("verifying", ++done, mine.size());
  }
  return RevokeListed(machine, granted, reason, wait);
}

}  // namespace grantfs

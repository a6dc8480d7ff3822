#include <algorithm>
#include <map>

#include "audit_line_internal.h"
#include "grantfs/api/audit.h"
#include "owner_internal.h"

namespace grantfs {

struct OwnerSessionImpl::Uses {
  std::map<std::string, std::int64_t> acts;                           ///< by whom
  std::map<std::pair<std::string, std::string>, std::int64_t> reads;  ///< by whom, of what
};

Result<OwnerSessionImpl::Uses> OwnerSessionImpl::UsesIn(const std::string& environment) {
  Uses uses;
  std::uint64_t done = 0;
  api::AuditSearchRequest request;
  request.environment = environment;
  const auto later = [](std::int64_t& known, std::int64_t time) { known = std::max(known, time); };
  GRANTFS_CHECK(EachFound(std::move(request), 0, [&](const AuditEntry& entry) {
    const AuditLine line = LineOf(entry);
    const std::int64_t time = line.lease ? std::max(line.read_ms / 1000, line.last) : line.time;
    if (++done % 1000 == 0) Report("reading the audit log", done, 0);
    if (line.actor_id.empty()) return;
    later(uses.acts[line.actor_id], time);
    if (IsRead(line)) later(uses.reads[{line.actor_id, line.object}], time);
  }));
  return uses;
}

Status OwnerSessionImpl::ReviewGrants(const std::string& environment, const Uses& uses,
                                      ReviewResult& result) {
  const auto names = GRANTFS_TRY(ListNames(environment, {}));
  std::size_t done = 0;
  for (const Listed& listed : names) {
    const auto list = keeper_->RefreshSecret(listed.number, listed.name, listed.head);
    Report("verifying", ++done, names.size());
    if (!list) {
      if (list.error().code != Code::kIntegrity) return list.error();
      result.refused.push_back(listed.name);
      continue;
    }
    for (const GrantInfo& grant : GrantsOf(listed.name, *list)) {
      const auto read = uses.reads.find({grant.machine_id, listed.name.Full()});
      const std::int64_t last = read == uses.reads.end() ? 0 : read->second;
      if (std::max(last, grant.time) >= result.before) continue;
      result.grants.push_back({listed.name, grant.machine, grant.machine_id, grant.time, last});
    }
  }
  return {};
}

void OwnerSessionImpl::ReviewMembers(const std::string& environment, const Uses& uses, ReviewResult& result) {
  const EnvironmentList& list = *keeper_->FindEnvironment(environment);
  std::vector<UnusedMember> unused;
  for (const auto& [id, member] : list.members()) {
    if (!member.present) continue;
    const auto act = uses.acts.find(id.Hex());
    const std::int64_t last = act == uses.acts.end() ? 0 : act->second;
    const std::int64_t since = list.At(member.tenures.back().from)->statement().time;
    if (std::max(last, since) >= result.before) continue;
    unused.push_back({environment,
                      {member.identity.name, member.identity.kind, id.Hex(), member.identity.Fingerprint(),
                       member.role, member.prefix, keeper_->vault().IsRemoved(id)},
                      since,
                      last});
  }
  std::sort(unused.begin(), unused.end(),
            [](const auto& a, const auto& b) { return a.member.name < b.member.name; });
  std::move(unused.begin(), unused.end(), std::back_inserter(result.members));
}

Result<ReviewResult> OwnerSessionImpl::Review(std::int64_t seconds) {
  ReviewResult result;
  result.before = Now() - seconds;
  GRANTFS_CHECK(keeper_->RefreshVault());
  for (const std::string& environment : GRANTFS_TRY(EnvironmentsWith(Operation::kReadAudit))) {
    const auto role = keeper_->FindEnvironment(environment)->RoleOf(me_.Id());
    if (!RoleAllows(*role, Operation::kList)) continue;
    result.environments.push_back(environment);
    const Uses uses = GRANTFS_TRY(UsesIn(environment));
    GRANTFS_CHECK(ReviewGrants(environment, uses, result));
    ReviewMembers(environment, uses, result);
  }
  if (!result.environments.empty()) return result;
  return Error{
      Code::kDenied,
      "there is no environment whose secrets and audit log you may see; its owners and operators can", 0,
      home_.profile().name};
}

}  // namespace grantfs

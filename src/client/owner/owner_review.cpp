#include <algorithm>
#include <map>
#include <set>

#include "client/log/audit_line_internal.h"
#include "grantfs/api/audit.h"
#include "grantfs/client/readership.h"
#include "owner_internal.h"

namespace grantfs {

struct OwnerSessionImpl::Uses {
  std::map<std::string, std::int64_t> acts;                          ///< by whom
  std::map<std::string, std::map<std::string, std::int64_t>> reads;  ///< of what, by whom
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
    if (IsRead(line)) later(uses.reads[line.object][line.actor_id], time);
  }));
  return uses;
}

/// How the grants of one environment are used. A read counts for the grant by which its reader reads now. It
/// looks at what was read, at what is granted, and at who is in a group: never at every secret for every
/// machine.
class OwnerSessionImpl::Reviewing {
 public:
  Reviewing(const std::vector<GroupSurvey>& groups, const Uses& uses, std::int64_t now, ReviewResult& result)
      : groups_(groups), readership_({}, groups), uses_(uses), now_(now), result_(result) {
    for (const GroupSurvey& group : groups)
      for (const GroupMachine& machine : group.machines) members_[group.id].insert(machine.id);
  }

  void Secret(const SecretName& name, const std::vector<GrantInfo>& grants) {
    std::vector<const GrantInfo*> through;
    std::map<std::string, const GrantInfo*> own;
    for (const GrantInfo& grant : grants) {
      if (IsGroupName(grant.machine))
        through.push_back(&grant);
      else
        own.emplace(grant.machine_id, &grant);
    }
    for (const GrantInfo* prefix : readership_.Covering(name)) through.push_back(prefix);
    if (const auto read = uses_.reads.find(name.Full()); read != uses_.reads.end()) {
      for (const auto& [actor, time] : read->second) Count(actor, time, own, through);
    }
    for (const GrantInfo& grant : grants) Judge(grant);
    for (const GrantInfo& grant : grants) last_.erase(&grant);  // the next secret's may lie where they did
  }

  void Finish() {
    for (const GroupSurvey& group : groups_) {
      for (const GrantInfo& prefix : group.prefixes) Judge(prefix);
    }
    for (const GroupSurvey& group : groups_) {
      const auto since = granted_since_.find(group.id);
      if (since != granted_since_.end()) JudgeMachines(group, since->second);
    }
  }

 private:
  void Count(const std::string& actor, std::int64_t time, const std::map<std::string, const GrantInfo*>& own,
             const std::vector<const GrantInfo*>& through) {
    GrantChoice choice;
    if (const auto grant = own.find(actor); grant != own.end()) choice.Offer(*grant->second, now_);
    for (const GrantInfo* grant : through) {
      const auto members = members_.find(grant->machine_id);
      if (members != members_.end() && members->second.contains(actor)) choice.Offer(*grant, now_);
    }
    if (choice.grant == nullptr) return;
    Later(last_[choice.grant], time);
    Later(read_by_[{choice.grant->machine_id, actor}], time);
  }

  void Judge(const GrantInfo& grant) {
    if (IsGroupName(grant.machine)) {
      const GroupSurvey* group = readership_.FindGroup(grant.machine_id);
      if (group == nullptr) return;  // it is gone, and what it was granted reads nothing
      const std::string name = group->environment + "@" + group->name;
      if (!group->members_known) {
        if (unjudged_.insert(name).second) result_.unjudged.push_back(name);
        return;
      }
      const auto [since, first] = granted_since_.emplace(group->id, grant.time);
      if (!first) since->second = std::min(since->second, grant.time);
    }
    const auto read = last_.find(&grant);
    const std::int64_t last = read == last_.end() ? 0 : read->second;
    if (std::max(last, grant.time) >= result_.before) return;
    result_.grants.push_back({grant.secret, grant.machine, grant.machine_id, grant.time, last, grant.prefix});
  }

  void JudgeMachines(const GroupSurvey& group, std::int64_t granted_since) {
    std::vector<UnusedInGroup> unused;
    for (const GroupMachine& machine : group.machines) {
      const auto read = read_by_.find({group.id, machine.id});
      const std::int64_t last = read == read_by_.end() ? 0 : read->second;
      if (std::max({last, machine.since, granted_since}) >= result_.before) continue;
      unused.push_back({group.environment + "@" + group.name, machine.name, machine.id, machine.since, last});
    }
    std::sort(unused.begin(), unused.end(),
              [](const auto& a, const auto& b) { return a.machine < b.machine; });
    std::move(unused.begin(), unused.end(), std::back_inserter(result_.machines));
  }

  static void Later(std::int64_t& known, std::int64_t time) { known = std::max(known, time); }

  const std::vector<GroupSurvey>& groups_;
  const Readership readership_;
  const Uses& uses_;
  const std::int64_t now_;
  ReviewResult& result_;
  std::map<std::string, std::set<std::string>> members_;  ///< of groups, by id
  std::map<const GrantInfo*, std::int64_t> last_;         ///< read by it; of one secret's, and by prefix
  std::map<std::pair<std::string, std::string>, std::int64_t> read_by_;  ///< by group and machine
  std::map<std::string, std::int64_t> granted_since_;                    ///< by the group: its oldest grant
  std::set<std::string> unjudged_;
};

Status OwnerSessionImpl::ReviewGrants(const std::string& environment, const Uses& uses,
                                      ReviewResult& result) {
  const auto groups = GRANTFS_TRY(GroupsIn(environment, nullptr));
  Reviewing reviewing(groups, uses, Now(), result);
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
    reviewing.Secret(listed.name, GrantsOf(listed.name, *list));
  }
  reviewing.Finish();
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
  result.unseen = EnvironmentsBeside(result.environments);
  if (!result.environments.empty()) return result;
  return Error{
      Code::kDenied,
      "there is no environment whose secrets and audit log you may see; its owners and operators can", 0,
      home_.profile().name};
}

}  // namespace grantfs

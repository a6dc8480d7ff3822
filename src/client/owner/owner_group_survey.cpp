// Groups as reports tell of them: who is in one, since when, and what it is granted by prefix.

#include <map>

#include "owner_internal.h"

namespace grantfs {
namespace {

/// When those that were added by name were.
std::map<std::uint64_t, std::int64_t> AddedAt(const GroupList& list) {
  std::map<std::uint64_t, std::int64_t> added;
  for (const auto& statement : list.Statements()) {
    const Statement& said = statement->statement();
    if (list.IsVoided(said.sequence)) continue;
    if (const auto* add = std::get_if<GroupMachinesAdd>(&said.act)) {
      for (const Grantee& machine : add->machines) added.emplace(machine.number, said.time);
    } else if (const auto* remove = std::get_if<GroupMachinesRemove>(&said.act)) {
      for (const std::uint64_t machine : remove->machines) added.erase(machine);
    }
  }
  return added;
}

}  // namespace

// The copies are looked through: reading a group's list may bring a newer one of its environment.
Result<std::vector<GroupSurvey>> OwnerSessionImpl::GroupsIn(const std::string& environment,
                                                            const std::set<std::uint64_t>* only) {
  std::vector<GroupSurvey> all;
  const EnvironmentList list = *keeper_->FindEnvironment(environment);
  const bool owner = list.RoleOf(me_.Id()) == Role::kOwner;
  const std::vector<GrantInfo> prefixes = PrefixGrantsIn(list);
  bool machines = false;
  for (const auto& [number, group] : list.groups().all()) {
    if (only != nullptr && !only->contains(number)) continue;
    GroupSurvey survey;
    survey.environment = environment;
    survey.name = group.name;
    survey.number = number;
    survey.id = group.genesis.Hex();
    survey.members_known = owner;
    survey.environment_head = *list.head();
    for (const GrantInfo& prefix : prefixes) {
      if (prefix.grant.grantee.number == number &&
          list.groups().FindPrefix({prefix.secret.path, number}) != nullptr)
        survey.prefixes.push_back(prefix);
    }
    if (owner) {
      if (!machines) GRANTFS_CHECK(keeper_->RefreshMachines());
      machines = true;
      const GroupList members = GRANTFS_TRY(keeper_->RefreshGroup(environment, number));
      const auto added = AddedAt(members);
      for (const auto& [at, machine] : members.Members(keeper_->machines())) {
        const auto since = added.find(at);
        survey.machines.push_back(
            {machine.name, machine.id.Hex(),
             since != added.end() ? since->second : keeper_->machines().machines().at(at).approved});
      }
    }
    all.push_back(std::move(survey));
  }
  return all;
}

Result<std::vector<GroupSurvey>> OwnerSessionImpl::SurveyGroups() {
  GRANTFS_CHECK(keeper_->RefreshVault());
  std::vector<GroupSurvey> all;
  for (const std::string& environment : GRANTFS_TRY(EnvironmentsWith(Operation::kList))) {
    for (GroupSurvey& group : GRANTFS_TRY(GroupsIn(environment, nullptr))) all.push_back(std::move(group));
  }
  return all;
}

}  // namespace grantfs

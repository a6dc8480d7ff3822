// Groups: who is in them, and their keys.

#include <algorithm>

#include "client/connection/problem_internal.h"
#include "grantfs/api/secrets.h"
#include "grantfs/log/log.h"
#include "owner_internal.h"

namespace grantfs {
namespace {

/// The machine of that name that is in the group, or was when it was removed from the vault.
std::optional<std::uint64_t> MachineIn(const GroupList& group, const MachinesList& machines,
                                       const std::string& name) {
  std::optional<std::uint64_t> found;
  for (const auto& [number, machine] : machines.machines()) {
    const bool named = machine.identity.name == name || machine.identity.Id().Hex() == name;
    if (named && group.Includes(machine)) found = number;
  }
  return found;
}

}  // namespace

// What one who leaves signed in the lists of groups needs a successor too.
Status OwnerSessionImpl::VouchInGroups(const EnvironmentList& after, const std::string& reason) {
  const UpperLists now = keeper_->UpperOf(after.name());
  Batch batch;
  for (const auto& [number, group] : keeper_->FindEnvironment(after.name())->groups().all()) {
    GroupList list = GRANTFS_TRY(keeper_->RefreshGroup(after.name(), number));
    if (!list.CheckStanding({now.vault, &after}))
      batch.push_back({list.id(), {GRANTFS_TRY(Next(list, now, Vouch{}, reason))}, {}});
  }
  if (!batch.empty()) GRANTFS_TRY(Submit(batch));
  return {};
}

Result<std::vector<Grantee>> OwnerSessionImpl::MachinesNamed(const std::vector<std::string>& names) const {
  std::map<std::uint64_t, Grantee> found;
  for (const std::string& name : names) {
    const auto* machine = keeper_->machines().FindByName(name);
    if (machine == nullptr)
      return Error{Code::kNotFound, "there is no such machine: invite it with grantfs invite", 0, name};
    const Identity& who = machine->identity;
    if (keeper_->vault().IsRemoved(who.Id()))
      return Error{Code::kDenied, "the machine was removed and can be in no group", 0, name};
    if (who.not_after != 0 && who.not_after <= Now())
      return Error{Code::kExpired, "the machine's identity has expired: enrol it anew", 0, name};
    found[machine->number] = {GranteeKind::kMachine, machine->number, who.Id(), who.name, who.seal,
                              who.not_after};
  }
  std::vector<Grantee> all;
  for (auto& [number, grantee] : found) all.push_back(std::move(grantee));
  return all;
}

// By the hundred, which is as many as a statement holds.
Result<std::vector<SignedList::StatementPtr>> OwnerSessionImpl::NextMachines(
    GroupList& list, const UpperLists& upper, const std::vector<Grantee>& machines, const UnsealKey& key,
    std::uint32_t epoch, const std::string& reason) {
  std::vector<StatementPtr> made;
  for (std::size_t from = 0; from < machines.size(); from += kMaxGroupMachines) {
    GroupMachinesAdd add;
    add.epoch = epoch;
    std::vector<GroupCopyTarget> targets;
    for (std::size_t i = from; i < std::min(from + kMaxGroupMachines, machines.size()); ++i) {
      add.machines.push_back(machines[i]);
      targets.push_back({{RecipientKind::kMachine, machines[i].number, 0}, machines[i].seal});
    }
    const auto copies = GRANTFS_TRY(SealGroupKey(key, targets));
    add.copies_root = GroupCopiesRoot(copies);
    GRANTFS_CHECK(StageGroup(list.id().environment, list.id().number, epoch, copies));
    made.push_back(GRANTFS_TRY(Next(list, upper, add, reason)));
  }
  return made;
}

Status OwnerSessionImpl::EnterGroups(const std::string& environment) {
  GRANTFS_CHECK(Enter(environment, Operation::kManageMembers));
  return keeper_->RefreshMachines();
}

Result<GroupChange> OwnerSessionImpl::CreateGroup(const std::string& environment, const std::string& name,
                                                  const std::vector<std::string>& machines,
                                                  const GroupOptions& options) {
  GRANTFS_CHECK(CheckIdentityName(name));
  GroupChange change{environment, name, {}, {}, {}};
  std::uint64_t number = 0;
  bool two = false;
  const auto done = Retry([&]() -> Result<std::uint64_t> {
    GRANTFS_CHECK(EnterGroups(environment));
    EnvironmentList list = *keeper_->FindEnvironment(environment);
    if (list.groups().FindByName(name) != nullptr)
      return Settled({Code::kConflict, "the group exists already", 0, "@" + name + " of " + environment});
    const auto members = GRANTFS_TRY(MachinesNamed(machines));
    const UpperLists upper = keeper_->UpperOf(environment);
    two = list.two_owners();
    GroupList group(environment, list.next_sequence());
    KnownStore::Verified made{group.id(), {}, {}};
    made.statements.push_back(GRANTFS_TRY(
        Next(group, upper, GroupListCreate{environment, group.id().number, name}, options.reason)));
    const auto epoch = GRANTFS_TRY(MakeGroupEpoch({EnvironmentTarget(keeper_->vault(), list)}, 1, nullptr));
    const Hash genesis = *group.HashAt(0);
    const auto created = GRANTFS_TRY(Next(
        list, {&keeper_->vault(), nullptr},
        GroupCreate{name, genesis, {epoch.epoch, list.newest_epoch().number, 0, genesis}}, options.reason));
    GRANTFS_CHECK(StageGroup(environment, group.id().number, 1, epoch.copies));
    if (!two) {
      for (auto& one : GRANTFS_TRY(NextMachines(group, upper, members, epoch.key, 1, options.reason)))
        made.statements.push_back(std::move(one));
    }
    change.machines = MachineNamesOf(members);
    number = group.id().number;
    return Submit({{list.id(), {created}, {}}, std::move(made)});
  });
  if (!done) return done.error();
  if (two && !machines.empty()) {  // one owner makes a group; two put machines into it
    auto asked = AddToGroup(environment, name, machines, options);
    if (!asked)
      Log(LogLevel::kWarning, "the group is made, without machines: grantfs group add asks for them",
          asked.error());
    return asked;
  }
  change.followed = WaitForGroup(environment, number, *done, options.wait);
  return change;
}

Result<GroupChange> OwnerSessionImpl::AddToGroup(const std::string& environment, const std::string& name,
                                                 const std::vector<std::string>& machines,
                                                 const GroupOptions& options) {
  GroupChange change{environment, name, {}, {}, {}};
  std::uint64_t number = 0;
  std::vector<AskConsent::Item> waiting;
  const auto done = Retry([&]() -> Result<std::uint64_t> {
    GRANTFS_CHECK(EnterGroups(environment));
    const EnvironmentList& list = *keeper_->FindEnvironment(environment);
    GroupList group = GRANTFS_TRY(FetchGroup(environment, name));
    number = group.id().number;
    auto members = GRANTFS_TRY(MachinesNamed(machines));
    const auto there = group.Members(keeper_->machines());
    std::erase_if(members, [&](const Grantee& one) { return there.contains(one.number); });
    change.machines = MachineNamesOf(members);
    waiting.clear();
    if (members.empty()) return 0;
    if (list.two_owners()) {  // the group's key is sealed by the owner who signs second
      waiting = ConsentToMachines(group, keeper_->UpperOf(environment), members);
      return 0;
    }
    const auto& standing = *list.groups().Find(number);
    const UnsealKey key = GRANTFS_TRY(GroupKeyOf(list, standing));
    KnownStore::Verified made{group.id(), {}, {}};
    made.statements = GRANTFS_TRY(NextMachines(group, keeper_->UpperOf(environment), members, key,
                                               standing.newest().epoch.number, options.reason));
    return Submit({std::move(made)});
  });
  if (!done) return done.error();
  if (!waiting.empty())
    change.waiting = GRANTFS_TRY(Propose(environment, std::move(waiting), options.reason));
  if (*done != 0) change.followed = WaitForGroup(environment, number, *done, options.wait);
  return change;
}

Result<std::uint64_t> OwnerSessionImpl::TakeOut(const std::string& environment, GroupList group,
                                                const std::vector<std::uint64_t>& machines,
                                                const std::string& reason) {
  EnvironmentList list = *keeper_->FindEnvironment(environment);
  const UnsealKey key = GRANTFS_TRY(GroupKeyOf(list, *list.groups().Find(group.id().number)));
  KnownStore::Verified left{group.id(), {}, {}};
  for (std::size_t from = 0; from < machines.size(); from += kMaxGroupMachinesRemoved) {
    const std::size_t end = std::min(from + kMaxGroupMachinesRemoved, machines.size());
    GroupMachinesRemove remove;
    remove.machines.assign(machines.begin() + static_cast<std::ptrdiff_t>(from),
                           machines.begin() + static_cast<std::ptrdiff_t>(end));
    left.statements.push_back(GRANTFS_TRY(Next(group, keeper_->UpperOf(environment), remove, reason)));
  }
  const auto started =
      GRANTFS_TRY(NextGroupEpoch(list, {&keeper_->vault(), &keeper_->machines()}, group, key, reason));
  Batch batch;
  if (!left.statements.empty()) batch.push_back(std::move(left));
  batch.push_back({list.id(), {started}, {}});
  return Submit(batch);
}

Result<GroupChange> OwnerSessionImpl::RemoveFromGroup(const std::string& environment, const std::string& name,
                                                      const std::vector<std::string>& machines,
                                                      const GroupOptions& options) {
  GroupChange change{environment, name, {}, {}, {}};
  std::uint64_t number = 0;
  std::vector<std::uint64_t> gone;
  const auto done = Retry([&]() -> Result<std::uint64_t> {
    GRANTFS_CHECK(EnterGroups(environment));
    GroupList group = GRANTFS_TRY(FetchGroup(environment, name));
    number = group.id().number;
    std::set<std::uint64_t> leaving;
    for (const std::string& machine : machines) {
      const auto at = MachineIn(group, keeper_->machines(), machine);
      if (!at)
        return Error{Code::kNotFound, "is not in the group: grantfs group list shows who is", 0,
                     machine + " of @" + name};
      leaving.insert(*at);
    }
    gone.assign(leaving.begin(), leaving.end());
    change.machines = machines;
    return TakeOut(environment, std::move(group), gone, options.reason);
  });
  if (!done) return done.error();
  change.followed = WaitForMachines("those that left @" + name, gone, *done, options.wait);
  return change;
}

Status OwnerSessionImpl::DeleteGroup(const std::string& environment, const std::string& name,
                                     const GroupOptions& options) {
  return Retry([&]() -> Status {
    GRANTFS_CHECK(Enter(environment, Operation::kManageMembers));
    EnvironmentList list = *keeper_->FindEnvironment(environment);
    const auto* group = list.groups().FindByName(name);
    if (group == nullptr) return NoGroup(environment, name);
    const auto made =
        GRANTFS_TRY(Next(list, {&keeper_->vault(), nullptr}, GroupDelete{group->number}, options.reason));
    GRANTFS_TRY(Submit({{list.id(), {made}, {}}}));
    return {};
  });
}

Result<std::vector<GroupInfo>> OwnerSessionImpl::ListGroups(const std::string& environment,
                                                            const std::string& name) {
  GRANTFS_CHECK(Enter(environment, Operation::kList));
  const EnvironmentList& list = *keeper_->FindEnvironment(environment);
  const bool owner = list.RoleOf(me_.Id()) == Role::kOwner;
  if (owner) GRANTFS_CHECK(keeper_->RefreshMachines());
  std::vector<GroupInfo> all;
  for (const auto& [number, group] : list.groups().all()) {
    if (!name.empty() && group.name != name) continue;
    GroupInfo info;
    info.name = group.name;
    info.number = number;
    info.epoch = group.newest().epoch.number;
    for (const auto& [key, standing] : list.groups().prefixes()) {
      if (key.second == number) info.prefixes.push_back(environment + "/" + key.first);
    }
    if (owner) {
      const GroupList members = GRANTFS_TRY(keeper_->RefreshGroup(environment, number));
      info.members_known = true;
      for (const auto& [machine, grantee] : members.Members(keeper_->machines()))
        info.machines.push_back(grantee.name);
      for (const auto& [invitation, entry] : members.invitations())
        info.invitations += entry.InForce(Now()) ? 1 : 0;
    }
    all.push_back(std::move(info));
  }
  if (!name.empty() && all.empty()) return NoGroup(environment, name);
  return all;
}

}  // namespace grantfs

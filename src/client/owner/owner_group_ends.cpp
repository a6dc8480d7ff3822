// What an environment owes its groups, and the end of a machine in them.

#include <algorithm>

#include "owner_internal.h"

namespace grantfs {
namespace {

/// Machines whose life has ended and that have the group's newest key, which began before that: nobody starts
/// the next one because of them alone.
std::string TellEnded(const EnvironmentList& environment, const EnvironmentGroups::Group& group,
                      const GroupList& members, const MachinesList& machines, const VaultList& vault,
                      std::int64_t now) {
  constexpr std::size_t kNamed = 3;
  const auto start = environment.At(group.newest_sequence);
  const std::int64_t since = start == nullptr ? 0 : start->statement().time;
  std::vector<const Identity*> ended;
  for (const auto& [number, machine] : machines.machines()) {
    const Identity& who = machine.identity;
    const bool had = machine.HasEnded(now) && since < who.not_after && members.Includes(machine) &&
                     (!environment.two_owners() || members.IsByTwo(machine));
    if (had && !machine.removed && !vault.IsRemoved(who.Id())) ended.push_back(&who);
  }
  if (ended.empty()) return {};
  std::string names = ended[0]->name;
  for (std::size_t i = 1; i < std::min(ended.size(), kNamed); ++i) names += ", " + ended[i]->name;
  if (ended.size() > kNamed) names += " and " + std::to_string(ended.size() - kNamed) + " more";
  const std::string command = environment.name() + " " + group.name + " " + ended[0]->Id().Hex();
  if (ended.size() == 1)
    return names + ", whose life has ended, has the key of @" + group.name + " of " + environment.name() +
           ": run grantfs group remove " + command;
  return names + ", whose lives have ended, have the key of @" + group.name + " of " + environment.name() +
         ": run grantfs group remove " + command + ", which starts one that none of them has";
}

}  // namespace

Status OwnerSessionImpl::CheckGroupsOwed(const std::string& environment, std::vector<std::string>& owed) {
  const EnvironmentList list =
      *keeper_->FindEnvironment(environment);  // its groups' lists may bring a newer one
  if (list.groups().all().empty()) return {};
  GRANTFS_CHECK(keeper_->RefreshMachines());
  const VaultList& vault = keeper_->vault();
  for (const auto& [number, group] : list.groups().all()) {
    const GroupList members = GRANTFS_TRY(keeper_->RefreshGroup(environment, number));
    const std::string name = "@" + group.name + " of " + environment;
    for (const auto& [at, machine] : keeper_->machines().machines()) {
      if (!members.Includes(machine) || !(machine.removed || vault.IsRemoved(machine.identity.Id())))
        continue;
      owed.push_back(machine.identity.name + " was removed from the vault and has the key of " + name +
                     ": run grantfs group remove " + environment + " " + group.name + " " +
                     machine.identity.Id().Hex());
    }
    if (std::string ended = TellEnded(list, group, members, keeper_->machines(), vault, Now());
        !ended.empty())
      owed.push_back(std::move(ended));
    for (const auto& [at, invitation] : members.invitations()) {
      const auto standing = keeper_->machines().standing().find(invitation.act.id);
      if (!invitation.open) continue;
      if (standing == keeper_->machines().standing().end()) {
        owed.push_back("an invitation that the list of machines does not have leads into " + name +
                       ": run grantfs invitation withdraw " + invitation.act.id);
        continue;
      }
      const std::string& pattern = standing->second.invitation.pattern;
      const bool ended = standing->second.withdrawn || standing->second.invitation.expires <= Now();
      const bool orphaned = !ended && !vault.IsOwner(standing->second.issuer);
      if (ended || orphaned)
        owed.push_back("who holds a standing invitation " +
                       (ended ? "that has ended (" + pattern + ")"
                              : "of one who owns the vault no more (" + pattern + ")") +
                       " has the key of " + name + ": run grantfs invitation withdraw " + invitation.act.id);
    }
    if (list.two_owners()) {
      const auto lacking = members.FindSignedByOne(keeper_->machines(), vault, Now());
      for (const Grantee& machine : lacking.machines)
        owed.push_back(machine.name + " is in " + name +
                       " by one owner's signature, and gets none of its next keys: run "
                       "grantfs group remove " +
                       environment + " " + group.name + " " + machine.name +
                       ", and grantfs group add if it belongs there");
      for (const GroupInvitationAdd& one : lacking.invitations)
        owed.push_back("a standing invitation leads into " + name +
                       " by one owner's signature, and gets none of its next "
                       "keys: run grantfs invitation withdraw " +
                       one.id);
    }
    if (GRANTFS_TRY(members.EpochIsDue(group)) || list.groups().OwesEpoch(group, list.newest_epoch().number))
      owed.push_back(name + " has a key that somebody who left it has too: its next key is due");
  }
  return {};
}

void OwnerSessionImpl::LeaveGroups(const Hash& machine, const std::string& environment,
                                   const std::string& reason, RemoveIdentityResult& result) {
  const auto leave = [&](std::uint64_t number) -> Status {
    return Retry([&]() -> Status {
      GRANTFS_CHECK(EnterGroups(environment));
      const GroupList group = GRANTFS_TRY(keeper_->RefreshGroup(environment, number));
      const auto* known = keeper_->machines().FindById(machine);
      if (known == nullptr || !group.Includes(*known)) return {};
      GRANTFS_TRY(TakeOut(environment, group, {known->number}, reason));
      result.groups.push_back(environment + "@" + group.name());
      return {};
    });
  };
  std::vector<std::uint64_t> numbers;
  for (const auto& [number, group] : keeper_->FindEnvironment(environment)->groups().all())
    numbers.push_back(number);
  for (const std::uint64_t number : numbers) {
    const Status left = leave(number);
    if (!left) result.problems.push_back(Describe(left.error()));
  }
}

std::vector<std::string> OwnerSessionImpl::MachineNamesOf(const std::vector<Grantee>& machines) {
  std::vector<std::string> names;
  for (const Grantee& machine : machines) names.push_back(machine.name);
  return names;
}

}  // namespace grantfs

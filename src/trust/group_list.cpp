#include "grantfs/trust/group_list.h"

#include <algorithm>

#include "grantfs/trust/consent.h"
#include "list_internal.h"

namespace grantfs {
namespace {

constexpr std::size_t kMaxGroupInvitations = 100;  // in force or not: they are kept for who came by them

}  // namespace

bool GroupList::Includes(const MachinesList::Machine& machine) const {
  if (taken_out_.contains(machine.number)) return false;
  if (const auto added = machines_.find(machine.number); added != machines_.end())
    return added->second.seal == machine.identity.seal && added->second.name == machine.identity.name;
  return std::any_of(invitations_.begin(), invitations_.end(), [&](const auto& entry) {
    const Invitation& by = entry.second;
    return by.act.id == machine.standing && (by.open || machine.number <= by.last);
  });
}

std::map<std::uint64_t, Grantee> GroupList::Members(const MachinesList& all) const {
  std::map<std::uint64_t, Grantee> members;
  for (const auto& [number, machine] : all.machines()) {
    if (machine.removed || !Includes(machine)) continue;
    const Identity& who = machine.identity;
    members[number] = {GranteeKind::kMachine, number, who.Id(), who.name, who.seal, who.not_after};
  }
  return members;
}

std::vector<std::uint64_t> GroupList::MemberNumbers(const MachinesList& all) const {
  std::vector<std::uint64_t> numbers;
  for (const auto& [number, machine] : all.machines()) {
    if (!machine.removed && Includes(machine)) numbers.push_back(number);
  }
  return numbers;
}

bool GroupList::IsByTwo(const MachinesList::Machine& machine) const {
  if (taken_out_.contains(machine.number)) return false;
  // One that was added by name is in it by that: its invitation's signatures ended if it was taken out
  // between.
  if (machines_.contains(machine.number)) return by_two_.contains(machine.number);
  return std::any_of(invitations_.begin(), invitations_.end(), [&](const auto& entry) {
    const Invitation& by = entry.second;
    return by.by_two && by.act.id == machine.standing && (by.open || machine.number <= by.last);
  });
}

namespace {

/// One that the machines list does not have so leads nobody in, whatever this list says of it.
bool LeadsIn(const GroupList::Invitation& invitation, const MachinesList& all, const VaultList& vault,
             std::int64_t time) {
  const auto at = all.standing().find(invitation.act.id);
  if (at == all.standing().end() || !invitation.InForce(time)) return false;
  const MachinesList::StandingEntry& standing = at->second;
  return standing.number == invitation.act.number && standing.invitation.seal == invitation.act.seal &&
         standing.IsOpen(vault) && time < standing.invitation.expires;
}

}  // namespace

std::vector<GroupList::Target> GroupList::EpochTargets(const MachinesList& all, const UpperLists& upper,
                                                       std::int64_t time) const {
  const bool two = upper.environment->two_owners();
  std::vector<Target> targets;
  for (const auto& [number, machine] : Members(all)) {
    if ((machine.not_after != 0 && machine.not_after <= time) || upper.vault->IsRemoved(machine.id)) continue;
    if (two && !IsByTwo(all.machines().at(number))) continue;
    targets.push_back({{RecipientKind::kMachine, number, 0}, machine.seal, machine.name, machine.id});
  }
  for (const auto& [number, invitation] : invitations_) {
    if (!LeadsIn(invitation, all, *upper.vault, time) || (two && !invitation.by_two)) continue;
    targets.push_back({{RecipientKind::kInvitation, number, 0}, invitation.act.seal, invitation.act.id, {}});
  }
  return targets;
}

GroupList::SignedByOne GroupList::FindSignedByOne(const MachinesList& all, const VaultList& vault,
                                                  std::int64_t time) const {
  SignedByOne found;
  std::set<std::string> leading;
  for (const auto& [number, invitation] : invitations_) {
    if (invitation.by_two || !LeadsIn(invitation, all, vault, time)) continue;
    found.invitations.push_back(invitation.act);
    leading.insert(invitation.act.id);
  }
  for (const auto& [number, machine] : Members(all)) {
    const MachinesList::Machine& known = all.machines().at(number);
    const bool added = machines_.contains(number);
    if (known.HasEnded(time) || vault.IsRemoved(machine.id) || IsByTwo(known)) continue;
    if (added || !leading.contains(known.standing)) found.machines.push_back(machine);
  }
  return found;
}

Status GroupList::CheckGenesis(const EnvironmentList& environment) const {
  const auto* group = environment.groups().Find(id().number);
  if (group == nullptr || id().environment != environment.name())
    return Error{Code::kNotFound, "there is no such group", 0, name_};
  if (HashAt(0) == group->genesis && name_ == group->name) return {};
  return Error{Code::kIntegrity,
               "the group's list does not begin with the statement that the environment's list names", 0,
               group->name};
}

Result<bool> GroupList::EpochIsDue(const EnvironmentGroups::Group& group) const {
  const GroupEpoch& newest = group.newest();
  if (newest.list_sequence < next_sequence() && HashAt(newest.list_sequence) != newest.list_hash) {
    return Error{Code::kIntegrity, "the group's epoch was made over another history of its list (a fork)", 0,
                 group.name};
  }
  return last_departure_ > newest.list_sequence;
}

Result<Permission> GroupList::Needed(const Statement& statement) const {
  if (IsAnyOf<GroupListCreate, GroupMachinesAdd, GroupMachinesRemove, GroupInvitationAdd,
              GroupInvitationRemove, Vouch, Void, Restore>(statement.act))
    return Permission::kOwner;
  return Misplaced(statement);
}

const Identity* GroupList::SignerOf(const Statement& statement, const UpperLists& upper) const {
  if (const Identity* member = upper.environment->FindIdentity(statement.signer)) return member;
  return upper.vault->FindIdentity(statement.signer);
}

bool GroupList::Holds(const Hash& signer, Permission permission, const Act& act, const SeenHeads* at,
                      const UpperLists& upper) const {
  if (permission != Permission::kOwner) return false;
  const auto role = at != nullptr ? upper.environment->RoleAt(signer, at->environment->sequence)
                                  : upper.environment->RoleOf(signer);
  if (role == Role::kOwner) return true;
  const std::uint64_t now = at != nullptr ? at->vault->sequence : upper.vault->next_sequence();
  return upper.vault->WasRecovery(signer, now) && IsAnyOf<Vouch, Void>(act);
}

bool GroupList::HeldSince(const Statement& statement, const SeenHeads* at, const UpperLists& upper) const {
  const EnvironmentList& environment = *upper.environment;
  const std::uint64_t now = at != nullptr ? at->environment->sequence : environment.next_sequence();
  const std::uint64_t vault_now = at != nullptr ? at->vault->sequence : upper.vault->next_sequence();
  return upper.vault->WasRecoveryThrough(statement.signer, statement.heads.vault->sequence, vault_now) ||
         environment.WasMemberThrough(statement.signer, statement.heads.environment->sequence, now);
}

bool GroupList::TwoOwnersAt(const Statement& statement, const UpperLists& upper) const {
  return upper.environment->TwoOwnersAfter(statement.heads.environment->sequence);
}

bool GroupList::OwnsThrough(const Consent& consent, const Statement& statement,
                            const UpperLists& upper) const {
  return OwnsEnvironmentThrough(*upper.environment, consent, statement);
}

// By the newest rule, whatever older head the statement names.
Status GroupList::CheckNew(const Statement& statement, const UpperLists& upper) const {
  if (statement.consent || !NeedsTwoOwners(statement.act, upper.environment->two_owners())) return {};
  return Error{Code::kDenied, "the act needs the signatures of two owners, by the environment's rule", 0,
               name_};
}

Status GroupList::ApplyCreate(const GroupListCreate& act) {
  if (act.environment != id().environment || act.number != id().number)
    return Error{Code::kInvalid, "the creation names another group", 0, act.name};
  name_ = act.name;
  return {};
}

// What one owner signed before, two may sign again: then it stands where two are asked for.
Status GroupList::ApplyAdd(const GroupMachinesAdd& act, bool by_two) {
  for (const Grantee& machine : act.machines) {
    const auto at = machines_.find(machine.number);
    const bool again =
        by_two && at != machines_.end() && at->second == machine && !by_two_.contains(machine.number);
    if (at != machines_.end() && !again)
      return Error{Code::kInvalid, "the machine is in the group already", 0, machine.name};
  }
  for (const Grantee& machine : act.machines) {
    machines_[machine.number] = machine;
    if (by_two) by_two_.insert(machine.number);
    taken_out_.erase(machine.number);
  }
  return {};
}

// One that came by an invitation stands in no list of this kind: it is taken out by its number all the same.
Status GroupList::ApplyRemove(const GroupMachinesRemove& act, std::uint64_t sequence) {
  for (const std::uint64_t machine : act.machines) {
    const bool may_be_in = machines_.contains(machine) || !invitations_.empty();
    if (!may_be_in || taken_out_.contains(machine))
      return Error{Code::kInvalid, "the machine is not in the group", 0, std::to_string(machine)};
  }
  for (const std::uint64_t machine : act.machines) {
    machines_.erase(machine);
    by_two_.erase(machine);
    taken_out_.insert(machine);
  }
  last_departure_ = sequence;
  return {};
}

Status GroupList::ApplyInvite(const GroupInvitationAdd& act, bool by_two) {
  if (const auto at = invitations_.find(act.number); at != invitations_.end() && by_two) {
    Invitation& there = at->second;
    const bool same =
        there.act.id == act.id && there.act.seal == act.seal && there.act.expires == act.expires;
    if (there.open && !there.by_two && same) {
      there.by_two = true;
      return {};
    }
  }
  if (invitations_.size() >= kMaxGroupInvitations)
    return Error{Code::kInvalid, "at most 100 standing invitations lead into a group", 0, name_};
  if (!invitations_.emplace(act.number, Invitation{act, true, 0, by_two}).second)
    return Error{Code::kInvalid, "the invitation leads, or led, into the group already", 0, act.id};
  return {};
}

Status GroupList::ApplyWithdraw(const GroupInvitationRemove& act, std::uint64_t sequence) {
  const auto at = invitations_.find(act.number);
  if (at == invitations_.end() || !at->second.open)
    return Error{Code::kInvalid, "no such invitation leads into the group", 0, std::to_string(act.number)};
  at->second.open = false;
  at->second.last = act.last;
  last_departure_ = sequence;
  return {};
}

Status GroupList::Apply(const StatementPtr& signed_statement, const UpperLists&) {
  const Statement& statement = signed_statement->statement();
  const auto* create = std::get_if<GroupListCreate>(&statement.act);
  if ((create != nullptr) != (statement.sequence == 0))
    return Nonsense(*signed_statement, "a group's list begins with its creation, and only there");
  if (create != nullptr) return ApplyCreate(*create);
  const bool by_two = statement.consent.has_value();
  if (const auto* act = std::get_if<GroupMachinesAdd>(&statement.act)) return ApplyAdd(*act, by_two);
  if (const auto* act = std::get_if<GroupMachinesRemove>(&statement.act))
    return ApplyRemove(*act, statement.sequence);
  if (const auto* act = std::get_if<GroupInvitationAdd>(&statement.act)) return ApplyInvite(*act, by_two);
  if (const auto* act = std::get_if<GroupInvitationRemove>(&statement.act))
    return ApplyWithdraw(*act, statement.sequence);
  // Who had left by what was lost has the key that is the newest again.
  if (std::holds_alternative<Restore>(statement.act)) last_departure_ = statement.sequence;
  return {};
}

void GroupList::Reset() {
  name_.clear();
  machines_.clear();
  by_two_.clear();
  taken_out_.clear();
  invitations_.clear();
  last_departure_ = 0;
}

}  // namespace grantfs

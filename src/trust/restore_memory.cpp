#include <algorithm>
#include <utility>

#include "restore_internal.h"

// What a home has seen of a list, read off its statements.

namespace grantfs {

std::vector<const Statement*> Unvoided(const std::vector<SignedList::StatementPtr>& statements) {
  std::vector<const Statement*> standing;
  for (const auto& statement : statements) {
    const Statement& said = statement->statement();
    const auto* taken_back = std::get_if<Void>(&said.act);
    if (taken_back == nullptr) {
      standing.push_back(&said);
      continue;
    }
    std::erase_if(standing, [&](const Statement* one) { return one->sequence >= taken_back->from; });
  }
  return standing;
}

namespace {

class Reading {
 public:
  explicit Reading(ListMemory& memory) : memory_(memory) {}

  void operator()(const VaultCreate& act) {
    Enter(act.owner);
    memory_.recoveries = {act.recovery};
    memory_.pins = act.pins;
  }
  void operator()(const PinsSet& act) { memory_.pins = act.pins; }
  void operator()(const RecoveryReplace& act) { memory_.recoveries.push_back(act.recovery); }
  void operator()(const VaultOwnerAdd& act) {
    Enter(act.owner);
    memory_.former_owners.erase(act.owner.Id());
  }
  void operator()(const VaultOwnerRemove& act) { Leave(act.id, memory_.former_owners); }
  void operator()(const IdentityRemove& act) { memory_.removed[act.id] = act.name; }
  void operator()(const IdentityReplace& act) {
    memory_.removed[act.id] = act.identity.name;
    if (!memory_.owners.contains(act.id)) return;
    Leave(act.id, memory_.former_owners);
    Enter(act.identity);
  }
  void operator()(const InvitationCreate& act) { names_[act.invitation.id] = act.invitation.name; }
  void operator()(const InvitationStand& act) { names_[act.invitation.id] = act.invitation.pattern; }
  void operator()(const InvitationWithdraw& act) { memory_.closed[act.id] = names_[act.id]; }
  void operator()(const MachineApprove& act) {
    const Identity& who = act.enrolment.identity;
    memory_.closed[act.enrolment.invitation] = who.name;
    people_[who.Id()] = who.name;
  }
  void operator()(const MachineAdmit& act) { LetIn(act.request.identity); }
  void operator()(const MachineJoin& act) {
    LetIn(act.enrolment.identity);
    lives_[act.enrolment.identity.Id()] = act.not_after;
    came_by_[act.enrolment.identity.Id()] = act.enrolment.invitation;
  }
  void operator()(const MachineRemove& act) {
    memory_.former_machines[act.id] = people_[act.id];
    const auto by = came_by_.find(act.id);  // as MachinesList has it, its removal withdraws that too
    const std::int64_t end = by != came_by_.end() ? lives_[act.id] : 0;
    if (by != came_by_.end() && (end == 0 || end > now)) memory_.closed[by->second] = names_[by->second];
  }
  void operator()(const EnvironmentCreate& act) { Enter(act.owner); }
  void operator()(const MemberAdd& act) {
    people_[act.member.Id()] = act.member.name;
    if (act.role == Role::kOwner) memory_.owners.insert(act.member.Id());
    memory_.former_members.erase(act.member.Id());
    memory_.changed_members.erase(act.member.Id());
  }
  // Who is an owner no more signs no restore; the role that he had does not come back either.
  void operator()(const MemberChange& act) {
    if (act.role == Role::kOwner)
      memory_.owners.insert(act.id);
    else
      memory_.owners.erase(act.id);
    memory_.changed_members[act.id] = {people_[act.id], {act.id, act.role, act.prefix, {}, {}}};
  }
  void operator()(const RulesSet& act) { memory_.two_owners = act.two_owners; }
  void operator()(const GroupCreate& act) { groups_[now_at] = act.name; }
  void operator()(const GroupDelete& act) { memory_.deleted_groups[act.group] = "@" + groups_[act.group]; }
  void operator()(const PrefixGrant& act) {
    const EnvironmentGroups::PrefixKey key{act.prefix, act.grant.grantee.number};
    memory_.revoked_prefixes.erase(key);
    granted_prefix = key;
  }
  void operator()(const PrefixRevoke& act) {
    memory_.revoked_prefixes[{act.prefix, act.group}] = "@" + groups_[act.group] + " " + act.prefix;
    memory_.granted_prefixes.erase({act.prefix, act.group});
  }
  void operator()(const MemberRemove& act) {
    Leave(act.id, memory_.former_members);
    memory_.changed_members.erase(act.id);
  }
  void operator()(const GroupMachinesAdd& act) {
    for (const Grantee& machine : act.machines) {
      machines_[machine.number] = machine.name;
      memory_.left.erase(machine.number);
    }
  }
  void operator()(const GroupMachinesRemove& act) {
    for (const std::uint64_t machine : act.machines) memory_.left[machine] = machines_[machine];
  }
  void operator()(const GroupInvitationRemove& act) { memory_.shut[act.number] = act.last; }
  void operator()(const VersionPublish& act) { memory_.version = act.version; }
  void operator()(const GrantAdd& act) {
    const SecretList::GrantKey key{act.grant.grantee.kind, act.grant.grantee.number};
    grantees_[key] = act.grant.grantee.name;
    memory_.revoked.erase(key);
    granted = key;
  }
  void operator()(const GrantRevoke& act) {
    const SecretList::GrantKey key{act.kind, act.number};
    memory_.revoked[key] = grantees_[key];
    memory_.granted.erase(key);
  }
  void operator()(const VersionDestroy& act) {
    memory_.ended.insert(act.versions.begin(), act.versions.end());
  }
  void operator()(const SecretDelete&) { memory_.deleted = true; }
  void operator()(const SecretUndelete&) { memory_.deleted = false; }
  void operator()(const SecretDestroy&) { memory_.destroyed = true; }
  void operator()(const Restore& act) {
    memory_.version = std::max(memory_.version, act.version);
    memory_.two_owners = memory_.two_owners || act.two_owners;
  }
  template <typename T>
  void operator()(const T&) {}

  std::optional<SecretList::GrantKey> granted;                 ///< by the act that was read last
  std::optional<EnvironmentGroups::PrefixKey> granted_prefix;  ///< the same
  std::int64_t now = 0;                                        ///< that the act's statement says
  std::uint64_t now_at = 0;                                    ///< its sequence

 private:
  void Enter(const Identity& who) {
    people_[who.Id()] = who.name;
    memory_.owners.insert(who.Id());
  }
  void LetIn(const Identity& who) { people_[who.Id()] = who.name; }
  void Leave(const Hash& id, std::map<Hash, std::string>& former) {
    memory_.owners.erase(id);
    former[id] = people_[id];
  }

  ListMemory& memory_;
  std::map<Hash, std::string> people_;
  std::map<std::string, std::string> names_;
  std::map<Hash, std::string> came_by_;  ///< machine -> standing invitation
  std::map<Hash, std::int64_t> lives_;
  std::map<std::uint64_t, std::string> groups_;
  std::map<SecretList::GrantKey, std::string> grantees_;
  std::map<std::uint64_t, std::string> machines_;
};

}  // namespace

ListMemory ListMemory::Of(const std::vector<SignedList::StatementPtr>& statements) {
  ListMemory memory;
  if (!statements.empty()) memory.head = statements.back()->head();
  Reading reading(memory);
  std::map<std::uint64_t, SignedList::StatementPtr> by_sequence;
  for (const auto& statement : statements) by_sequence[statement->statement().sequence] = statement;
  for (const Statement* said : Unvoided(statements)) {
    reading.granted.reset();
    reading.granted_prefix.reset();
    reading.now = said->time;
    reading.now_at = said->sequence;
    std::visit(reading, said->act);
    if (reading.granted_prefix)
      memory.granted_prefixes[*reading.granted_prefix] = by_sequence.at(said->sequence);
    if (reading.granted) memory.granted[*reading.granted] = by_sequence.at(said->sequence);
  }
  return memory;
}

}  // namespace grantfs

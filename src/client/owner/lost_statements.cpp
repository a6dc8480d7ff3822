#include <algorithm>

#include "lost_statements_internal.h"

namespace grantfs {
namespace {

template <typename T>
bool Has(const std::vector<T>& all, const T& one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

std::string NumbersText(const std::vector<std::uint32_t>& numbers) {
  std::string text = numbers.size() == 1 ? "version" : "versions";
  for (const std::uint32_t number : numbers) text += " " + std::to_string(number);
  return text;
}

/// An act in words, with the names that earlier statements gave.
struct InWords {
  const std::function<std::string(const Hash&)>& name_of;
  const std::map<SecretList::GrantKey, std::string>& grantees;

  std::string operator()(const VaultOwnerAdd& act) const { return act.owner.name + " became an owner"; }
  std::string operator()(const VaultOwnerRemove& act) const {
    return name_of(act.id) + " removed as an owner";
  }
  std::string operator()(const IdentityAdd& act) const { return act.identity.name + " let in"; }
  std::string operator()(const IdentityRemove& act) const { return act.name + " removed"; }
  std::string operator()(const IdentityReplace& act) const {
    return act.identity.name + " given a new key; the one before removed";
  }
  std::string operator()(const EnvironmentAdd& act) const {
    return "environment " + act.environment + " made";
  }
  std::string operator()(const PinsSet&) const { return "TLS pins set"; }
  std::string operator()(const InvitationCreate& act) const { return act.invitation.name + " invited"; }
  std::string operator()(const InvitationWithdraw&) const { return "invitation withdrawn"; }
  std::string operator()(const MachineApprove& act) const {
    return act.enrolment.identity.name + " approved";
  }
  std::string operator()(const MachineAdmit& act) const { return Let(act.request.identity); }
  std::string operator()(const MachineJoin& act) const { return Let(act.enrolment.identity); }
  std::string operator()(const InvitationStand& act) const {
    return "standing invitation for " + act.invitation.pattern + ", " + std::to_string(act.invitation.uses) +
           " uses";
  }
  std::string operator()(const GroupInvitationAdd& act) const {
    return "invitation " + act.id + " leads into it";
  }
  std::string operator()(const MachineRemove& act) const { return name_of(act.id) + " removed"; }
  std::string operator()(const EnvironmentCreate& act) const { return "made, of " + act.owner.name; }
  std::string operator()(const MemberAdd& act) const {
    return act.member.name + " became " + RoleName(act.role);
  }
  std::string operator()(const MemberRemove& act) const { return name_of(act.id) + " removed as a member"; }
  std::string operator()(const EpochStart&) const { return "new key"; }
  std::string operator()(const GroupCreate& act) const { return "group @" + act.name + " made"; }
  std::string operator()(const GroupDelete&) const { return "a group deleted"; }
  std::string operator()(const GroupEpochStart&) const { return "new key of a group"; }
  std::string operator()(const PrefixGrant& act) const {
    return "granted to @" + act.grant.grantee.name + " below \"" + act.prefix + "\"";
  }
  std::string operator()(const PrefixRevoke& act) const {
    return "revoked from a group below \"" + act.prefix + "\"";
  }
  std::string operator()(const GroupMachinesAdd& act) const {
    std::string text = "added:";
    for (const Grantee& machine : act.machines) text += " " + machine.name;
    return text;
  }
  std::string operator()(const GroupMachinesRemove& act) const {
    std::string text = "taken out:";
    for (const std::uint64_t machine : act.machines) {
      const auto name = grantees.find({GranteeKind::kMachine, machine});
      text += " " + (name != grantees.end() ? name->second : "machine " + std::to_string(machine));
    }
    return text;
  }
  std::string operator()(const GroupInvitationRemove&) const { return "an invitation leads into it no more"; }
  std::string operator()(const SecretCreate&) const { return "made"; }
  std::string operator()(const VersionPublish& act) const { return "version " + std::to_string(act.version); }
  std::string operator()(const GrantAdd& act) const { return "granted to " + act.grant.grantee.name; }
  std::string operator()(const GrantRevoke& act) const {
    const auto name = grantees.find({act.kind, act.number});
    return "revoked from " + (name != grantees.end() ? name->second : std::to_string(act.number));
  }
  std::string operator()(const LabelMove& act) const {
    return "version " + std::to_string(act.version) + " made current";
  }
  std::string operator()(const LabelRemove& act) const { return "label " + act.label + " taken away"; }
  std::string operator()(const VersionDestroy& act) const { return NumbersText(act.versions) + " destroyed"; }
  std::string operator()(const SecretDescribe&) const { return "described"; }
  std::string operator()(const SecretDelete&) const { return "deleted"; }
  std::string operator()(const SecretUndelete&) const { return "undeleted"; }
  std::string operator()(const SecretDestroy&) const { return "destroyed"; }
  std::string operator()(const Vouch&) const { return "vouch"; }
  std::string operator()(const Void&) const { return "void"; }
  std::string operator()(const Restore&) const { return "a backup accepted"; }
  template <typename T>
  std::string operator()(const T&) const {
    return ActName(Act(T{}));
  }

  /// By its key too: nobody may have seen it.
  static std::string Let(const Identity& machine) {
    return machine.name + " let in, " + machine.Fingerprint();
  }
};

/// Whether it is among what is done again.
struct IsAgain {
  const Undone& undone;
  const Hash& statement;

  bool operator()(const VaultOwnerRemove& act) const { return Has(undone.owners, act.id); }
  bool operator()(const IdentityRemove& act) const { return Has(undone.removed, act.id); }
  bool operator()(const IdentityReplace& act) const { return Has(undone.removed, act.id); }
  bool operator()(const MemberRemove& act) const { return Has(undone.members, act.id); }
  bool operator()(const MemberChange& act) const {
    return std::any_of(undone.changed.begin(), undone.changed.end(), [&](const MemberChange& again) {
      return again.id == act.id && again.role == act.role && again.prefix == act.prefix;
    });
  }
  bool operator()(const PrefixRevoke& act) const { return Has(undone.prefixes, {act.prefix, act.group}); }
  bool operator()(const GroupDelete& act) const { return Has(undone.groups, act.group); }
  bool operator()(const RecoveryReplace& act) const {
    return undone.recovery && undone.recovery->Id() == act.recovery.Id();
  }
  bool operator()(const MachineRemove& act) const { return Has(undone.machines, act.id); }
  bool operator()(const InvitationWithdraw& act) const { return Has(undone.invitations, act.id); }
  bool operator()(const PrefixGrant&) const {
    return std::any_of(undone.wider_prefixes.begin(), undone.wider_prefixes.end(),
                       [&](const auto& one) { return one->hash() == statement; });
  }
  bool operator()(const GroupMachinesRemove& act) const {
    return std::any_of(act.machines.begin(), act.machines.end(),
                       [&](std::uint64_t machine) { return Has(undone.left, machine); });
  }
  bool operator()(const GroupInvitationRemove& act) const { return undone.shut.contains(act.number); }
  bool operator()(const GrantRevoke& act) const { return Has(undone.grants, {act.kind, act.number}); }
  bool operator()(const GrantAdd&) const {
    return std::any_of(undone.wider.begin(), undone.wider.end(),
                       [&](const auto& one) { return one->hash() == statement; });
  }
  bool operator()(const VersionDestroy& act) const {
    return std::any_of(act.versions.begin(), act.versions.end(),
                       [&](std::uint32_t version) { return Has(undone.versions, version); });
  }
  bool operator()(const SecretDelete&) const { return undone.deleted; }
  bool operator()(const SecretDestroy&) const { return undone.destroyed; }
  template <typename T>
  bool operator()(const T&) const {
    return false;
  }
};

}  // namespace

std::vector<LostStatement> DescribeLost(const std::string& where,
                                        const std::vector<SignedList::StatementPtr>& seen,
                                        std::optional<std::uint64_t> common, const Undone& undone,
                                        const std::function<std::string(const Hash&)>& name_of) {
  std::vector<LostStatement> lost;
  std::map<SecretList::GrantKey, std::string> grantees;
  for (const auto& statement : seen) {
    const Statement& said = statement->statement();
    if (const auto* add = std::get_if<GrantAdd>(&said.act))
      grantees[{add->grant.grantee.kind, add->grant.grantee.number}] = add->grant.grantee.name;
    if (const auto* add = std::get_if<GroupMachinesAdd>(&said.act))
      for (const Grantee& machine : add->machines)
        grantees[{GranteeKind::kMachine, machine.number}] = machine.name;
    if (common && said.sequence <= *common) continue;
    lost.push_back({where, std::visit(InWords{name_of, grantees}, said.act), name_of(said.signer), said.time,
                    std::visit(IsAgain{undone, statement->hash()}, said.act)});
  }
  return lost;
}

}  // namespace grantfs

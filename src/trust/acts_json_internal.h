#pragma once

#include "grantfs/json/json.h"
#include "grantfs/trust/acts.h"

// The JSON of each act: its type's name, a writer that adds its members, a reader that takes exactly these.

namespace grantfs {

template <typename T>
struct ActTraits;

template <typename T>
Result<T> ReadAct(JsonReader& in);

#define GRANTFS_ACT(Type, name_)                \
  template <>                                   \
  struct ActTraits<Type> {                      \
    static constexpr const char* kName = name_; \
  };                                            \
  void WriteAct(const Type& act, Json& json);   \
  template <>                                   \
  Result<Type> ReadAct<Type>(JsonReader & in);

GRANTFS_ACT(VaultCreate, "vault.create")
GRANTFS_ACT(VaultOwnerAdd, "vault-owner.add")
GRANTFS_ACT(VaultOwnerRemove, "vault-owner.remove")
GRANTFS_ACT(IdentityAdd, "identity.add")
GRANTFS_ACT(IdentityRemove, "identity.remove")
GRANTFS_ACT(EnvironmentAdd, "environment.add")
GRANTFS_ACT(PinsSet, "pins.set")
GRANTFS_ACT(MachinesCreate, "machines.create")
GRANTFS_ACT(InvitationCreate, "invitation.create")
GRANTFS_ACT(InvitationStand, "invitation.stand")
GRANTFS_ACT(InvitationWithdraw, "invitation.withdraw")
GRANTFS_ACT(MachineApprove, "machine.approve")
GRANTFS_ACT(MachineAdmit, "machine.admit")
GRANTFS_ACT(MachineJoin, "machine.join")
GRANTFS_ACT(MachineRemove, "machine.remove")
GRANTFS_ACT(EnvironmentCreate, "environment.create")
GRANTFS_ACT(MemberAdd, "member.add")
GRANTFS_ACT(MemberRemove, "member.remove")
GRANTFS_ACT(EpochStart, "epoch.start")
GRANTFS_ACT(MemberChange, "member.change")
GRANTFS_ACT(RulesSet, "rules.set")
GRANTFS_ACT(SecretCreate, "secret.create")
GRANTFS_ACT(VersionPublish, "version.publish")
GRANTFS_ACT(GrantAdd, "grant.add")
GRANTFS_ACT(GrantRevoke, "grant.revoke")
GRANTFS_ACT(LabelMove, "label.move")
GRANTFS_ACT(LabelRemove, "label.remove")
GRANTFS_ACT(VersionDestroy, "version.destroy")
GRANTFS_ACT(SecretDescribe, "secret.describe")
GRANTFS_ACT(SecretDelete, "secret.delete")
GRANTFS_ACT(SecretUndelete, "secret.undelete")
GRANTFS_ACT(SecretDestroy, "secret.destroy")
GRANTFS_ACT(GroupCreate, "group.create")
GRANTFS_ACT(GroupEpochStart, "group-epoch.start")
GRANTFS_ACT(GroupDelete, "group.delete")
GRANTFS_ACT(PrefixGrant, "prefix.grant")
GRANTFS_ACT(PrefixRevoke, "prefix.revoke")
GRANTFS_ACT(GroupListCreate, "group-list.create")
GRANTFS_ACT(GroupMachinesAdd, "group-machines.add")
GRANTFS_ACT(GroupMachinesRemove, "group-machines.remove")
GRANTFS_ACT(GroupInvitationAdd, "group-invitation.add")
GRANTFS_ACT(GroupInvitationRemove, "group-invitation.remove")
GRANTFS_ACT(Vouch, "vouch")
GRANTFS_ACT(Void, "void")
GRANTFS_ACT(Restore, "restore")
GRANTFS_ACT(RecoveryReplace, "recovery.replace")
GRANTFS_ACT(LevelRaise, "level.raise")
GRANTFS_ACT(IdentityReplace, "identity.replace")

#undef GRANTFS_ACT

/// The members of a grant beside its grantee; the reader leaves Finish to its caller.
void WriteGrantTerms(const Grant& grant, Json& json);
Grant ReadGrantTerms(JsonReader& in);
/// As ActFromJson, without what machines have signed in it (CheckMachineSignatures).
Result<Act> ActFromJsonUnverified(const Json& json);
// What acts of several lists are made of.
Json EpochToJson(const Epoch& epoch);
Result<Epoch> EpochFromJson(const Json& json);
Json GranteeToJson(const Grantee& grantee);
Result<Grantee> GranteeFromJson(const Json& json);
Json GrantToJson(const Grant& grant);
Result<Grant> GrantFromJson(const Json& json);

}  // namespace grantfs

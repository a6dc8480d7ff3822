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
GRANTFS_ACT(InvitationWithdraw, "invitation.withdraw")
GRANTFS_ACT(MachineApprove, "machine.approve")
GRANTFS_ACT(MachineRemove, "machine.remove")
GRANTFS_ACT(EnvironmentCreate, "environment.create")
GRANTFS_ACT(MemberAdd, "member.add")
GRANTFS_ACT(MemberRemove, "member.remove")
GRANTFS_ACT(EpochStart, "epoch.start")
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
GRANTFS_ACT(Vouch, "vouch")
GRANTFS_ACT(Void, "void")
GRANTFS_ACT(Restore, "restore")
GRANTFS_ACT(RecoveryReplace, "recovery.replace")
GRANTFS_ACT(LevelRaise, "level.raise")

#undef GRANTFS_ACT

}  // namespace grantfs

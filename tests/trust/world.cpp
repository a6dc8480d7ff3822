#include "world.h"

namespace grantfs::testing {

World::World() {
  Must(Result<int>(InitCrypto() ? Result<int>(0) : Result<int>(Error{})));
  VaultCreate create{owner.identity(), recovery.identity(), {Hash{}}, "vault.test/log", {}, kFormatLevel};
  EXPECT_TRUE(Add(vault, owner, create));
  EXPECT_TRUE(Add(machines, owner, MachinesCreate{}));
  auto epoch = Must(MakeEpoch({owner.identity(), recovery.identity()}, nullptr, nullptr));
  environment_key = std::move(epoch.key);
  EXPECT_TRUE(Add(environment, owner, EnvironmentCreate{"shop/prod", owner.identity(), epoch.epoch}));
  EXPECT_TRUE(Add(vault, owner, EnvironmentAdd{"shop/prod", *environment.HashAt(0)}));
  Hash copy;
  copy.bytes[0] = 1;
  EXPECT_TRUE(Add(environment, owner, MemberAdd{second.identity(), Role::kOwner, "", copy}));
  EXPECT_TRUE(AddTo(secret, owner, SecretCreate{7, "shop/prod", "db-password", SecretType::kValue, "", ""}));
  EXPECT_TRUE(AddTo(secret, owner, VersionOf(secret)));
}

Statement World::Next(const SignedList& list, const PrivateIdentity& signer, Act act) const {
  Statement statement;
  if (!vault.empty()) statement.vault = vault.vault_id();
  statement.list = list.id();
  statement.sequence = list.next_sequence();
  if (list.head()) statement.previous = list.head()->hash;
  statement.signer = signer.Id();
  statement.time = 1'700'000'000;
  if (list.id().kind != ListKind::kVault) statement.heads.vault = vault.head();
  if (list.id().BelowEnvironment()) statement.heads.environment = environment.head();
  statement.act = std::move(act);
  return statement;
}

Statement World::NextOf(const SecretList& list, const PrivateIdentity& signer, Act act) const {
  Statement statement = Next(list, signer, std::move(act));
  statement.state = Must(list.StateAfter(statement.act, Upper()));
  return statement;
}

SignedList::StatementPtr World::Sign(const Statement& statement, const PrivateIdentity& signer) const {
  return std::make_shared<const SignedStatement>(
      Must(SignedStatement::Sign(statement, signer.signing_key())));
}

std::vector<Act> World::EveryAct() const {
  const auto invite = Must(InviteSecret::Generate());
  const Epoch epoch = EpochAfterRemoving(second.Id()).epoch;
  const Grantee web{GranteeKind::kGroup, 4, Hash{}, "web", {}, 0};
  Grant to_web;
  to_web.grantee = web;
  const GroupEpoch of_web{epoch, 1, 2, Hash{}};
  return {vault.At(0)->statement().act,
          VaultOwnerAdd{second.identity()},
          VaultOwnerRemove{second.Id()},
          IdentityAdd{second.identity()},
          IdentityRemove{web1.Id(), "web-1"},
          EnvironmentAdd{"shop/test", Hash{}},
          PinsSet{{Hash{}}},
          MachinesCreate{},
          InvitationCreate{InvitationOf(invite)},
          InvitationStand{StandingOf(invite)},
          InvitationWithdraw{invite.id()},
          MachineApprove{Must(MakeEnrolment(vault.vault_id(), invite, web1)), 1'700'003'600},
          MachineAdmit{MakeEnrolmentRequest(web1, 1'700'000'000, 1'700'003'600), 0},
          MachineJoin{Must(MakeEnrolment(vault.vault_id(), invite, web1)), 0},
          MachineRemove{web1.Id()},
          EnvironmentCreate{"shop/prod", owner.identity(), epoch},
          MemberAdd{second.identity(), Role::kReader, "", Hash{}},
          MemberRemove{second.Id(), epoch},
          EpochStart{epoch},
          MemberChange{second.Id(), Role::kWriter, "tls/", Hash{}, epoch},
          RulesSet{true},
          SecretCreate{7, "shop/prod", "db-password", SecretType::kValue, "ann", "of the shop"},
          VersionOf(secret),
          GrantAdd{GrantTo(web1, 3)},
          GrantRevoke{GranteeKind::kMachine, 3},
          LabelMove{1, *secret.HashAt(1)},
          LabelRemove{},
          VersionDestroy{{1, 2}, {"next", "previous"}},
          SecretDescribe{"bob", "of the shop"},
          SecretDelete{},
          SecretUndelete{},
          SecretDestroy{},
          GroupCreate{"web", Hash{}, of_web},
          GroupEpochStart{4, of_web},
          GroupDelete{4},
          PrefixGrant{"tls/", to_web},
          PrefixRevoke{"tls/", 4},
          GroupListCreate{"shop/prod", 4, "web"},
          GroupMachinesAdd{1, {GrantTo(web1, 3).grantee}, Hash{}},
          GroupMachinesRemove{{3, 4}},
          GroupInvitationAdd{9, invite.id(), invite.unseal_key().seal_key(), 1, 1, Hash{}},
          GroupInvitationRemove{9, 12},
          Vouch{},
          Void{1, Hash{}},
          Restore{{4, Hash{}}, Head{9, Hash{}}, "vault.test/log2", 1000, epoch, 12},
          RecoveryReplace{second.identity()},
          LevelRaise{kFormatLevel},
          IdentityReplace{second.Id(), MakeIdentity("bob").identity()}};
}

VersionPublish World::VersionOf(const SecretList& list, const std::string& path) const {
  VersionPublish version;
  version.environment = "shop/prod";
  version.path = path;
  version.version = list.next_version();
  version.size = 8;
  version.epoch = environment.newest_epoch().number;
  return version;
}

Grant World::GrantTo(const PrivateIdentity& machine, std::uint64_t number) const {
  Grant grant;
  grant.grantee = {GranteeKind::kMachine,   number, machine.Id(), machine.identity().name,
                   machine.identity().seal, 0};
  return grant;
}

NewEpoch World::EpochAfterRemoving(const Hash& leaver) const {
  std::vector<Identity> stay;
  for (const Identity& one : environment.EpochRecipients(vault)) {
    if (one.Id() != leaver) stay.push_back(one);
  }
  return Must(MakeEpoch(stay, &environment.newest_epoch(), &environment_key));
}

Status World::Remove(const PrivateIdentity& leaver) {
  return Add(environment, owner, MemberRemove{leaver.Id(), EpochAfterRemoving(leaver.Id()).epoch});
}

}  // namespace grantfs::testing

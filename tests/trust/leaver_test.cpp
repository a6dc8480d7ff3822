// A hostile vault together with one who was removed: it has every statement that was ever signed, he still
// signs.

#include "world.h"

namespace grantfs::testing {
namespace {

class LeaverTest : public ::testing::Test {
 protected:
  LeaverTest() { copy.bytes[0] = 1; }

  Status AddWriter(const PrivateIdentity& who, const std::string& prefix) {
    return world.Add(world.environment, world.owner, MemberAdd{who.identity(), Role::kWriter, prefix, {}});
  }
  Status AddBack() {
    return world.Add(world.environment, world.owner,
                     MemberAdd{world.second.identity(), Role::kOwner, "", copy});
  }
  Void VoidFrom(const SignedList& list, std::uint64_t from) { return Void{from, *list.HashAt(from)}; }
  /// What a client that begins anew makes of the same statements.
  template <typename List>
  List Again(const List& list, List empty) {
    for (std::uint64_t i = 0; i < list.next_sequence(); ++i) {
      const Status received = empty.Receive(list.At(i), world.Upper());
      EXPECT_TRUE(received) << Describe(received.error());
    }
    return empty;
  }
  /// Said to be by `signer`, and not signed by him.
  SignedList::StatementPtr Forge(const Statement& statement) {
    return world.Sign(statement, MakeIdentity("mallory"));
  }

  World world;
  PrivateIdentity writer = MakeIdentity("deploy", IdentityKind::kAgent);
  Hash copy;
};

TEST_F(LeaverTest, AVoidReachesPastAnActThatOnlyAVoidedOneFollowed) {
  ASSERT_TRUE(AddWriter(writer, ""));
  ASSERT_TRUE(world.AddTo(world.secret, world.second, world.VersionOf(world.secret)));
  ASSERT_TRUE(world.AddTo(world.secret, world.second, GrantAdd{world.GrantTo(world.web2, 9)}));
  ASSERT_TRUE(world.AddTo(world.secret, writer, world.VersionOf(world.secret)));
  ASSERT_TRUE(world.Remove(world.second));
  ASSERT_EQ(world.secret.FirstUncounted(world.Upper()), 3u)
      << "the writer follows the version, not the grant";
  EXPECT_FALSE(world.AddTo(world.secret, world.owner, VoidFrom(world.secret, 2))) << "a version that counts";
  const auto taken = world.AddTo(world.secret, world.owner, VoidFrom(world.secret, 3));
  ASSERT_TRUE(taken) << Describe(taken.error());
  EXPECT_TRUE(world.secret.CheckStanding(world.Upper()));
  EXPECT_TRUE(world.secret.grants().empty());
  EXPECT_EQ(world.secret.Current()->publish.version, 2u);
}

TEST_F(LeaverTest, ReAddingRevivesNothing) {
  ASSERT_TRUE(world.AddTo(world.secret, world.second, GrantAdd{world.GrantTo(world.web2, 9)}));
  ASSERT_TRUE(world.Remove(world.second));
  ASSERT_FALSE(world.secret.CheckStanding(world.Upper()));
  ASSERT_TRUE(AddBack());
  EXPECT_EQ(world.secret.FirstUncounted(world.Upper()), 2u);
  ASSERT_TRUE(world.AddTo(world.secret, world.second, Vouch{})) << "he is an owner again";
  EXPECT_TRUE(world.secret.CheckStanding(world.Upper()));
}

TEST_F(LeaverTest, ReAddingAVaultOwnerRevivesNothing) {
  ASSERT_TRUE(world.Add(world.vault, world.owner, VaultOwnerAdd{world.second.identity()}));
  const auto invite = Must(InviteSecret::Generate());
  const auto late = world.Made(world.machines, world.second, InvitationCreate{InvitationOf(invite)});
  ASSERT_TRUE(world.Add(world.vault, world.owner, VaultOwnerRemove{world.second.Id()}));
  ASSERT_TRUE(world.machines.Receive(late, world.Upper()));
  ASSERT_EQ(world.machines.FirstUncounted(world.Upper()), 1u);
  ASSERT_TRUE(world.Add(world.vault, world.owner, VaultOwnerAdd{world.second.identity()}));
  EXPECT_EQ(world.machines.FirstUncounted(world.Upper()), 1u);
}

TEST_F(LeaverTest, AWriterDoesNotReturnWithAnotherPrefix) {
  ASSERT_TRUE(AddWriter(writer, "tls/"));
  SecretList key(8);
  ASSERT_TRUE(
      world.AddTo(key, writer, SecretCreate{8, "shop/prod", "tls/server.key", SecretType::kValue, "", ""}));
  ASSERT_TRUE(world.AddTo(key, world.owner, Vouch{}));
  ASSERT_TRUE(world.Add(world.environment, world.owner, MemberRemove{writer.Id(), {}}));
  EXPECT_EQ(AddWriter(writer, "db/").error().code, Code::kInvalid)
      << "what was signed under the one prefix would be judged by the other";
  EXPECT_EQ(AddWriter(writer, "").error().code, Code::kInvalid);
  ASSERT_TRUE(AddWriter(writer, "tls/"));
  EXPECT_TRUE(Again(key, SecretList(8)).CheckStanding(world.Upper()));
}

TEST_F(LeaverTest, NobodyReturnsWithAnotherRole) {
  const auto carol = MakeIdentity("carol");
  const auto add = [&](Role role) {
    const bool opens = role == Role::kOwner || role == Role::kReader;
    return world.Add(world.environment, world.owner,
                     MemberAdd{carol.identity(), role, "", opens ? copy : Hash{}});
  };
  ASSERT_TRUE(add(Role::kWriter));
  // What he had no right to say as a writer would be an owner's word.
  const auto grant = world.MadeOf(world.secret, carol, GrantAdd{world.GrantTo(world.web2, 9)});
  ASSERT_TRUE(world.Add(world.environment, world.owner, MemberRemove{carol.Id(), {}}));
  for (const Role role : {Role::kOwner, Role::kReader, Role::kOperator, Role::kAuditor})
    EXPECT_EQ(add(role).error().code, Code::kInvalid) << RoleName(role);
  EXPECT_TRUE(add(Role::kWriter));
  EXPECT_EQ(world.secret.Append(grant, world.Upper()).error().code, Code::kDenied);
}

TEST_F(LeaverTest, AnotherRoleInOneStep) {
  const auto carol = MakeIdentity("carol");
  ASSERT_TRUE(AddWriter(carol, ""));
  const auto change = [&](Role role, const std::string& prefix, const Hash& sealed,
                          std::optional<Epoch> epoch, const PrivateIdentity& by) {
    return world.Add(world.environment, by, MemberChange{carol.Id(), role, prefix, sealed, epoch});
  };
  const auto refused = [&](Role role, const std::string& prefix, const Hash& sealed,
                           std::optional<Epoch> epoch = {}) {
    EXPECT_EQ(change(role, prefix, sealed, epoch, world.owner).error().code, Code::kInvalid)
        << RoleName(role) << " " << prefix;
  };
  const Epoch next = world.EpochAfterRemoving(carol.Id()).epoch;
  refused(Role::kWriter, "", {});         // what it is
  refused(Role::kReader, "", {});         // without a key
  refused(Role::kAuditor, "", copy);      // with one
  refused(Role::kAuditor, "", {}, next);  // it had none to lose
  refused(Role::kAuditor, "tls/", {});    // a prefix is a writer's
  refused(Role::kWriter, "tls", {});      // and ends in a slash
  EXPECT_FALSE(change(Role::kOwner, "", copy, {}, carol)) << "nobody raises himself";
  EXPECT_EQ(
      world.Add(world.environment, world.owner, MemberChange{world.owner.Id(), Role::kReader, "", {}, {}})
          .error()
          .code,
      Code::kInvalid)
      << "nor lowers himself";
  EXPECT_FALSE(change(Role::kAuditor, "", {}, {}, world.recovery)) << "that is no business of recovery's";
  ASSERT_TRUE(change(Role::kReader, "", copy, {}, world.owner));
  EXPECT_EQ(world.environment.RoleOf(carol.Id()), Role::kReader);
  refused(Role::kOperator, "", {});  // who loses the key starts a new epoch
  ASSERT_TRUE(change(Role::kOwner, "", {}, {}, world.owner)) << "it has the key";
  ASSERT_TRUE(change(Role::kWriter, "tls/", {}, world.EpochAfterRemoving(carol.Id()).epoch, world.owner));
  EXPECT_EQ(world.environment.TenureOf(carol.Id())->prefix, "tls/");
  EXPECT_TRUE(Again(world.environment, EnvironmentList("shop/prod")).CheckStanding(world.Upper()));
  const auto agent = MakeIdentity("ci", IdentityKind::kAgent);
  ASSERT_TRUE(AddWriter(agent, ""));
  EXPECT_EQ(world.Add(world.environment, world.owner, MemberChange{agent.Id(), Role::kReader, "", copy, {}})
                .error()
                .code,
            Code::kInvalid)
      << "an agent never reads";
}

TEST_F(LeaverTest, WhatIsSignedIsJudgedByTheRoleOfItsTime) {
  const auto carol = MakeIdentity("carol");
  ASSERT_TRUE(AddWriter(carol, ""));
  // As a writer she could not say this; as an owner later she could, and says it of then.
  const auto grant = world.MadeOf(world.secret, carol, GrantAdd{world.GrantTo(world.web2, 9)});
  ASSERT_TRUE(world.AddTo(world.secret, carol, world.VersionOf(world.secret)));
  ASSERT_TRUE(
      world.Add(world.environment, world.owner, MemberChange{carol.Id(), Role::kOwner, "", copy, {}}));
  SecretList before = Again(world.secret, SecretList(7));
  EXPECT_FALSE(before.CheckStanding(world.Upper()))
      << "a role that ended stands for nothing until one vouches";
  ASSERT_TRUE(world.AddTo(world.secret, world.owner, Vouch{}));
  EXPECT_TRUE(Again(world.secret, SecretList(7)).CheckStanding(world.Upper()));
  Statement back = world.NextOf(world.secret, carol, GrantAdd{world.GrantTo(world.web2, 9)});
  back.heads = grant->statement().heads;
  EXPECT_FALSE(world.secret.Append(world.Sign(back, carol), world.Upper()));
  ASSERT_TRUE(world.AddTo(world.secret, carol, GrantAdd{world.GrantTo(world.web2, 9)})) << "now she may";
  // And down again: her grant needs a successor, and she can publish only below her prefix.
  ASSERT_TRUE(world.Add(
      world.environment, world.owner,
      MemberChange{carol.Id(), Role::kWriter, "tls/", {}, world.EpochAfterRemoving(carol.Id()).epoch}));
  EXPECT_EQ(world.secret.FirstUncounted(world.Upper()), 4u);
  ASSERT_TRUE(world.AddTo(world.secret, world.owner, Vouch{}));
  EXPECT_FALSE(world.AddTo(world.secret, carol, world.VersionOf(world.secret)));
  EXPECT_TRUE(Again(world.secret, SecretList(7)).CheckStanding(world.Upper()));
}

TEST_F(LeaverTest, ARoleThatComesBackRevivesNothing) {
  ASSERT_TRUE(AddWriter(writer, ""));
  const auto late = world.MadeOf(world.secret, writer, world.VersionOf(world.secret));
  for (const Role role : {Role::kAuditor, Role::kWriter})
    ASSERT_TRUE(world.Add(world.environment, world.owner, MemberChange{writer.Id(), role, "", {}, {}}));
  ASSERT_TRUE(world.secret.Receive(late, world.Upper())) << "signed before, shown after";
  EXPECT_EQ(world.secret.FirstUncounted(world.Upper()), 2u);
  ASSERT_TRUE(world.AddTo(world.secret, world.owner, Vouch{}));
  EXPECT_TRUE(world.AddTo(world.secret, writer, world.VersionOf(world.secret)));
}

TEST_F(LeaverTest, AVoidedForgeryDoesNotSpoilTheListOnceItsSignerIsKnown) {
  const auto later = MakeIdentity("carol");
  const auto junk = Forge(world.NextOf(world.secret, later, world.VersionOf(world.secret)));
  ASSERT_TRUE(world.secret.Receive(junk, world.Upper()));
  ASSERT_TRUE(world.AddTo(world.secret, world.owner, VoidFrom(world.secret, 2)));
  ASSERT_TRUE(world.Add(world.environment, world.owner, MemberAdd{later.identity(), Role::kOwner, "", copy}));
  EXPECT_TRUE(Again(world.secret, SecretList(7)).CheckStanding(world.Upper()));
}

TEST_F(LeaverTest, AForgeryInAnOwnersNameIsRefusedOutright) {
  const auto forged = Forge(world.NextOf(world.secret, world.owner, world.VersionOf(world.secret)));
  EXPECT_EQ(world.secret.Receive(forged, world.Upper()).error().code, Code::kIntegrity);
  EXPECT_EQ(world.secret.Append(forged, world.Upper()).error().code, Code::kIntegrity);
  EXPECT_EQ(world.secret.next_sequence(), 2u);
}

TEST_F(LeaverTest, AnApprovalOfAForgedEnrolmentCanBeVoided) {
  const auto invite = Must(InviteSecret::Generate());
  ASSERT_TRUE(world.Add(world.machines, world.owner, InvitationCreate{InvitationOf(invite)}));
  auto forged = Must(MakeEnrolment(world.vault.vault_id(), Must(InviteSecret::Generate()), world.web1));
  forged.invitation = invite.id();
  // Signed again by the machine's own key, and by no invitation.
  const auto own = Must(MakeEnrolment(world.vault.vault_id(), invite, world.web1));
  forged.by_identity = own.by_identity;
  EXPECT_FALSE(world.Add(world.machines, world.owner, MachineApprove{forged}));
  const auto bad = world.Made(world.machines, world.owner, MachineApprove{forged});
  ASSERT_TRUE(world.machines.Receive(bad, world.Upper())) << "it links, so that an owner can void it";
  EXPECT_EQ(world.machines.FirstUncounted(world.Upper()), 2u);
  EXPECT_TRUE(world.Add(world.machines, world.owner, VoidFrom(world.machines, 2)));
  EXPECT_TRUE(world.machines.CheckStanding(world.Upper()));
}

TEST_F(LeaverTest, RecoveryRemovesOwnersOnlyAndIsNoMember) {
  ASSERT_TRUE(AddWriter(writer, ""));
  EXPECT_FALSE(world.Add(world.environment, world.recovery, MemberRemove{writer.Id(), {}}));
  for (const auto* by : {&world.recovery, &world.owner}) {
    EXPECT_FALSE(
        world.Add(world.environment, *by, MemberAdd{world.recovery.identity(), Role::kOwner, "", copy}))
        << "it would have every right of an owner";
  }
  EXPECT_FALSE(world.Add(world.environment, world.owner,
                         MemberAdd{world.recovery.identity(), Role::kAuditor, "", {}}));
  EXPECT_TRUE(world.Add(world.environment, world.recovery,
                        MemberRemove{world.second.Id(), world.EpochAfterRemoving(world.second.Id()).epoch}));
}

TEST_F(LeaverTest, RecoveryIsNotRemovedLikeAMachine) {
  EXPECT_FALSE(world.Add(world.vault, world.owner, IdentityRemove{world.recovery.Id(), "recovery"}))
      << "one owner could lock out who may remove him";
}

TEST_F(LeaverTest, AVersionNamesTheEpochOfItsHeads) {
  const Statement before = world.NextOf(world.secret, world.owner, world.VersionOf(world.secret));
  ASSERT_TRUE(world.Remove(world.second));
  // One who was told of the new epoch alone, over the old heads; and the old epoch over the new heads.
  Statement early = before;
  std::get<VersionPublish>(early.act).epoch = 2;
  Statement late = world.NextOf(world.secret, world.owner, world.VersionOf(world.secret));
  std::get<VersionPublish>(late.act).epoch = 1;
  for (const Statement& wrong : {early, late}) {
    SecretList served = world.secret;
    ASSERT_TRUE(served.Receive(world.Sign(wrong, world.owner), world.Upper()));
    EXPECT_EQ(served.FirstUncounted(world.Upper()), 2u);
  }
  SecretList served = world.secret;
  ASSERT_TRUE(served.Receive(world.Sign(before, world.owner), world.Upper()));
  EXPECT_TRUE(served.CheckStanding(world.Upper())) << "made before, good for ever";
}

TEST_F(LeaverTest, AVoidedVersionsNumberIsNotUsedAgain) {
  ASSERT_TRUE(world.AddTo(world.secret, world.second, world.VersionOf(world.secret)));
  ASSERT_TRUE(world.Remove(world.second));
  ASSERT_TRUE(world.AddTo(world.secret, world.owner, VoidFrom(world.secret, 2)));
  EXPECT_EQ(world.secret.Current()->publish.version, 1u);
  EXPECT_EQ(world.secret.next_version(), 3u) << "a machine may have seen number 2";
  ASSERT_TRUE(world.AddTo(world.secret, world.owner, world.VersionOf(world.secret)));
  EXPECT_TRUE(Again(world.secret, SecretList(7)).CheckStanding(world.Upper()));
  EXPECT_EQ(Again(world.secret, SecretList(7)).state(), world.secret.state());
}

}  // namespace
}  // namespace grantfs::testing

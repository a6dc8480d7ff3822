// Restored backups, and what passes itself off as one.

#include "grantfs/trust/restore.h"

#include "world.h"

namespace grantfs::testing {
namespace {

using Statements = std::vector<SignedList::StatementPtr>;

class RestoreTest : public ::testing::Test {
 protected:
  RestoreTest() { copy.bytes[0] = 1; }

  static Restore Plain(const SignedList& list) { return {*list.head(), {}, "", 0, {}, 0}; }
  Restore OfVault(const VaultList& list) const { return {*list.head(), {}, "vault.test/anew", 1000, {}, 0}; }
  Restore OfEnvironment() const {
    return {*world.environment.head(), {}, "", 0, world.EpochAfterRemoving({}).epoch, 0};
  }
  static Restore OfSecret(const SecretList& list, std::uint32_t version) {
    return {*list.head(), {}, "", 0, {}, version};
  }
  /// Signed by `who` far above all there is.
  template <typename List>
  SignedList::StatementPtr Made(const List& list, const PrivateIdentity& who, Restore act,
                                std::uint64_t sequence = 1000) const {
    Statement statement = world.Next(list, who, std::move(act));
    statement.sequence = sequence;
    if constexpr (std::is_same_v<List, SecretList>)
      statement.state = Must(list.StateAfter(statement.act, world.Upper()));
    return world.Sign(statement, who);
  }
  template <typename List>
  Status Accept(List& list, const PrivateIdentity& who, Restore act, std::uint64_t sequence = 1000) const {
    return list.Append(Made(list, who, std::move(act), sequence), world.Upper());
  }
  Status AddReader(const PrivateIdentity& who) {
    return world.Add(world.environment, world.owner, MemberAdd{who.identity(), Role::kReader, "", copy});
  }
  static std::string Said(const Status& status) { return status ? "" : Describe(status.error()); }

  World world;
  PrivateIdentity rita = MakeIdentity("rita");
  Hash copy;
};

TEST_F(RestoreTest, AListGoesOnFromABackupFarAboveWhatWasLost) {
  const VaultList backup = world.vault;
  ASSERT_TRUE(world.Add(world.vault, world.owner, IdentityAdd{rita.identity()}));
  const Statements seen = world.vault.Statements();
  VaultList restored = backup;
  EXPECT_FALSE(CheckRestored(seen, restored)) << "a backup that nobody accepts";
  const auto good = Accept(restored, world.owner, OfVault(restored));
  ASSERT_TRUE(good) << Said(good);
  EXPECT_EQ(Said(CheckRestored(seen, restored)), "");
  EXPECT_EQ(restored.next_sequence(), 1001u);
  EXPECT_EQ(restored.log_origin(), "vault.test/anew");
  EXPECT_EQ(restored.NumbersFrom(1000), 1000u);
  EXPECT_EQ(restored.NumbersFrom(999), 0u);
  EXPECT_EQ(restored.At(500), nullptr);
  EXPECT_EQ(restored.HashAt(1000), restored.head()->hash);
  // Read again from its beginning it is the same.
  VaultList again;
  for (const auto& statement : restored.Statements()) ASSERT_TRUE(again.Receive(statement, {}));
  EXPECT_TRUE(again.CheckStanding({}));
  EXPECT_EQ(again.head(), restored.head());
}

TEST_F(RestoreTest, NoOtherActLeavesASequenceOut) {
  Statement statement = world.Next(world.vault, world.owner, IdentityAdd{rita.identity()});
  statement.sequence += 5;
  EXPECT_FALSE(world.vault.Append(world.Sign(statement, world.owner), {}));
  EXPECT_EQ(world.vault.Receive(world.Sign(statement, world.owner), {}).error().code, Code::kIntegrity);
}

TEST_F(RestoreTest, NobodyEndsAListByTheLastOfItsNumbers) {
  const std::uint64_t far = world.environment.next_sequence() + (std::uint64_t{1} << 32);
  EnvironmentList list = world.environment;
  EXPECT_FALSE(Accept(list, world.owner, OfEnvironment(), far + 1));
  EXPECT_TRUE(Accept(list, world.owner, OfEnvironment(), far));
}

TEST_F(RestoreTest, WhatBelongsToAnotherListIsNoRestore) {
  VaultList vault = world.vault;
  EXPECT_FALSE(Accept(vault, world.owner, Plain(vault))) << "no log, no numbers";
  EXPECT_FALSE(Accept(world.environment, world.owner, Plain(world.environment))) << "no epoch";
  MachinesList machines = world.machines;
  EXPECT_FALSE(Accept(machines, world.owner, OfVault(vault)));
  Restore other = OfVault(vault);
  other.accepted.hash.bytes[0] ^= 1;
  EXPECT_FALSE(Accept(vault, world.owner, other)) << "another head";
  other = OfVault(vault);
  other.lost = Head{5000, Hash{}};
  EXPECT_FALSE(Accept(vault, world.owner, other)) << "what was lost lies above it";
  Restore lower = OfSecret(world.secret, 0);
  EXPECT_FALSE(world.secret.StateAfter(lower, world.Upper())) << "a floor below what is used";
}

TEST_F(RestoreTest, OnlyWhoMaySignTheListAtTheHighestHeadSeen) {
  ASSERT_TRUE(world.Add(world.vault, world.owner, VaultOwnerAdd{rita.identity()}));
  const VaultList backup = world.vault;
  ASSERT_TRUE(world.Add(world.vault, world.owner, VaultOwnerRemove{rita.Id()}));
  const Statements seen = world.vault.Statements();
  VaultList restored = backup;
  ASSERT_TRUE(Accept(restored, rita, OfVault(restored))) << "the backup has her as an owner";
  EXPECT_NE(Said(CheckRestored(seen, restored)).find("no owner any more"), std::string::npos);
  // An environment's owner, a reader and recovery sign none for the vault; a vault's owner none for it.
  for (const PrivateIdentity* who : {&world.second, &world.recovery, &world.web1}) {
    VaultList other = backup;
    EXPECT_FALSE(Accept(other, *who, OfVault(other)));
  }
  EXPECT_FALSE(Accept(world.environment, rita, OfEnvironment()));
  EXPECT_FALSE(Accept(world.environment, world.recovery, OfEnvironment()));
  EXPECT_FALSE(Accept(world.secret, world.recovery, OfSecret(world.secret, 10)));
}

TEST_F(RestoreTest, NobodyReturnsByIt) {
  ASSERT_TRUE(world.Add(world.vault, world.owner, VaultOwnerAdd{rita.identity()}));
  const VaultList backup = world.vault;
  ASSERT_TRUE(world.Add(world.vault, world.owner, VaultOwnerRemove{rita.Id()}));
  ASSERT_TRUE(world.Add(world.vault, world.owner, IdentityRemove{world.web1.Id(), "web-1"}));
  const Statements seen = world.vault.Statements();
  VaultList restored = backup;
  ASSERT_TRUE(Accept(restored, world.owner, OfVault(restored)));
  EXPECT_NE(Said(CheckRestored(seen, restored)).find("rita"), std::string::npos);
  ASSERT_TRUE(world.Add(restored, world.owner, VaultOwnerRemove{rita.Id()}));
  EXPECT_NE(Said(CheckRestored(seen, restored)).find("web-1"), std::string::npos);
  ASSERT_TRUE(world.Add(restored, world.owner, IdentityRemove{world.web1.Id(), "web-1"}));
  EXPECT_EQ(Said(CheckRestored(seen, restored)), "");
  // An owner may make her one anew: that is not the backup's doing.
  ASSERT_TRUE(world.Add(restored, world.owner, VaultOwnerAdd{rita.identity()}));
  EXPECT_EQ(Said(CheckRestored(seen, restored)), "");
}

TEST_F(RestoreTest, MembersOfAnEnvironmentNeither) {
  ASSERT_TRUE(AddReader(rita));
  const EnvironmentList backup = world.environment;
  ASSERT_TRUE(world.Remove(rita));
  const Statements seen = world.environment.Statements();
  world.environment = backup;
  ASSERT_TRUE(Accept(world.environment, world.owner, OfEnvironment()));
  EXPECT_NE(Said(CheckRestored(seen, world.environment)).find("rita"), std::string::npos);
  world.environment_key = Must(UnsealKey::Generate());
  ASSERT_TRUE(world.Remove(rita));
  EXPECT_EQ(Said(CheckRestored(seen, world.environment)), "");
}

TEST_F(RestoreTest, ARoleThatWasTakenDoesNotComeBack) {
  const EnvironmentList backup = world.environment;
  MemberChange change{world.second.Id(), Role::kWriter, "tls/", {}, {}};
  change.epoch = world.EpochAfterRemoving(world.second.Id()).epoch;
  ASSERT_TRUE(world.Add(world.environment, world.owner, change));
  const Statements seen = world.environment.Statements();
  const ListMemory memory = ListMemory::Of(seen);
  EXPECT_FALSE(memory.owners.contains(world.second.Id()));
  EnvironmentList by_himself = world.environment = backup;
  ASSERT_TRUE(Accept(by_himself, world.second, OfEnvironment())) << "the backup has him as an owner";
  EXPECT_NE(Said(CheckRestored(seen, by_himself)).find("no owner any more"), std::string::npos);
  ASSERT_TRUE(Accept(world.environment, world.owner, OfEnvironment()));
  EXPECT_NE(Said(CheckRestored(seen, world.environment)).find("came back"), std::string::npos);
  EXPECT_EQ(UndoneBy(memory, world.environment, 1000).changed.size(), 1u);
  world.environment_key = Must(UnsealKey::Generate());
  change.epoch = world.EpochAfterRemoving(world.second.Id()).epoch;
  ASSERT_TRUE(world.Add(world.environment, world.owner, change));
  EXPECT_EQ(Said(CheckRestored(seen, world.environment)), "");
}

TEST_F(RestoreTest, AFormerRecoveryIdentityDoesNotComeBack) {
  const VaultList backup = world.vault;
  const PrivateIdentity next = MakeIdentity("recovery");
  ASSERT_TRUE(world.Add(world.vault, world.owner, RecoveryReplace{next.identity()}));
  const Statements seen = world.vault.Statements();
  VaultList restored = backup;
  ASSERT_TRUE(Accept(restored, world.owner, OfVault(restored)));
  EXPECT_NE(Said(CheckRestored(seen, restored)).find("came back"), std::string::npos);
  ASSERT_TRUE(world.Add(restored, world.owner, RecoveryReplace{next.identity()}));
  EXPECT_EQ(Said(CheckRestored(seen, restored)), "");
}

TEST_F(RestoreTest, AStandingInvitationThatWasWithdrawnDoesNotComeBack) {
  const auto invite = Must(InviteSecret::Generate());
  ASSERT_TRUE(world.Add(world.machines, world.owner, InvitationStand{StandingOf(invite)}));
  const MachinesList backup = world.machines;
  ASSERT_TRUE(world.Add(world.machines, world.owner, InvitationWithdraw{invite.id()}));
  const Statements seen = world.machines.Statements();
  MachinesList restored = backup;
  ASSERT_TRUE(Accept(restored, world.owner, Plain(restored)));
  EXPECT_NE(Said(CheckRestored(seen, restored)).find("came back"), std::string::npos);
  ASSERT_TRUE(world.Add(restored, world.owner, InvitationWithdraw{invite.id()}));
  EXPECT_EQ(Said(CheckRestored(seen, restored)), "");
}

TEST_F(RestoreTest, AnOldBackupWithAnOldRestoreIsLowerThanWhatFollowedIt) {
  const SecretList backup = world.secret;
  ASSERT_TRUE(world.AddTo(world.secret, world.owner, world.VersionOf(world.secret)));
  SecretList restored = backup;
  ASSERT_TRUE(Accept(restored, world.owner, OfSecret(restored, 10)));
  const SecretList first = restored;
  EXPECT_EQ(Said(CheckRestored(world.secret.Statements(), first)), "");
  ASSERT_TRUE(world.AddTo(restored, world.owner, world.VersionOf(restored)));
  EXPECT_EQ(restored.state().version, 11u) << "numbers go on above what was lost";
  const Statements seen = restored.Statements();
  EXPECT_FALSE(CheckRestored(seen, first)) << "the same backup and restore again";
  EXPECT_FALSE(CheckRestored(seen, backup));
  // A second restore after that, of the backup from before both, and of the one between.
  SecretList second = backup, third = first;
  ASSERT_TRUE(Accept(second, world.owner, OfSecret(second, 20), 2000));
  EXPECT_EQ(Said(CheckRestored(seen, second)), "");
  ASSERT_TRUE(Accept(third, world.owner, OfSecret(third, 20), 3000));
  EXPECT_EQ(Said(CheckRestored(seen, third)), "");
  EXPECT_EQ(Said(CheckRestored(second.Statements(), third)), "");
}

TEST_F(RestoreTest, NoNumberOfAVersionIsGivenOutAgain) {
  const SecretList backup = world.secret;
  for (int i = 0; i < 3; ++i)
    ASSERT_TRUE(world.AddTo(world.secret, world.owner, world.VersionOf(world.secret)));
  const Statements seen = world.secret.Statements();
  SecretList restored = backup;
  ASSERT_TRUE(Accept(restored, world.owner, OfSecret(restored, 2)));
  EXPECT_NE(Said(CheckRestored(seen, restored)).find("version 3"), std::string::npos);
  ASSERT_TRUE(Accept(restored, world.owner, OfSecret(restored, 4), 2000));
  EXPECT_EQ(Said(CheckRestored(seen, restored)), "");
}

TEST_F(RestoreTest, RevokedGrantsAndWhatWasDestroyedDoNotComeBack) {
  ASSERT_TRUE(world.AddTo(world.secret, world.owner, GrantAdd{world.GrantTo(world.web1, 3)}));
  ASSERT_TRUE(world.AddTo(world.secret, world.owner, GrantAdd{world.GrantTo(world.web2, 4)}));
  ASSERT_TRUE(world.AddTo(world.secret, world.owner, world.VersionOf(world.secret)));
  const SecretList backup = world.secret;
  ASSERT_TRUE(world.AddTo(world.secret, world.owner, GrantRevoke{GranteeKind::kMachine, 3}));
  Grant narrow = world.GrantTo(world.web2, 4);
  narrow.strict = true;
  ASSERT_TRUE(world.AddTo(world.secret, world.owner, GrantAdd{narrow}));
  ASSERT_TRUE(world.AddTo(world.secret, world.owner, VersionDestroy{{1}, {kPreviousLabel}}));
  ASSERT_TRUE(world.AddTo(world.secret, world.owner, SecretDelete{}));
  const Statements seen = world.secret.Statements();
  SecretList restored = backup;
  ASSERT_TRUE(Accept(restored, world.owner, OfSecret(restored, 10)));
  const Undone undone = UndoneBy(ListMemory::Of(seen), restored, 1000);
  EXPECT_EQ(undone.grants.size(), 1u);
  EXPECT_EQ(undone.wider.size(), 1u);
  EXPECT_EQ(undone.versions, std::vector<std::uint32_t>{1});
  EXPECT_TRUE(undone.deleted);
  EXPECT_FALSE(undone.destroyed);
  for (const Act& act : std::vector<Act>{GrantRevoke{GranteeKind::kMachine, 3}, GrantAdd{narrow},
                                         VersionDestroy{{1}, {kPreviousLabel}}, SecretDelete{}}) {
    EXPECT_NE(Said(CheckRestored(seen, restored)).find("came back"), std::string::npos) << ActName(act);
    ASSERT_TRUE(world.AddTo(restored, world.owner, act));
  }
  EXPECT_EQ(Said(CheckRestored(seen, restored)), "");
}

TEST_F(RestoreTest, ASecretMadeSinceHasANumberAboveAllThatWereLost) {
  ASSERT_TRUE(Accept(world.vault, world.owner, OfVault(world.vault)));
  const auto create = [&](std::uint64_t number) {
    SecretList list(number);
    return world.AddTo(list, world.owner,
                       SecretCreate{number, "shop/prod", "other", SecretType::kValue, "", ""});
  };
  EXPECT_FALSE(create(999));
  EXPECT_TRUE(create(1000));
}

TEST_F(RestoreTest, AMachinesViewBeginsWithOneAndHasNoneElsewhere) {
  ASSERT_TRUE(world.AddTo(world.secret, world.owner, GrantAdd{world.GrantTo(world.web1, 3)}));
  const std::uint64_t granted = world.secret.head()->sequence;
  ASSERT_TRUE(Accept(world.secret, world.owner, OfSecret(world.secret, 10)));
  SecretList view = SecretList::Partial(7, 1000);
  EXPECT_TRUE(view.Receive(world.secret.At(1000), world.Upper()));
  EXPECT_TRUE(view.CheckStanding(world.Upper()));
  SecretList long_view = SecretList::Partial(7, granted);
  ASSERT_TRUE(long_view.Receive(world.secret.At(granted), world.Upper()));
  EXPECT_EQ(long_view.Receive(world.secret.At(1000), world.Upper()).error().code, Code::kIntegrity);
}

TEST_F(RestoreTest, AnotherListIsNoBackupAtAll) {
  World other;
  Statement statement = other.Next(other.vault, other.owner, OfVault(other.vault));
  statement.sequence = 1000;
  ASSERT_TRUE(other.vault.Append(other.Sign(statement, other.owner), other.Upper()));
  EXPECT_NE(Said(CheckRestored(world.vault.Statements(), other.vault)).find("fork"), std::string::npos);
}

TEST_F(RestoreTest, NeedsTheLevelThatKnowsIt) {
  VaultList old;
  VaultCreate create{world.owner.identity(), world.recovery.identity(), {Hash{}}, "vault.test/log", {}, 1};
  Statement first;
  first.list = ListId::Vault();
  first.signer = world.owner.Id();
  first.act = create;
  ASSERT_TRUE(old.Append(world.Sign(first, world.owner), {}));
  const auto next = [&](Act act, std::uint64_t sequence) {
    Statement statement;
    statement.vault = old.vault_id();
    statement.list = ListId::Vault();
    statement.sequence = sequence;
    statement.previous = old.head()->hash;
    statement.signer = world.owner.Id();
    statement.act = std::move(act);
    return world.Sign(statement, world.owner);
  };
  const auto restore = next(OfVault(old), 1000);
  EXPECT_NE(Said(VaultList(old).Append(restore, {})).find("grantfs level raise"), std::string::npos);
  EXPECT_TRUE(VaultList(old).Receive(restore, {})) << "what is there is read by who knows it";
  ASSERT_TRUE(old.Append(next(LevelRaise{2}, 1), {}));
  EXPECT_EQ(old.level(), 2);
  EXPECT_FALSE(VaultList(old).Append(next(LevelRaise{2}, 2), {})) << "no raise";
  EXPECT_TRUE(old.Append(next(OfVault(old), 1000), {}));
  InvitationCreate invite;
  EXPECT_EQ(LevelOf(invite), 1);
  invite.invitation.lives = 60;
  EXPECT_EQ(LevelOf(invite), 2) << "an older program refuses what it does not know";
}

TEST(LevelTest, AnActWithAMemberThatTheFirstReleaseDidNotKnowNeedsMore) {
  InvitationCreate invite;
  MachineApprove approve;
  EXPECT_EQ(LevelOf(invite), 1);
  EXPECT_EQ(LevelOf(approve), 1);
  invite.invitation.lives = 60;
  approve.not_after = 4102444800;
  EXPECT_EQ(LevelOf(invite), 2);
  EXPECT_EQ(LevelOf(approve), 2);
  EXPECT_EQ(LevelOf(GroupCreate{}), 2);
  EXPECT_EQ(LevelOf(RulesSet{}), 2);
}

}  // namespace
}  // namespace grantfs::testing

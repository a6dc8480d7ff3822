// The recovery identity: what it may, and what becomes of it when another takes its place.

#include "world.h"

namespace grantfs::testing {
namespace {

class RecoveryTest : public ::testing::Test {
 protected:
  RecoveryTest() { copy.bytes[0] = 1; }
  MemberAdd NewOwner() const { return {heir.identity(), Role::kOwner, "", copy}; }
  template <typename List>
  List Again(const List& list, List empty) {
    for (const auto& statement : list.Statements()) {
      const Status received = empty.Receive(statement, world.Upper());
      EXPECT_TRUE(received) << Describe(received.error());
    }
    return empty;
  }

  World world;
  PrivateIdentity heir = MakeIdentity("heir");
  PrivateIdentity other = MakeIdentity("recovery");
  Hash copy;
};

TEST_F(RecoveryTest, MakesOwnersOfBothKindsAndNothingElse) {
  EXPECT_TRUE(world.Add(world.vault, world.recovery, VaultOwnerAdd{heir.identity()}));
  EXPECT_TRUE(world.Add(world.environment, world.recovery, NewOwner()));
  for (const Act& act : std::vector<Act>{IdentityAdd{other.identity()}, PinsSet{{Hash{}}},
                                         RecoveryReplace{other.identity()}, LevelRaise{2},
                                         IdentityRemove{heir.Id(), "heir"}})
    EXPECT_FALSE(world.Add(world.vault, world.recovery, act)) << ActName(act);
  EXPECT_FALSE(world.Add(world.environment, world.recovery,
                         MemberAdd{MakeIdentity("eve").identity(), Role::kReader, "", copy}));
  EXPECT_FALSE(world.AddTo(world.secret, world.recovery, GrantAdd{world.GrantTo(world.web1, 3)}));
}

TEST_F(RecoveryTest, WhatTheOneBeforeSignedNeedsASuccessor) {
  ASSERT_TRUE(world.Add(world.environment, world.recovery, NewOwner()));
  ASSERT_TRUE(world.Add(world.vault, world.owner, RecoveryReplace{other.identity()}));
  EXPECT_EQ(world.vault.recovery().Id(), other.Id());
  EXPECT_FALSE(world.vault.IsRecovery(world.recovery.Id()));
  EXPECT_FALSE(world.environment.CheckStanding(world.Upper()));
  EXPECT_FALSE(world.environment.HasFollowedRecovery(world.vault));
  ASSERT_TRUE(world.Add(world.environment, world.owner, Vouch{}));
  EXPECT_FALSE(world.environment.HasFollowedRecovery(world.vault));
  ASSERT_TRUE(world.Add(world.environment, world.owner, EpochStart{world.EpochAfterRemoving({}).epoch}));
  EXPECT_TRUE(world.environment.HasFollowedRecovery(world.vault));
  const EnvironmentList again = Again(world.environment, EnvironmentList("shop/prod"));
  EXPECT_TRUE(again.CheckStanding(world.Upper()));
  EXPECT_EQ(again.RoleOf(heir.Id()), Role::kOwner) << "read from the beginning by who knows the other alone";
}

TEST_F(RecoveryTest, AFormerOneSignsNothingMore) {
  const Statement old = world.Next(world.environment, world.recovery, NewOwner());
  ASSERT_TRUE(world.Add(world.vault, world.owner, RecoveryReplace{other.identity()}));
  EXPECT_FALSE(world.Add(world.vault, world.recovery, VaultOwnerAdd{heir.identity()}));
  EXPECT_FALSE(world.Add(world.environment, world.recovery, NewOwner()));
  // Nor by the heads of its time: what it signs so counts no more than what a leaver signs.
  EnvironmentList list = world.environment;
  ASSERT_TRUE(list.Receive(world.Sign(old, world.recovery), world.Upper()));
  EXPECT_FALSE(list.CheckStanding(world.Upper()));
  EXPECT_TRUE(world.Add(world.vault, other, VaultOwnerAdd{heir.identity()}));
}

// Whoever has the old code and the vault's database makes himself an owner of an environment that has not
// followed yet, by heads of the code's time, and vouches for it himself.
TEST_F(RecoveryTest, WhomAFormerOneMakesAnOwnerDoesNotVouchForIt) {
  const Statement old = world.Next(world.environment, world.recovery, NewOwner());
  ASSERT_TRUE(world.Add(world.vault, world.owner, RecoveryReplace{other.identity()}));
  EnvironmentList list = world.environment;
  ASSERT_TRUE(list.Receive(world.Sign(old, world.recovery), world.Upper()));
  ASSERT_TRUE(list.Receive(world.Made(list, heir, Vouch{}), world.Upper()));
  EXPECT_FALSE(list.CheckStanding(world.Upper()));
  const PrivateIdentity friend_of = MakeIdentity("friend");
  ASSERT_TRUE(list.Receive(world.Made(list, heir, MemberAdd{friend_of.identity(), Role::kOwner, "", copy}),
                           world.Upper()));
  ASSERT_TRUE(list.Receive(world.Made(list, friend_of, Vouch{}), world.Upper()));
  EXPECT_FALSE(list.CheckStanding(world.Upper()));
  EXPECT_EQ(list.FirstUncounted(world.Upper()), old.sequence);
  EnvironmentList voided = list;
  ASSERT_TRUE(world.Add(voided, world.owner, Void{old.sequence, *list.HashAt(old.sequence)}));
  EXPECT_EQ(voided.RoleOf(heir.Id()), std::nullopt);
  EXPECT_TRUE(world.Add(list, world.owner, Vouch{})) << "who means it says so";
  EXPECT_TRUE(list.CheckStanding(world.Upper()));
}

TEST_F(RecoveryTest, AFormerOneDoesNotMakeItselfAnOwner) {
  Statement old = world.Next(world.environment, world.recovery,
                             MemberAdd{world.recovery.identity(), Role::kOwner, "", copy});
  ASSERT_TRUE(world.Add(world.vault, world.owner, RecoveryReplace{other.identity()}));
  EnvironmentList list = world.environment;
  ASSERT_TRUE(list.Receive(world.Sign(old, world.recovery), world.Upper()));
  EXPECT_FALSE(list.CheckStanding(world.Upper()));
  EXPECT_EQ(list.RoleOf(world.recovery.Id()), std::nullopt);
}

// The usual case: the one owner lost his key, and who came by the code replaces the code.
TEST_F(RecoveryTest, WhoTookTheVaultOverByTheCodeReplacesIt) {
  ASSERT_TRUE(world.Add(world.vault, world.recovery, VaultOwnerAdd{heir.identity()}));
  ASSERT_TRUE(world.Add(world.environment, world.recovery, NewOwner()));
  ASSERT_TRUE(world.Add(world.vault, heir, RecoveryReplace{other.identity()}));
  ASSERT_TRUE(world.Add(world.environment, heir, Vouch{}));
  EXPECT_TRUE(world.environment.CheckStanding(world.Upper()));
}

TEST_F(RecoveryTest, OnlyAVaultsOwnerReplacesItByAKeyOfItsOwn) {
  EXPECT_FALSE(world.Add(world.vault, world.second, RecoveryReplace{other.identity()}));
  EXPECT_FALSE(world.Add(world.vault, world.owner, RecoveryReplace{world.owner.identity()}));
  EXPECT_FALSE(world.Add(world.vault, world.owner, RecoveryReplace{world.recovery.identity()}));
  EXPECT_FALSE(world.Add(world.vault, world.owner, RecoveryReplace{world.web1.identity()}));
  ASSERT_TRUE(world.Add(world.vault, world.owner, RecoveryReplace{other.identity()}));
  EXPECT_FALSE(world.Add(world.vault, world.owner, RecoveryReplace{world.recovery.identity()})) << "for good";
  EXPECT_FALSE(world.Add(world.vault, world.owner, IdentityRemove{other.Id(), "recovery"}));
}

}  // namespace
}  // namespace grantfs::testing

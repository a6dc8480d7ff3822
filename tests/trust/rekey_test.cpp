// Another key in the place of somebody's: who may put it there, what it is then, and what the one before is
// worth.

#include <algorithm>
#include <optional>

#include "grantfs/trust/restore.h"
#include "world.h"

namespace grantfs::testing {
namespace {

class RekeyTest : public ::testing::Test {
 protected:
  RekeyTest() {
    copy.bytes[0] = 1;
    EXPECT_TRUE(world.Add(world.vault, world.owner, IdentityAdd{wim.identity()}));
    EXPECT_TRUE(world.Add(world.environment, world.owner, MemberAdd{wim.identity(), Role::kWriter, "", {}}));
  }
  Status Replace(const PrivateIdentity& by, const PrivateIdentity& before, const PrivateIdentity& now) {
    return world.Add(world.vault, by, IdentityReplace{before.Id(), now.identity()});
  }
  Code Refused(const PrivateIdentity& by, const Hash& before, const Identity& now) {
    const std::uint64_t next = world.vault.next_sequence();
    const Status status = world.Add(world.vault, by, IdentityReplace{before, now});
    EXPECT_FALSE(status) << "was to be refused";
    EXPECT_EQ(world.vault.next_sequence(), next);
    return status ? Code::kIo : status.error().code;
  }
  /// As an owner's client does it in an environment: in one append.
  void Follow(const PrivateIdentity& before, const PrivateIdentity& now, Role role) {
    const bool reads = RoleAllows(role, Operation::kReadValue);
    ASSERT_TRUE(world.Add(world.environment, world.owner,
                          MemberAdd{now.identity(), role, "", reads ? copy : Hash{}}));
    const auto epoch = world.EpochAfterRemoving(before.Id());
    ASSERT_TRUE(world.Add(world.environment, world.owner,
                          MemberRemove{before.Id(), reads ? std::optional(epoch.epoch) : std::nullopt}));
  }
  bool Receives(const PrivateIdentity& who) const {
    const auto to = world.environment.EpochRecipients(world.vault);
    return std::any_of(to.begin(), to.end(), [&](const Identity& one) { return one.Id() == who.Id(); });
  }

  World world;
  PrivateIdentity wim = MakeIdentity("wim");
  PrivateIdentity wim2 = MakeIdentity("wim");
  PrivateIdentity bob2 = MakeIdentity("bob");
  Hash copy;
};

TEST_F(RekeyTest, TheNewKeyHasTheNameAndTheOneBeforeIsRemoved) {
  ASSERT_TRUE(Replace(world.owner, wim, wim2));
  EXPECT_TRUE(world.vault.IsRemoved(wim.Id()));
  EXPECT_FALSE(world.vault.IsRemoved(wim2.Id()));
  ASSERT_NE(world.vault.FindPerson(wim2.Id()), nullptr);
  ASSERT_EQ(world.vault.People().size(), 1u);
  EXPECT_EQ(world.vault.People()[0].Id(), wim2.Id());
  EXPECT_FALSE(world.vault.IsOwner(wim2.Id()));
  ASSERT_NE(world.vault.ReplacementOf(wim.Id()), nullptr);
  EXPECT_EQ(world.vault.ReplacementOf(wim2.Id()), nullptr);
  EXPECT_EQ(world.environment.RoleOf(wim2.Id()), std::nullopt) << "an environment's role is its own list's";
  EXPECT_EQ(world.environment.RoleOf(wim.Id()), Role::kWriter);
  const auto wim3 = MakeIdentity("wim");
  ASSERT_TRUE(Replace(world.owner, wim2, wim3));
  EXPECT_EQ(world.vault.ReplacementOf(wim.Id())->Id(), wim3.Id()) << "whoever missed one finds the last";
  VaultList again;
  for (const auto& statement : world.vault.Statements()) ASSERT_TRUE(again.Receive(statement, {}));
  EXPECT_TRUE(again.CheckStanding({}));
  EXPECT_EQ(again.ReplacementOf(wim.Id())->Id(), wim3.Id());
  EXPECT_EQ(LevelOf(IdentityReplace{}), 2) << "the first release refuses the whole list";
}

TEST_F(RekeyTest, WhoOwnedTheVaultOwnsItByTheNewKey) {
  ASSERT_TRUE(world.Add(world.vault, world.owner, VaultOwnerAdd{world.second.identity()}));
  const auto invite = Must(InviteSecret::Generate());
  ASSERT_TRUE(world.Add(world.machines, world.second, InvitationCreate{InvitationOf(invite)}));
  ASSERT_TRUE(Replace(world.owner, world.second, bob2));
  EXPECT_FALSE(world.vault.IsOwner(world.second.Id()));
  EXPECT_TRUE(world.vault.IsOwner(bob2.Id()));
  EXPECT_TRUE(world.vault.CheckStanding({}));
  EXPECT_EQ(world.machines.FirstUncounted(world.Upper()), 1u)
      << "what the key before signed has no successor";
  EXPECT_EQ(world.Add(world.vault, world.second, PinsSet{{Hash{}}}).error().code, Code::kDenied);
  EXPECT_EQ(world.Add(world.machines, world.second, Vouch{}).error().code, Code::kDenied);
  EXPECT_TRUE(world.Add(world.machines, bob2, Vouch{}));
  EXPECT_TRUE(world.machines.CheckStanding(world.Upper()));
  EXPECT_TRUE(world.Add(world.vault, bob2, PinsSet{{Hash{}}}));
}

TEST_F(RekeyTest, OnlyAnOwnerOfTheVaultMayAndNotOfHisOwnKey) {
  for (const auto* by : {&world.second, &world.recovery, &wim, &wim2, &world.web1})
    EXPECT_EQ(Refused(*by, wim.Id(), wim2.identity()), Code::kDenied) << by->identity().name;
  const auto ann2 = MakeIdentity("ann");
  EXPECT_EQ(Refused(world.owner, world.owner.Id(), ann2.identity()), Code::kInvalid)
      << "a stolen key would put itself out of reach";
  ASSERT_TRUE(world.Add(world.vault, world.owner, VaultOwnerAdd{world.second.identity()}));
  EXPECT_TRUE(Replace(world.second, world.owner, ann2)) << "another owner's word";
}

TEST_F(RekeyTest, ItIsTheSamePersonsAndNoKeyThatWasKnown) {
  auto other = MakeIdentity("mallory"), agent = MakeIdentity("wim", IdentityKind::kAgent);
  auto machine = MakeIdentity("wim", IdentityKind::kMachine);
  for (const auto* now : {&other, &agent, &machine, &wim, &world.recovery, &world.owner})
    EXPECT_EQ(Refused(world.owner, wim.Id(), now->identity()), Code::kInvalid) << now->identity().name;
  for (const auto* before : {&other, &world.web1, &world.recovery})
    EXPECT_EQ(Refused(world.owner, before->Id(), MakeIdentity(before->identity().name).identity()),
              Code::kInvalid)
        << before->identity().name;
  ASSERT_TRUE(Replace(world.owner, wim, wim2));
  EXPECT_EQ(Refused(world.owner, wim.Id(), MakeIdentity("wim").identity()), Code::kInvalid) << "once";
  EXPECT_EQ(Refused(world.owner, wim2.Id(), wim.identity()), Code::kInvalid) << "it never returns";
  EXPECT_FALSE(world.Add(world.vault, world.owner, IdentityAdd{wim.identity()}));
  EXPECT_FALSE(world.Add(world.vault, world.owner, IdentityRemove{wim.Id(), "wim"}))
      << "it is removed already";
  ASSERT_TRUE(world.Add(world.vault, world.owner, IdentityRemove{wim2.Id(), "wim"}));
  EXPECT_EQ(Refused(world.owner, wim2.Id(), MakeIdentity("wim").identity()), Code::kInvalid);
}

TEST_F(RekeyTest, ADemotedOwnerReplacesNobody) {
  ASSERT_TRUE(world.Add(world.vault, world.owner, VaultOwnerAdd{world.second.identity()}));
  ASSERT_TRUE(world.Add(world.vault, world.owner, VaultOwnerRemove{world.second.Id()}));
  const auto thief = MakeIdentity("wim");
  const auto late = world.Made(world.vault, world.second, IdentityReplace{wim.Id(), thief.identity()});
  EXPECT_EQ(VaultList(world.vault).Append(late, {}).error().code, Code::kDenied);
  // A lying vault lets it in.
  VaultList served = world.vault;
  ASSERT_TRUE(served.Receive(late, {}));
  EXPECT_FALSE(served.CheckStanding({}));
  EXPECT_EQ(served.ReplacementOf(wim.Id()), nullptr);
  EXPECT_FALSE(served.IsRemoved(wim.Id()));
  EXPECT_EQ(served.FindPerson(thief.Id()), nullptr);
  const std::uint64_t at = served.next_sequence() - 1;
  ASSERT_TRUE(world.Add(served, world.owner, Void{at, *served.HashAt(at)}));
  EXPECT_TRUE(served.CheckStanding({}));
  EXPECT_TRUE(world.Add(served, world.owner, IdentityReplace{wim.Id(), wim2.identity()}));
  EXPECT_EQ(served.ReplacementOf(wim.Id())->Id(), wim2.Id());
}

// A hostile vault that has the key before: it shows what that signs, and hides from whom it can that it
// ended.
TEST_F(RekeyTest, WhatTheKeyBeforeSignsAfterwardsDoesNotCount) {
  ASSERT_TRUE(world.AddTo(world.secret, wim, world.VersionOf(world.secret)));
  const EnvironmentList hidden = world.environment;
  ASSERT_TRUE(Replace(world.owner, wim, wim2));
  const auto late = world.MadeOf(world.secret, wim, world.VersionOf(world.secret));
  Follow(wim, wim2, Role::kWriter);
  EXPECT_EQ(world.secret.FirstUncounted(world.Upper()), 2u) << "also what it signed in good time";
  ASSERT_TRUE(world.AddTo(world.secret, world.owner, Vouch{}));
  EXPECT_TRUE(world.secret.CheckStanding(world.Upper()));
  EXPECT_EQ(world.AddTo(world.secret, wim, world.VersionOf(world.secret)).error().code, Code::kDenied);

  SecretList served(7);
  for (std::uint64_t i = 0; i < 3; ++i) ASSERT_TRUE(served.Receive(world.secret.At(i), world.Upper()));
  ASSERT_TRUE(served.Receive(late, world.Upper()));
  EXPECT_TRUE(served.CheckStanding({&world.vault, &hidden})) << "by one who cannot know";
  EXPECT_EQ(served.FirstUncounted(world.Upper()), 2u);
  EXPECT_FALSE(world.AddTo(served, wim2, world.VersionOf(served))) << "nobody builds on it";
  ASSERT_TRUE(world.AddTo(served, world.owner, Void{2, *served.HashAt(2)}));
  EXPECT_EQ(served.Current()->publish.version, 1u);
  EXPECT_TRUE(world.AddTo(served, wim2, world.VersionOf(served)));
  EXPECT_TRUE(served.CheckStanding(world.Upper()));
}

TEST_F(RekeyTest, NoKeyIsSealedToTheOneBefore) {
  const auto rita = MakeIdentity("rita"), rita2 = MakeIdentity("rita");
  ASSERT_TRUE(world.Add(world.vault, world.owner, IdentityAdd{rita.identity()}));
  ASSERT_TRUE(world.Add(world.environment, world.owner, MemberAdd{rita.identity(), Role::kReader, "", copy}));
  EXPECT_TRUE(Receives(rita));
  ASSERT_TRUE(Replace(world.owner, rita, rita2));
  EXPECT_FALSE(Receives(rita)) << "from the vault's word on, whatever the environment does";
  EXPECT_FALSE(Receives(rita2)) << "nor to the new one before the environment says so";
  Follow(rita, rita2, Role::kReader);
  EXPECT_TRUE(Receives(rita2));
  EXPECT_FALSE(Receives(rita));
  EXPECT_EQ(world.environment.newest_epoch().number, 2u);
  EXPECT_FALSE(world.Add(world.environment, world.owner, MemberRemove{rita2.Id(), {}}))
      << "it has the key now";
}

TEST_F(RekeyTest, ARestoredBackupBringsNoReplacedKeyBack) {
  ASSERT_TRUE(world.Add(world.vault, world.owner, VaultOwnerAdd{world.second.identity()}));
  const VaultList backup = world.vault;
  ASSERT_TRUE(Replace(world.owner, world.second, bob2));
  ASSERT_TRUE(Replace(world.owner, wim, wim2));
  const ListMemory seen = ListMemory::Of(world.vault.Statements());
  EXPECT_TRUE(seen.owners.contains(bob2.Id())) << "who may accept a backup";
  EXPECT_FALSE(seen.owners.contains(world.second.Id()));
  EXPECT_FALSE(seen.owners.contains(wim2.Id()));
  const Undone undone = UndoneBy(seen, backup, backup.next_sequence());
  EXPECT_EQ(undone.owners, std::vector<Hash>{world.second.Id()});
  EXPECT_EQ(undone.removed.size(), 2u);
  EXPECT_TRUE(UndoneBy(seen, world.vault, world.vault.next_sequence()).empty());
}

}  // namespace
}  // namespace grantfs::testing

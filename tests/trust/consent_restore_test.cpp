// What a restored backup, and whoever passes one off, may not take away of the two-owner rule.

#include "consent_fixture.h"
#include "grantfs/trust/restore.h"

namespace grantfs::testing {
namespace {

class ConsentRestoreTest : public ConsentTest {
 protected:
  ConsentRestoreTest() { copy.bytes[0] = 1; }
  /// The environment's list as it was before the rule.
  EnvironmentList Backup() const {
    EnvironmentList list("shop/prod");
    for (const auto& statement : world.environment.Statements()) {
      if (std::holds_alternative<RulesSet>(statement->statement().act)) break;
      EXPECT_TRUE(list.Receive(statement, {&world.vault, nullptr}));
    }
    return list;
  }
  Epoch NextEpoch(const EnvironmentList& list) const {
    return Must(MakeEpoch(list.EpochRecipients(world.vault), &list.newest_epoch(), &world.environment_key))
        .epoch;
  }
  Status Accept(EnvironmentList& list, const PrivateIdentity& who, bool two_owners,
                std::uint64_t sequence = 1000) {
    Statement statement =
        world.Next(list, who, Restore{*list.head(), {}, "", 0, NextEpoch(list), 0, two_owners});
    statement.sequence = sequence;
    return list.Append(world.Sign(statement, who), {&world.vault, nullptr});
  }
  std::string Said(const EnvironmentList& list) const {
    const Status status = CheckRestored(world.environment.Statements(), list);
    return status ? "" : Describe(status.error());
  }

  PrivateIdentity eve = MakeIdentity("eve");
  Hash copy;
};

TEST_F(ConsentRestoreTest, OneOwnerWithABackupFromBeforeItDoesNotEndTheRule) {
  EnvironmentList list = Backup();
  ASSERT_TRUE(Accept(list, world.owner, false));
  EXPECT_NE(Said(list).find("one owner's signature is enough"), std::string::npos) << Said(list);
  // An owner who has seen it says that it holds.
  ASSERT_TRUE(Accept(list, world.second, true, 2000));
  EXPECT_EQ(Said(list), "");
  EXPECT_TRUE(list.two_owners());
  EXPECT_FALSE(list.TwoOwnersAfter(1999));
  EXPECT_TRUE(list.TwoOwnersAfter(2000));
  EXPECT_EQ(world.Add(list, world.owner, MemberAdd{eve.identity(), Role::kOwner, "", copy}).error().code,
            Code::kDenied);
  EXPECT_EQ(world.Add(list, world.owner, RulesSet{false}).error().code, Code::kDenied);
  EXPECT_TRUE(ListMemory::Of(list.Statements()).two_owners);
}

TEST_F(ConsentRestoreTest, TwoOwnersEndItAfterABackupAsEver) {
  EnvironmentList list = Backup();
  ASSERT_TRUE(Accept(list, world.owner, true));
  ASSERT_EQ(Said(list), "");
  ASSERT_TRUE(Agreed(list, world.owner, world.second, RulesSet{false}));
  EXPECT_FALSE(list.two_owners());
  EXPECT_EQ(Said(list), "");
}

TEST_F(ConsentRestoreTest, NobodyIsAnOwnerWhomOneAloneMadeOneBeforeTheRestore) {
  EnvironmentList list = Backup();
  ASSERT_TRUE(world.Add(list, world.owner, MemberAdd{eve.identity(), Role::kOwner, "", copy}));
  ASSERT_TRUE(Accept(list, world.owner, true));
  EXPECT_NE(Said(list).find("eve"), std::string::npos) << Said(list);
  EXPECT_EQ(UndoneBy(ListMemory::Of(world.environment.Statements()), list, 1000).members,
            std::vector<Hash>{eve.Id()});
  ASSERT_TRUE(world.Add(list, world.second, MemberRemove{eve.Id(), NextEpoch(list)}));
  EXPECT_EQ(Said(list), "");
}

TEST_F(ConsentRestoreTest, WhomRecoveryMadeAnOwnerStays) {
  EnvironmentList list = Backup();
  ASSERT_TRUE(world.Add(list, world.recovery, MemberAdd{eve.identity(), Role::kOwner, "", copy}));
  ASSERT_TRUE(Accept(list, world.owner, true));
  EXPECT_EQ(Said(list), "");
}

TEST_F(ConsentRestoreTest, TheRuleHasNoPlaceInARestoreOfAnotherList) {
  VaultList vault = world.vault;
  Statement statement =
      world.Next(vault, world.owner, Restore{*vault.head(), {}, "vault.test/anew", 1000, {}, 0, true});
  statement.sequence = 1000;
  EXPECT_FALSE(vault.Append(world.Sign(statement, world.owner), {}));
  Json json = ActToJson(Restore{{4, Hash{}}, {}, "", 0, NextEpoch(world.environment), 0, true});
  EXPECT_TRUE(ActFromJson(json));
  json.Set("two_owners", false);
  EXPECT_FALSE(ActFromJson(json)) << "one act has one JSON";
}

}  // namespace
}  // namespace grantfs::testing

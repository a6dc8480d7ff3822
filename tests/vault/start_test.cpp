#include "grantfs/sqlite/database.h"
#include "support/direct_vault.h"

// A database that somebody changed is not served.

namespace grantfs::testing {
namespace {

struct StartTest : ::testing::Test, ClaimedVault {
  /// Changes the database behind the vault's back and starts anew.
  Status ReopenAfter(Sql change) {
    direct.Close();
    {
      Database database = Must(Database::Open(direct.database_path()));
      Must(database.Exec(change));
    }
    return direct.Reopen();
  }
};

TEST_F(StartTest, AnEmptyVaultIsThereToBeClaimed) {
  DirectVault fresh;
  EXPECT_EQ(fresh.vault().vault_id(), Hash{});
  EXPECT_FALSE(fresh.vault().FindKey(world.owner.Id().Hex()));
  EXPECT_EQ(Must(fresh.ShowClaim()).name, "vault.test");
}

TEST_F(StartTest, AClaimIsUsedOnce) {
  EXPECT_EQ(direct.vault().MakeClaim().error().code, Code::kConflict);
  EXPECT_EQ(direct.ShowClaim().error().code, Code::kExpired);
  const auto second = direct.Claim({{"x"}, {"y"}});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::kExpired);
}

TEST_F(StartTest, AFreshClaimReplacesTheOneBefore) {
  DirectVault fresh;
  const InviteSecret first = Must(fresh.vault().MakeClaim());
  const InviteSecret second = Must(fresh.vault().MakeClaim());
  EXPECT_FALSE(fresh.vault().FindKey("claim:" + first.id()));
  EXPECT_TRUE(fresh.vault().FindKey("claim:" + second.id()));
}

TEST_F(StartTest, AClaimBindsTheVaultToThisServersKeys) {
  DirectVault fresh;
  VaultWorld strange(fresh);
  const VaultCreate create{
      strange.owner.identity(), strange.recovery.identity(), {Hash{}}, "vault.test/log", {}, 1};
  const auto genesis = VaultWorld::One(strange.Next(strange.vault, strange.owner, create), strange.owner);
  strange.Take(genesis);
  const auto machines =
      VaultWorld::One(strange.Next(strange.machines, strange.owner, MachinesCreate{}), strange.owner);
  const auto made = fresh.Claim({genesis.appends[0].statements, machines.appends[0].statements});
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, Code::kInvalid);
  EXPECT_EQ(fresh.vault().vault_id(), Hash{});
  EXPECT_TRUE(fresh.ShowClaim()) << "a claim that failed is still good";
}

TEST_F(StartTest, ATruncatedVaultListIsRefused) {
  Must(world.AddEnvironment("shop/test"));
  const Status started = ReopenAfter(
      "UPDATE statements SET envelope = replace(envelope, 'sig', 'gis') WHERE sequence = 1 AND list = "
      "(SELECT id FROM lists WHERE name = 'vault')");
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, Code::kIntegrity) << Describe(started.error());
}

TEST_F(StartTest, AForgedStatementIsRefused) {
  auto stored =
      Must(Must(direct.store().Read())->ReadStatements("environment/shop/prod", 0, 1, 1 << 20)).at(0);
  const std::string mark = "\"sig\":\"";
  char& digit = stored.envelope.at(stored.envelope.find(mark) + mark.size());
  digit = digit == 'A' ? 'B' : 'A';
  direct.Close();
  {
    Database database = Must(Database::Open(direct.database_path()));
    Must(database.Run("UPDATE statements SET envelope = ?1 WHERE hash = ?2", stored.envelope,
                      stored.head.hash.View()));
  }
  const Status started = direct.Reopen();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, Code::kIntegrity) << Describe(started.error());
}

TEST_F(StartTest, AMissingEnvironmentListIsRefused) {
  const Status started = ReopenAfter(
      "DELETE FROM statements WHERE list = (SELECT id FROM lists WHERE name = 'environment/shop/prod')");
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, Code::kIntegrity) << Describe(started.error());
}

TEST_F(StartTest, AnotherVaultsListIsRefused) {
  const Status started = ReopenAfter("UPDATE vault SET hash = zeroblob(32)");
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, Code::kIntegrity) << Describe(started.error());
}

TEST_F(StartTest, ASecretWhoseListWasChangedIsRefusedAloneWhenItIsUsed) {
  const auto machine = world.EnrolMachine("web-1");
  for (const char* path : {"a", "b"}) {
    Must(world.Publish("shop/prod", path, path));
    Must(world.GrantTo(machine, "shop/prod", path));
  }
  Must(
      ReopenAfter("DELETE FROM statements WHERE sequence = 1 AND list = "
                  "(SELECT id FROM lists WHERE name = 'secret/1')"));
  api::GrantsRequest request;
  request.secrets = {{NumberOf("b"), 0}};
  EXPECT_TRUE(direct.vault().MachineGrants(direct.Caller(machine.key), request));
  request.secrets = {{NumberOf("a"), 0}};
  const auto bad = direct.vault().MachineGrants(direct.Caller(machine.key), request);
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().code, Code::kIntegrity);
}

}  // namespace
}  // namespace grantfs::testing

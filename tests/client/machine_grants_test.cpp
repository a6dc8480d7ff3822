#include "grantfs/sqlite/database.h"
#include "served_vault.h"

namespace grantfs::testing {
namespace {

// What owners grant and revoke, and what the machine has of it.

class MachineGrantsTest : public ServedTest {
 protected:
  MachineGrantsTest() {
    Set("db-password", "hunter2");
    Machine("web-1");
  }
};

TEST_F(MachineGrantsTest, AGrantWaitsUntilTheMachineShowsIt) {
  const auto session = Mount("web-1");
  GrantOptions options;
  options.wait = std::chrono::milliseconds(9'000);
  const auto granted = Must(Owner().GrantTo("web-1", {{"shop/prod", "db-password"}}, options));
  EXPECT_EQ(granted.delivery.state, Delivery::State::kAcknowledged);
  EXPECT_TRUE(Lists(*session, "db-password"));
  ASSERT_EQ(granted.secrets.size(), 1u);
  EXPECT_EQ(granted.secrets[0].versions, 1u);
  EXPECT_TRUE(Must(Owner().GrantTo("web-1", {{"shop/prod", "db-password"}}, options)).secrets[0].replaced);
}

// As where the disk is full: known.db takes nothing.
TEST_F(MachineGrantsTest, WhatCannotBeRememberedIsNotShownButWhatIsRevokedGoes) {
  Set("token", "t");
  Grant("web-1", "db-password");
  Grant("web-1", "token");
  const auto session = Mount("web-1");
  ASSERT_TRUE(Lists(*session, "db-password", 1) && Lists(*session, "token", 1));
  auto database = Must(Database::Open(Path("web-1") + "/known.db", {.wal = false}));
  Good(database.Exec(
      "CREATE TRIGGER no_room BEFORE INSERT ON granted BEGIN SELECT RAISE(ABORT, 'full'); END"));
  Good(database.Exec(
      "CREATE TRIGGER no_room_either BEFORE DELETE ON granted BEGIN SELECT RAISE(ABORT, 'full'); END"));
  Set("db-password", "rotated");
  EXPECT_TRUE(Eventually([&] { return !session->CurrentStatus().problem.empty(); })) << "the status says so";
  EXPECT_TRUE(Lists(*session, "db-password", 1)) << "after a restart, nobody would know of version 2";
  EXPECT_FALSE(session->HeardWithin(kLong)) << "so that reads of open files ask the vault";
  Revoke("web-1", "token");
  EXPECT_TRUE(Eventually([&] { return !Lists(*session, "token"); }));
  Good(database.Exec("DROP TRIGGER no_room"));
  Good(database.Exec("DROP TRIGGER no_room_either"));
  EXPECT_TRUE(Eventually([&] { return Lists(*session, "db-password", 2); })) << "once there is room";
  EXPECT_TRUE(Eventually([&] { return session->CurrentStatus().problem.empty(); }));
  EXPECT_EQ(ReadText(*session, "db-password"), "rotated");
}

// As after an outage: with ten thousand secrets it would be all of them that are written, and there twice.
TEST_F(MachineGrantsTest, WhatIsToldOnceMoreAndIsNotNewIsNotWritten) {
  Grant("web-1", "db-password");
  ASSERT_TRUE(Lists(*Mount("web-1"), "db-password", 1));
  auto database = Must(Database::Open(Path("web-1") + "/known.db", {.wal = false}));
  Good(
      database.Exec("UPDATE texts SET value = '0' WHERE name = 'change'"));  // so that it asks for everything
  Good(database.Exec(
      "CREATE TRIGGER no_room BEFORE INSERT ON granted BEGIN SELECT RAISE(ABORT, 'full'); END"));
  const auto session = Mount("web-1");
  Good(session->WaitUntilCurrent(kLong));
  EXPECT_EQ(session->CurrentStatus().problem, "");
  EXPECT_TRUE(Lists(*session, "db-password", 1));
  Good(database.Exec("DROP TRIGGER no_room"));
  Set("db-password", "rotated");
  EXPECT_TRUE(Eventually([&] { return Lists(*session, "db-password", 2); }));
}

TEST_F(MachineGrantsTest, AGrantToAMachineThatIsNotThereSaysSo) {
  GrantOptions options;
  EXPECT_EQ(Must(Owner().GrantTo("web-1", {{"shop/prod", "db-password"}}, options)).delivery.state,
            Delivery::State::kOffline);
  EXPECT_EQ(CodeOf(Owner().GrantTo("web-7", {{"shop/prod", "db-password"}}, options)), Code::kNotFound);
}

TEST_F(MachineGrantsTest, ADryRunChangesNothing) {
  GrantOptions options;
  options.dry_run = true;
  EXPECT_EQ(Must(Owner().GrantTo("web-1", {{"shop/prod", "db-password"}}, options)).secrets[0].versions, 1u);
  EXPECT_TRUE(Must(Owner().ListGrants("", {})).empty());
}

TEST_F(MachineGrantsTest, TheReportOfARevocationGoesBackToTheFirstRead) {
  Grant("web-1", "db-password");
  const auto session = Mount("web-1");
  ReadText(*session, "db-password");
  Set("db-password", "rotated");
  ASSERT_TRUE(Eventually([&] { return Lists(*session, "db-password", 2); }));
  // More than one answer of the audit log holds: see kMaxAuditBytes.
  for (int i = 0; i < 1200; ++i) ReadText(*session, "db-password");
  const auto revoked = Must(Owner().RevokeAll("web-1", "left", kLong));
  ASSERT_EQ(revoked.read.size(), 1u);
  EXPECT_EQ(revoked.read[0].versions, (std::vector<std::uint32_t>{1, 2}));
  AuditFilter all;
  all.object = "shop/prod/db-password";
  all.limit = 0;
  EXPECT_GT(Must(Owner().ListAudit(all)).size(), 1201u);
}

TEST_F(MachineGrantsTest, ARevokedSecretIsGoneAtOnceAndTheReportSaysWhatWasRead) {
  Set("unread", "x");
  Grant("web-1", "db-password");
  Grant("web-1", "unread");
  const auto session = Mount("web-1");
  ReadText(*session, "db-password");
  Set("db-password", "rotated");
  ASSERT_TRUE(Eventually([&] { return Lists(*session, "db-password", 2); }));
  ReadText(*session, "db-password");
  const auto revoked = Must(Owner().RevokeAll("web-1", "left", kLong));
  EXPECT_EQ(revoked.revoked.size(), 2u);
  ASSERT_EQ(revoked.read.size(), 1u);
  EXPECT_EQ(revoked.read[0].secret.path, "db-password");
  EXPECT_EQ(revoked.read[0].versions, (std::vector<std::uint32_t>{1, 2}));
  EXPECT_TRUE(revoked.read[0].holds_current);
  EXPECT_EQ(revoked.delivery.state, Delivery::State::kAcknowledged);
  EXPECT_TRUE(session->CurrentListing()->secrets.empty());
  EXPECT_EQ(CodeOf(Read(*session, "db-password")), Code::kNotFound);
  EXPECT_EQ(CodeOf(Owner().RevokeFrom("web-1", {{"shop/prod", "db-password"}}, "", kLong)), Code::kNotFound);
  // Granted again, it is there again.
  Grant("web-1", "db-password");
  ASSERT_TRUE(Eventually([&] { return Lists(*session, "db-password"); }));
  EXPECT_EQ(ReadText(*session, "db-password"), "rotated");
}

TEST_F(MachineGrantsTest, AChangeOfManySecretsIsFollowedWhenAllOfItIs) {
  std::vector<SecretName> names;
  for (int i = 0; i < 40; ++i) {
    names.push_back({"shop/prod", "many/" + std::to_string(i)});
    Set(names.back().path, "x");
  }
  const auto session = Mount("web-1");
  GrantOptions options;
  options.wait = kLong;
  for (int turn = 0; turn < 3; ++turn) {
    const auto granted = Must(Owner().GrantTo("web-1", names, options));
    ASSERT_EQ(granted.delivery.state, Delivery::State::kAcknowledged);
    EXPECT_EQ(session->CurrentListing()->secrets.size(), names.size());
    const auto revoked = Must(Owner().RevokeFrom("web-1", names, "", kLong));
    ASSERT_EQ(revoked.delivery.state, Delivery::State::kAcknowledged);
    EXPECT_TRUE(session->CurrentListing()->secrets.empty());
  }
}

TEST_F(MachineGrantsTest, ARemovedMachineReadsNothing) {
  Grant("web-1", "db-password");
  const auto session = Mount("web-1");
  ReadText(*session, "db-password");
  ASSERT_TRUE(session->CurrentStatus().connected);
  const auto removed = Must(Owner().RemoveIdentity("web-1", "stolen"));
  ASSERT_TRUE(Eventually([&] { return !session->CurrentStatus().problem.empty(); }));
  EXPECT_FALSE(session->CurrentStatus().connected) << "though it was heard a moment ago";
  EXPECT_EQ(removed.revoked.size(), 1u);
  ASSERT_EQ(removed.read.size(), 1u);
  EXPECT_TRUE(removed.problems.empty());
  EXPECT_TRUE(removed.not_owned.empty());
  const auto read = Read(*session, "db-password");
  ASSERT_FALSE(read);
  EXPECT_TRUE(read.error().code == Code::kDenied || read.error().code == Code::kNotFound) << Sentence(read);
  GrantOptions options;
  EXPECT_EQ(CodeOf(Owner().GrantTo("web-1", {{"shop/prod", "db-password"}}, options)), Code::kDenied);
  EXPECT_TRUE(Must(Owner().ShowIdentity("web-1")).removed);
  Must(Owner().RemoveIdentity("web-1", "again"));
  Machine("web-1b");
  EXPECT_TRUE(Must(Owner().VaultStatus()).owed.empty());
}

TEST_F(MachineGrantsTest, ARemovalWithdrawsInvitationsAndRequestsOfTheName) {
  InviteOptions invite;
  invite.name = "web-2";
  std::vector<InviteResult> invitations;
  for (int i = 0; i < 3; ++i) invitations.push_back(Must(Owner().Invite(invite)));
  invite.name = "web-3";
  const auto others = Must(Owner().Invite(invite));
  const std::chrono::milliseconds at_once(0);
  Must(Enrol(Path("web-2"), &invitations[0].line, at_once, {}));
  Must(Owner().Approve("web-2", ""));
  Must(Enrol(Path("thief"), &invitations[1].line, at_once, {}));
  Must(Enrol(Path("web-3"), &others.line, at_once, {}));
  const auto removed = Must(Owner().RemoveIdentity("web-2", "stolen"));
  EXPECT_EQ(removed.invitations.withdrawn, 2u);
  EXPECT_EQ(removed.invitations.waiting, 1u);
  const auto pending = Must(Owner().ListPending());
  ASSERT_EQ(pending.size(), 1u) << "that of another name goes on waiting";
  EXPECT_EQ(pending[0].name, "web-3");
  EXPECT_EQ(CodeOf(Owner().Approve("web-2", "")), Code::kNotFound);
  EXPECT_FALSE(Enrol(Path("late"), &invitations[2].line, at_once, {}));
  EXPECT_FALSE(Enrol(Path("thief"), nullptr, at_once, {}));
  invite.name = "web-2";
  Must(Owner().Invite(invite));
  EXPECT_EQ(Must(Owner().RemoveIdentity("web-2", "again")).invitations.withdrawn, 0u)
      << "it may be invited again";
}

TEST_F(MachineGrantsTest, WhatCannotBeEnforcedIsListedAndDenied) {
  GrantOptions options;
  options.terms.conditions = {"moon=full"};
  options.terms.mode = 0440;
  options.terms.owner = "www-data";
  Grant("web-1", "db-password", options);
  const auto session = Mount("web-1");
  ASSERT_EQ(session->CurrentListing()->secrets.size(), 1u);
  const GrantedSecret& secret = session->CurrentListing()->secrets[0];
  EXPECT_EQ(secret.mode, 0440u);
  EXPECT_EQ(secret.owner, "www-data");
  EXPECT_NE(secret.unenforceable.find("moon=full"), std::string::npos);
  EXPECT_EQ(CodeOf(Read(*session, "db-password")), Code::kUnsupported);
  EXPECT_EQ(session->CurrentStatus().notices.size(), 1u);
}

TEST_F(MachineGrantsTest, AnExpiredGrantIsToldAsThat) {
  GrantOptions options;
  options.terms.expires = SystemClock().WallSeconds() + 2;
  Grant("web-1", "db-password", options);
  const auto session = Mount("web-1");
  ASSERT_TRUE(Eventually([&] {
    const auto read = Read(*session, "db-password");
    return !read && read.error().code == Code::kExpired;
  }));
}

TEST_F(MachineGrantsTest, ManyGrantsComePageByPage) {
  for (int i = 0; i < 30; ++i) Set("secret-" + std::to_string(i), std::to_string(i));
  GrantOptions options;
  options.wait = std::chrono::milliseconds(0);
  Must(Owner().GrantTo("web-1", Must(Owner().ExpandSecrets({"shop/prod/*"})), options));
  const auto session = Mount("web-1");
  EXPECT_EQ(session->CurrentListing()->secrets.size(), 31u);
  EXPECT_EQ(ReadText(*session, "secret-17"), "17");
  EXPECT_EQ(Must(Owner().ListGrants("web-1", {})).size(), 31u);
}

}  // namespace
}  // namespace grantfs::testing

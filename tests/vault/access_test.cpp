#include "support/direct_vault.h"

// Who sees which list, which secret, which record.

namespace grantfs::testing {
namespace {

struct AccessTest : ::testing::Test, PeopledVault {
  AccessTest() : PeopledVault(Role::kReader) {
    granted = world.EnrolMachine("web-1");
    bare = world.EnrolMachine("web-2");
    Must(world.Publish("shop/prod", "a", "one"));
    Must(world.GrantTo(granted, "shop/prod", "a"));
  }
  std::string Reads(const PrivateIdentity& who, const ListId& list) {
    return Said(vault().ReadList(direct.Caller(who), {list, 0, 10}));
  }
  VaultWorld::Machine granted, bare;
};

TEST_F(AccessTest, ListsAreReadByThoseWhoNeedThem) {
  const ListId prod = ListId::Environment("shop/prod");
  const ListId secret = ListId::Secret(NumberOf("a"));
  for (const PrivateIdentity* who :
       {&world.owner, &world.recovery, &reader, &outsider, &granted.key, &bare.key})
    EXPECT_EQ(Reads(*who, ListId::Vault()), "yes");
  EXPECT_EQ(Reads(world.owner, ListId::Machines()), "yes");
  EXPECT_EQ(Reads(world.recovery, ListId::Machines()), "yes");
  EXPECT_EQ(Reads(reader, ListId::Machines()), "denied");
  EXPECT_EQ(Reads(granted.key, ListId::Machines()), "not-found");
  for (const PrivateIdentity* who : {&world.owner, &world.recovery, &reader, &writer, &auditor, &granted.key})
    EXPECT_EQ(Reads(*who, prod), "yes") << who->identity().name;
  EXPECT_EQ(Reads(outsider, prod), "not-found");
  EXPECT_EQ(Reads(bare.key, prod), "not-found");
  for (const PrivateIdentity* who : {&world.owner, &world.recovery, &reader, &writer, &operating})
    EXPECT_EQ(Reads(*who, secret), "yes") << who->identity().name;
  EXPECT_EQ(Reads(auditor, secret), "denied");
  EXPECT_EQ(Reads(outsider, secret), "not-found");
  EXPECT_EQ(Reads(granted.key, secret), "not-found") << "a machine is shown its part of it";
  EXPECT_EQ(Reads(world.owner, ListId::Secret(4711)), "not-found");
  EXPECT_EQ(Reads(world.owner, ListId::Environment("no/such")), "not-found");
}

TEST_F(AccessTest, AListIsReadInPieces) {
  const auto all =
      Must(vault().ReadList(direct.Caller(world.owner), {ListId::Environment("shop/prod"), 0, 500}));
  ASSERT_EQ(all.statements.size(), 5U);
  const auto some =
      Must(vault().ReadList(direct.Caller(world.owner), {ListId::Environment("shop/prod"), 3, 1}));
  ASSERT_EQ(some.statements.size(), 1U);
  EXPECT_EQ(some.statements[0], all.statements[3]);
  EXPECT_EQ(some.head, all.head);
}

TEST_F(AccessTest, AnInvitationReadsTheVaultsListAndNoOther) {
  const InviteSecret invite = world.Invite("web-3", 4'000'000'000);
  const VaultCaller caller = direct.Caller(invite);
  EXPECT_TRUE(vault().ReadList(caller, {ListId::Vault(), 0, 10}));
  EXPECT_EQ(Said(vault().ReadList(caller, {ListId::Environment("shop/prod"), 0, 10})), "not-found");
  EXPECT_EQ(Said(vault().ReadList(caller, {ListId::Machines(), 0, 10})), "not-found");
  EXPECT_EQ(Said(vault().ShowStatus(caller)), "not-found");
}

TEST_F(AccessTest, SecretsAreListedForWhoMayList) {
  const auto list = [&](const PrivateIdentity& who) {
    return Said(vault().ListSecrets(direct.Caller(who), {"shop/prod", "", 10}));
  };
  EXPECT_EQ(list(reader), "yes");
  EXPECT_EQ(list(operating), "yes");
  EXPECT_EQ(list(auditor), "denied");
  EXPECT_EQ(list(outsider), "not-found");
  EXPECT_EQ(list(granted.key), "not-found");
  const auto found = Must(vault().FindSecret(direct.Caller(writer), {"shop/prod", "a"}));
  EXPECT_EQ(found.number, NumberOf("a"));
  EXPECT_EQ(Said(vault().FindSecret(direct.Caller(writer), {"shop/prod", "b"})), "not-found");
}

TEST_F(AccessTest, SealedKeysAreForWhoCanUseThem) {
  const auto copies = [&](const PrivateIdentity& who) {
    return Said(vault().SecretCopies(direct.Caller(who), {NumberOf("a"), {}}));
  };
  EXPECT_EQ(copies(reader), "yes");
  EXPECT_EQ(copies(writer), "yes");
  EXPECT_EQ(copies(operating), "denied");
  EXPECT_EQ(copies(auditor), "denied");
  EXPECT_EQ(copies(outsider), "not-found");
  const auto epochs = [&](const PrivateIdentity& who) {
    return Said(vault().EpochCopies(direct.Caller(who), {"shop/prod"}));
  };
  EXPECT_EQ(epochs(reader), "yes");
  EXPECT_EQ(epochs(world.recovery), "yes");
  EXPECT_EQ(epochs(writer), "denied");
  EXPECT_EQ(epochs(outsider), "not-found");
  EXPECT_EQ(epochs(granted.key), "not-found");
}

TEST_F(AccessTest, NumbersAreReservedOnce) {
  const std::uint64_t first = Must(direct.Reserve(writer, {"shop/prod", 5})).first;
  EXPECT_EQ(Must(direct.Reserve(writer, {"shop/prod", 1})).first, first + 5);
  EXPECT_EQ(Said(direct.Reserve(reader, {"shop/prod", 1})), "denied");
  EXPECT_EQ(Said(direct.Reserve(outsider, {"shop/prod", 1})), "not-found");
}

TEST_F(AccessTest, AVaultOwnerHasNoRightInOthersEnvironments) {
  const PrivateIdentity cid = NewIdentity("cid");
  Must(world.Send(
      world.owner,
      VaultWorld::One(world.Next(world.vault, world.owner, VaultOwnerAdd{cid.identity()}), world.owner)));
  EXPECT_EQ(Reads(cid, ListId::Environment("shop/prod")), "yes");
  EXPECT_EQ(Reads(cid, ListId::Secret(NumberOf("a"))), "not-found");
  EXPECT_EQ(Said(vault().ListSecrets(direct.Caller(cid), {"shop/prod", "", 10})), "not-found");
}

TEST_F(AccessTest, HeadersAreForAllAndBodiesForTheirAuditors) {
  Must(direct.Read(granted.key, NumberOf("a"), "x"));
  const auto bodies = [&](const PrivateIdentity& who) {
    const auto answer = Must(vault().AuditRecords(direct.Caller(who), {0, 1000, true}));
    EXPECT_FALSE(answer.checkpoint.empty());
    std::set<std::string> environments;
    for (const AuditEntry& entry : answer.records) {
      EXPECT_EQ(entry.body.has_value(), entry.salt.has_value());
      if (!entry.body) continue;
      const Json body = Must(ParseJson(*entry.body));
      const Json* named = body.Find("environment");
      environments.insert(named == nullptr ? "" : named->AsString());
    }
    return environments;
  };
  using Set = std::set<std::string>;
  EXPECT_EQ(bodies(world.owner), (Set{"", "shop/prod", "shop/test"}));
  EXPECT_EQ(bodies(auditor), Set{"shop/prod"});
  EXPECT_EQ(bodies(operating), Set{"shop/prod"});
  EXPECT_EQ(bodies(reader), Set{});
  EXPECT_EQ(bodies(granted.key), Set{});
}

TEST_F(AccessTest, ASearchFindsWhatOneMaySee) {
  Must(direct.Read(granted.key, NumberOf("a"), "x"));
  const auto search = [&](const PrivateIdentity& who, api::AuditSearchRequest request) {
    return vault().SearchAudit(direct.Caller(who), request);
  };
  api::AuditSearchRequest of_machine;
  of_machine.actor = granted.key.Id().Hex();
  EXPECT_EQ(Must(search(auditor, of_machine)).records.size(), 1U);
  EXPECT_EQ(Must(search(world.owner, of_machine)).records.size(), 1U);
  api::AuditSearchRequest of_object;
  of_object.environment = "shop/prod";
  of_object.object = "shop/prod/a";
  EXPECT_EQ(Must(search(operating, of_object)).records.size(), 4U) << "created, published, granted, read";
  EXPECT_EQ(Said(search(reader, of_object)), "denied");
  EXPECT_EQ(Said(search(outsider, of_object)), "not-found");
  EXPECT_EQ(Said(search(reader, {})), "denied");
  api::AuditSearchRequest grave;
  grave.at_least = AuditSeverity::kCritical;
  for (const AuditEntry& entry : Must(search(world.owner, grave)).records)
    EXPECT_EQ(Must(ParseLeaf(entry.leaf)).severity, AuditSeverity::kCritical);
  EXPECT_EQ(Must(search(world.owner, grave)).records.size(), 1U) << "the vault was made";
  api::AuditSearchRequest newest;
  newest.limit = 1;
  const auto first = Must(search(auditor, newest));
  ASSERT_EQ(first.records.size(), 1U);
  newest.before = first.records[0].sequence;
  EXPECT_LT(Must(search(auditor, newest)).records.at(0).sequence, first.records[0].sequence);
}

TEST_F(AccessTest, StrangersAttemptsAreCountedIntoOneRecord) {
  for (int i = 0; i < 100; ++i) vault().NoteFailedAuthentication("192.0.2.1");
  vault().NoteFailedAuthentication("192.0.2.2");
  for (int i = 0; i < 5; ++i)
    EXPECT_EQ(Said(direct.Read(bare.key, NumberOf("a"), std::to_string(i))), "not-found");
  Must(direct.Reopen());
  const auto records = direct.Audit("auth.failed");
  ASSERT_EQ(records.size(), 2U);
  std::map<std::string, std::int64_t> counts;
  for (const AuditEntry& entry : records) {
    const Json body = Must(ParseJson(*entry.body));
    counts[body.Find("source")->AsString()] = body.Find("count")->AsNumber();
  }
  EXPECT_EQ(counts, (std::map<std::string, std::int64_t>{{"192.0.2.1", 100}, {"192.0.2.2", 1}}));
  EXPECT_EQ(direct.Audit("read.refused").size(), 1U);
}

}  // namespace
}  // namespace grantfs::testing

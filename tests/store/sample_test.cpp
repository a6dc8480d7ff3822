#include "grantfs/store/audit_verify.h"
#include "sample_internal.h"

namespace grantfs {
namespace {

void CopySample(int schema, const std::string& to) {
  std::filesystem::copy_file(
      std::string(GRANTFS_SOURCE_ROOT) + "/tests/store/data/vault-v" + std::to_string(schema) + ".db", to);
  std::filesystem::permissions(to, std::filesystem::perms(0600));
}

/// A copy of the sample of a schema, opened by the program of today. The parameter 0 is a database that
/// today's program has just made: what the samples are held against is what it writes.
class SampleTest : public StoreTest, public ::testing::WithParamInterface<int> {
 protected:
  void SetUp() override {
    StoreTest::SetUp();
    if (GetParam() != 0) CopySample(GetParam(), DatabasePath());
    Open();
    if (GetParam() == 0) {
      const Status done = FillSample(*store_);
      ASSERT_TRUE(done) << Describe(done.error());
    }
  }
};

TEST_P(SampleTest, TheServerAndItsListsAreThere) {
  auto reader = Reader();
  const auto server = Get(reader->Server());
  ASSERT_TRUE(server);
  EXPECT_EQ(server->name, "vault.lan");
  EXPECT_TRUE(server->log_seed.Equals(TestSecret(32, 7)));
  EXPECT_TRUE(server->tls_key.Equals(TestSecret(100, 0x6B)));
  EXPECT_EQ(Get(reader->VaultId()), TestHash(1));
  EXPECT_EQ(Get(reader->Claim())->seal.bytes, TestHash(3).bytes);
  EXPECT_EQ(Get(reader->NextSecretNumber()), 6U);
  EXPECT_EQ(Get(reader->CurrentChange()), 1U);
  EXPECT_EQ(Get(reader->FindHead("vault")), (Head{1, TestHash(10)}));
  const auto statements = Get(reader->ReadStatements("vault", 0, 10, 1 << 20));
  ASSERT_EQ(statements.size(), 2U);
  EXPECT_EQ(statements[1].envelope, "{\"second\":2}");
  EXPECT_EQ(statements[1].signer, TestHash(9));
  EXPECT_EQ(Get(reader->ListEnrolments(EnrolmentState::kPending, 10)).size(), 1U);
  EXPECT_EQ(Get(reader->FindEnrolment("invite-2"))->changed, kSampleTime + 5);
}

TEST_P(SampleTest, TheSecretsTheirVersionsAndKeysAreThere) {
  auto reader = Reader();
  EXPECT_EQ(Get(reader->ListSecrets("shop/prod", "", 10)).size(), 2U);
  EXPECT_EQ(Get(reader->GetSecret(1))->head, (Head{0, TestHash(11)}));
  EXPECT_EQ(Get(reader->FindGrant(1, GranteeKind::kMachine, 4))->leaf, TestHash(13));
  EXPECT_EQ(Get(reader->FindLabel(1, "current")), 2U);
  EXPECT_EQ(Get(reader->SupersededAt(1, "current", 1)), (kSampleTime + 2) * 1000);
  EXPECT_EQ(Get(reader->ReadCiphertext(1, 2)), Bytes(60, 2));
  EXPECT_EQ(Get(reader->FindVersion(1, 2))->statement, SampleVersion(2).statement);
  EXPECT_EQ(Get(reader->FindCopy(1, 1, RecipientKind::kMachine, 4))->sealed, Bytes(81, 1));
  EXPECT_EQ(Get(reader->EpochCopies("shop/prod", TestHash(9)))[0].sealed, Bytes(81, 4));
}

TEST_P(SampleTest, WhatWasStagedCanBePublished) {
  Must([](StoreWriter& out) -> Status {
    GRANTFS_CHECK(out.PublishVersion(TestHash(9), SampleVersion(3), kSampleTime));
    const auto adopted = GRANTFS_TRY(out.AdoptCopies(TestHash(9), 1, 3, false, kSampleTime));
    EXPECT_EQ(adopted.added, 1U);
    const Hash recipient = TestHash(9);
    GRANTFS_TRY(out.AdoptEpochCopies(TestHash(9), "shop/prod", 2, {&recipient, 1}, false, kSampleTime));
    return {};
  });
  EXPECT_EQ(Get(Reader()->EpochCopies("shop/prod", TestHash(9))).size(), 2U);
}

TEST_P(SampleTest, NothingInItIsDeletedOrExpiresUntilItIsSaid) {
  EXPECT_FALSE(Get(Reader()->GetSecret(1))->deleted);
  EXPECT_EQ(Get(Reader()->FindVersion(1, 2))->expires, 0);
  Must([](StoreWriter& out) { return out.SetDeleted(1, true); });
  EXPECT_TRUE(Get(Reader()->FindSecret("shop/prod", "db-password"))->deleted);
  EXPECT_FALSE(Get(Reader()->GetSecret(2))->deleted);
}

TEST_P(SampleTest, ItCanBeFrozen) {
  const FrozenObject object{FrozenKind::kEnvironment, "shop/prod"};
  Must([&](StoreWriter& out) { return out.PutFreeze({object, TestHash(9), "ann", kSampleTime, ""}); });
  EXPECT_EQ(Get(Reader()->FindFreeze(object))->name, "ann");
}

TEST_P(SampleTest, TheLogIsGoodAndGoesOn) {
  AuditRecord again = TestRecord(4);
  again.severity = AuditSeverity::kInfo;
  again.open_id = "open-4";
  std::uint64_t first = 0;
  Must([&](StoreWriter& out) -> Status {
    first = GRANTFS_TRY(out.Audit(again));
    GRANTFS_TRY(out.Audit(TestRecord(100)));
    return {};
  });
  EXPECT_EQ(first, 4U) << "an open of long ago";
  store_.reset();
  const AuditVerdict verdict =
      Get(VerifyAudit(*Get(OpenAuditDatabase(DatabasePath())), {TestLogKey(), kTestOrigin, {}}));
  EXPECT_TRUE(verdict.good) << verdict.what;
  EXPECT_EQ(verdict.size, static_cast<std::uint64_t>(kSampleRecords + 1));
  EXPECT_EQ(verdict.bodies, verdict.size);
}

const auto kSchemaName = [](const auto& schema) {
  return schema.param == 0 ? "Fresh" : "V" + std::to_string(schema.param);
};
// One for each schema that was released; 0 is the newest, freshly made.
INSTANTIATE_TEST_SUITE_P(Schema, SampleTest, ::testing::Values(0, 1, 2, 3, 4, 5), kSchemaName);

/// What older samples have nothing of.
class SampleSinceFiveTest : public SampleTest {};

TEST_P(SampleSinceFiveTest, GroupsTheirKeysAndGrantsAreThere) {
  auto reader = Reader();
  const auto groups = Get(reader->GroupsOf(RecipientKind::kMachine, 4));
  ASSERT_EQ(groups.size(), 1U);
  EXPECT_EQ(groups[0].group, kSampleGroup);
  EXPECT_EQ(groups[0].epoch, 2U);
  EXPECT_EQ(groups[0].copy.sealed, Bytes(81, 7));
  EXPECT_EQ(Get(reader->FindGroupCopy("shop/prod", kSampleGroup, RecipientKind::kInvitation, 9))->copy.sealed,
            Bytes(81, 8));
  EXPECT_EQ(Get(reader->FindGroupCopy("shop/prod", kSampleGroup, RecipientKind::kEnvironment, 2))
                ->copy.recipient.epoch,
            1U);
  EXPECT_EQ(Get(reader->GroupGrantsOf(1, 4)).at(0).leaf, TestHash(15));
  const auto prefixes = Get(reader->PrefixesOf("shop/prod", "tls/server.key", 4));
  ASSERT_EQ(prefixes.size(), 2U);
  EXPECT_EQ(prefixes[0].prefix, "tls/");
  EXPECT_EQ(prefixes[0].expires, kSampleTime + 86400);
  EXPECT_EQ(prefixes[1].label, "next");
  GroupPlace next = kSampleGroupPlace;
  next.epoch = 3;
  EXPECT_EQ(Get(reader->StagedGroupCopies(TestHash(9), next, kSampleTime)).size(), 1U);
}

TEST_P(SampleSinceFiveTest, RequestsAreThereAndCanBeSettled) {
  const auto open = Get(Reader()->FindRequest(TestHash(61)));
  ASSERT_TRUE(open);
  EXPECT_EQ(open->number, 1U);
  EXPECT_EQ(open->envelope, "{\"request\":1}");
  EXPECT_EQ(open->state, RequestState::kOpen);
  EXPECT_EQ(Get(Reader()->FindRequest(TestHash(62)))->reason, "not today");
  EXPECT_EQ(Get(Reader()->OpenRotations("shop/prod", kSampleTime)),
            (std::vector{std::pair(std::string("db-password"), TestHash(61))}));
  Must([](StoreWriter& out) {
    return out.SettleRequest(TestHash(61), RequestState::kFulfilled, "ann", "", kSampleTime + 90);
  });
  Must([](StoreWriter& out) { return out.AddRequest(SampleRequest(3, kSampleTime + 86400)); });
  EXPECT_EQ(Get(Reader()->FindRequest(TestHash(63)))->number, 3U);
}

TEST_P(SampleSinceFiveTest, TheServersOwnStateIsThere) {
  auto reader = Reader();
  const Hash machine = TestHash(12);
  EXPECT_EQ(Get(reader->FreezeOf(&machine, "shop/prod"))->reason, "odd reads");
  EXPECT_FALSE(Get(reader->FreezeOf(&machine, "shop/dev")));
  EXPECT_TRUE(Get(reader->FindFreeze({FrozenKind::kMachine, TestHash(16).Hex()})));
  EXPECT_TRUE(Get(reader->FreezeOf(nullptr, "shop/test")));
  EXPECT_TRUE(Get(reader->IsCanary(2)));
  const auto tripwire = Get(reader->FindTripwire("shop/prod"));
  ASSERT_TRUE(tripwire);
  EXPECT_EQ(tripwire->policy.scope, TripScope::kProject);
  EXPECT_EQ(tripwire->reach, (std::vector<std::string>{"shop/prod", "shop/test"}));
  EXPECT_EQ(Get(reader->AlertReached("webhook")), 3U);
  EXPECT_EQ(Get(reader->FindJournal(machine, std::string(32, 'a')))->sequence, 7U);
  const auto next = Get(reader->NextTls());
  ASSERT_TRUE(next);
  EXPECT_EQ(next->certificate, "next certificate");
  EXPECT_TRUE(next->key.Equals(TestSecret(100, 0x6C)));
  reader.reset();
  Must([](StoreWriter& out) { return out.SwitchTls(); });
  EXPECT_EQ(Get(Reader()->Server())->tls_certificate, "next certificate");
}

INSTANTIATE_TEST_SUITE_P(Schema, SampleSinceFiveTest, ::testing::Values(0, 5), kSchemaName);

// The samples of 3 and 4 have none, and the step to 5 makes their table anew.
using StepToFiveTest = StoreTest;

TEST_F(StepToFiveTest, WhatWasFrozenStaysFrozen) {
  for (int schema = 3; schema <= 4; ++schema) {
    SCOPED_TRACE(schema);
    TearDown();
    SetUp();
    CopySample(schema, DatabasePath());
    {
      auto database = Get(Database::Open(DatabasePath(), {.wal = false}));
      const Status written = database.Exec(
          "INSERT INTO freezes VALUES (0, 'aa', "
          "x'1111111111111111111111111111111111111111111111111111111111111111', 'ann', "
          "1700000000, 'odd'), (1, 'shop/prod', "
          "x'1111111111111111111111111111111111111111111111111111111111111111', 'ann', "
          "1700000001, '')");
      ASSERT_TRUE(written) << Describe(written.error());
    }
    Open();
    const auto machine = Get(Reader()->FindFreeze({FrozenKind::kMachine, "aa"}));
    ASSERT_TRUE(machine);
    EXPECT_EQ(machine->signer, TestHash(0x11));
    EXPECT_EQ(machine->reason, "odd");
    EXPECT_EQ(Get(Reader()->FreezeOf(nullptr, "shop/prod"))->time, 1'700'000'001);
  }
}

}  // namespace
}  // namespace grantfs

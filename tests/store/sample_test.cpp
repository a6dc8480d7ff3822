#include "grantfs/store/audit_verify.h"
#include "sample_internal.h"

namespace grantfs {
namespace {

/// A copy of the sample of a schema, opened by the program of today. The parameter 0 is a database that
/// today's program has just made: what the samples are held against is what it writes.
class SampleTest : public StoreTest, public ::testing::WithParamInterface<int> {
 protected:
  void SetUp() override {
    StoreTest::SetUp();
    if (GetParam() != 0) {
      const std::string sample =
          std::string(GRANTFS_SOURCE_ROOT) + "/tests/store/data/vault-v" + std::to_string(GetParam()) + ".db";
      std::filesystem::copy_file(sample, DatabasePath());
      std::filesystem::permissions(DatabasePath(), std::filesystem::perms(0600));
    }
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

// One for each schema that was released; 0 is the newest, freshly made.
INSTANTIATE_TEST_SUITE_P(Schema, SampleTest, ::testing::Values(0, 1, 2, 3, 4), [](const auto& schema) {
  return schema.param == 0 ? "Fresh" : "V" + std::to_string(schema.param);
});

}  // namespace
}  // namespace grantfs

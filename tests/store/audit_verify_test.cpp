#include "grantfs/store/audit_verify.h"

#include <gmock/gmock.h>

#include "grantfs/crypto/merkle.h"
#include "grantfs/tlog/checkpoint.h"
#include "grantfs/tlog/leaf.h"
#include "store_fixture_internal.h"

namespace grantfs {
namespace {

using ::testing::HasSubstr;

class AuditVerifyTest : public StoreTest {
 protected:
  static constexpr std::int64_t kRecords = 12;

  /// A log of kRecords, three a group, closed.
  void SetUp() override {
    StoreTest::SetUp();
    OpenServing();
    for (std::int64_t i = 0; i < kRecords; i += 3) Record(3, i);
    store_.reset();
  }
  static AuditAnchor Anchor() { return {TestLogKey(), kTestOrigin, {}}; }
  AuditVerdict Verify(const AuditAnchor& anchor = Anchor()) {
    auto source = OpenAuditDatabase(DatabasePath());
    if (!source) {
      ADD_FAILURE() << Describe(source.error());
      return {};
    }
    return Get(VerifyAudit(**source, anchor));
  }
  template <typename... Values>
  void Tamper(Sql sql, const Values&... values) {
    Database database = Get(Database::Open(DatabasePath(), {.wal = false}));
    ASSERT_TRUE(database.Exec("PRAGMA foreign_keys=OFF"));
    const Status done = database.Run(sql, values...);
    ASSERT_TRUE(done) << Describe(done.error());
    ASSERT_GT(database.Changes(), 0);
  }
  /// Writes another header in place of a record's, as one would who can also write the hash beside it.
  void Forge(std::uint64_t sequence, std::uint64_t says, const Hash& body) {
    const Bytes leaf = Get(EncodeLeaf(
        {says, 1'700'000'000'000 + std::int64_t(says), AuditSeverity::kInfo, "secret.read", body}));
    Tamper("UPDATE audit_leaves SET leaf = ?2, hash = ?3 WHERE sequence = ?1",
           static_cast<std::int64_t>(sequence), leaf, MerkleLeafHash(leaf).View());
  }
  void ExpectBad(std::optional<std::uint64_t> sequence, const char* what) {
    const AuditVerdict verdict = Verify();
    EXPECT_FALSE(verdict.good);
    EXPECT_EQ(verdict.bad, sequence) << verdict.what;
    EXPECT_THAT(verdict.what, HasSubstr(what));
  }
};

TEST_F(AuditVerifyTest, AGoodLogIsGood) {
  const AuditVerdict verdict = Verify();
  EXPECT_TRUE(verdict.good) << verdict.what;
  EXPECT_TRUE(verdict.authenticated);
  EXPECT_EQ(verdict.size, 12U);
  EXPECT_EQ(verdict.bodies, 12U);
  EXPECT_FALSE(verdict.bad);
  const auto checkpoint = Get(OpenCheckpoint(verdict.checkpoint, TestLogKey(), kTestOrigin));
  EXPECT_EQ(checkpoint.root, verdict.root);
}

TEST_F(AuditVerifyTest, WithoutAKeyItIsConsistentAndNoMore) {
  const AuditVerdict verdict = Verify({});
  EXPECT_TRUE(verdict.good) << verdict.what;
  EXPECT_FALSE(verdict.authenticated);
}

TEST_F(AuditVerifyTest, AnotherKeyOrOriginIsRefused) {
  AuditVerdict verdict = Verify({TestLogKey(9), kTestOrigin, {}});
  EXPECT_FALSE(verdict.good || verdict.authenticated);
  EXPECT_FALSE(verdict.bad) << "it is the checkpoint";
  EXPECT_THAT(verdict.what, HasSubstr("not signed"));
  verdict = Verify({TestLogKey(), "other.lan/log", {}});
  EXPECT_FALSE(verdict.good || verdict.authenticated);
}

TEST_F(AuditVerifyTest, AnAlteredBodyIsNamed) {
  Tamper(
      "UPDATE audit_bodies SET body = replace(body, 'web-1', 'web-2'), actor = 'machine:web-2' WHERE "
      "sequence = 4");
  ExpectBad(4, "its body was altered");
}

TEST_F(AuditVerifyTest, AnAlteredSaltIsNamed) {
  Tamper("UPDATE audit_bodies SET salt = zeroblob(16) WHERE sequence = 11");
  ExpectBad(11, "its body was altered");
}

TEST_F(AuditVerifyTest, AnAlteredHeaderIsNamed) {
  Tamper(
      "UPDATE audit_leaves SET leaf = CAST(replace(CAST(leaf AS TEXT), ' info ', ' notice ') AS BLOB) "
      "WHERE sequence = 0");
  ExpectBad(0, "its header was altered");
}

TEST_F(AuditVerifyTest, AForgedRecordIsNamedWithinItsGroup) {
  const Bytes salt(kBodySaltBytes, 1);
  const std::string body = R"({"actor":"machine:web-9","environment":"shop/prod"})";
  Forge(7, 7, Get(SaltedBodyHash(salt, AsBytes(body))));
  Tamper(
      "UPDATE audit_bodies SET salt = ?1, body = ?2, actor = 'machine:web-9', object = NULL, outcome = NULL "
      "WHERE sequence = "
      "7",
      salt, body);
  ExpectBad(6, "records 6 to 9 (exclusive) do not match");
}

TEST_F(AuditVerifyTest, ADeletedRecordIsMissing) {
  Tamper("DELETE FROM audit_bodies WHERE sequence = 5");
  ExpectBad(5, "its body is missing");
  Tamper("DELETE FROM audit_leaves WHERE sequence = 5");
  ExpectBad(5, "it is missing");
}

TEST_F(AuditVerifyTest, ALogThatWasCutOffIsNamed) {
  Tamper("DELETE FROM audit_leaves WHERE sequence >= 10");
  ExpectBad(10, "it is missing");
}

TEST_F(AuditVerifyTest, ExchangedRecordsAreNamed) {
  Tamper("UPDATE audit_leaves SET sequence = -1 WHERE sequence = 2");
  Tamper("UPDATE audit_leaves SET sequence = 2 WHERE sequence = 3");
  Tamper("UPDATE audit_leaves SET sequence = 3 WHERE sequence = -1");
  ExpectBad(2, "its header is that of record 3");
}

TEST_F(AuditVerifyTest, ExchangedRecordsThatWereNumberedAnewAreNamedWithinTheirGroup) {
  const auto bodies = [&](std::uint64_t sequence) {
    auto source = Get(OpenAuditDatabase(DatabasePath()));
    return Get(ParseLeaf(Get(source->Fetch(sequence, 1))[0].leaf)).body;
  };
  const Hash third = bodies(3);
  const Hash fourth = bodies(4);
  Forge(3, 3, fourth);
  Forge(4, 4, third);
  Tamper("UPDATE audit_bodies SET sequence = -1 WHERE sequence = 3");
  Tamper("UPDATE audit_bodies SET sequence = 3, time_ms = time_ms - 1 WHERE sequence = 4");
  Tamper("UPDATE audit_bodies SET sequence = 4, time_ms = time_ms + 1 WHERE sequence = -1");
  ExpectBad(3, "records 3 to 6 (exclusive) do not match");
}

TEST_F(AuditVerifyTest, ARelabelledRecordIsNamed) {
  Tamper("UPDATE audit_bodies SET environment = 'shop/test' WHERE sequence = 1");
  ExpectBad(1, "another environment");
  Tamper("UPDATE audit_bodies SET environment = 'shop/prod', object = NULL WHERE sequence = 1");
  ExpectBad(1, "another object");
  Tamper("UPDATE audit_bodies SET object = 'shop/prod/db-password', actor = 'ann' WHERE sequence = 1");
  ExpectBad(1, "another actor");
  Tamper("UPDATE audit_bodies SET actor = 'machine:web-1', severity = 3 WHERE sequence = 1");
  ExpectBad(1, "another severity");
  Tamper("UPDATE audit_bodies SET severity = 0, time_ms = 5 WHERE sequence = 1");
  ExpectBad(1, "another time");
  Tamper("UPDATE audit_bodies SET type = 'grant.add', time_ms = 1700000000001 WHERE sequence = 1");
  ExpectBad(1, "another type");
  Tamper("UPDATE audit_bodies SET type = 'secret.read', outcome = 'refused' WHERE sequence = 1");
  ExpectBad(1, "another outcome");
}

TEST_F(AuditVerifyTest, ACopyOfAnOlderSchemaIsReadAsItIs) {
  std::filesystem::copy_file(GRANTFS_SOURCE_ROOT "/tests/store/data/vault-v3.db", Path("old.db"));
  const AuditVerdict verdict = Get(VerifyAudit(*Get(OpenAuditDatabase(Path("old.db"))), Anchor()));
  EXPECT_TRUE(verdict.good) << verdict.what;
  EXPECT_EQ(verdict.bodies, verdict.size);
  EXPECT_GT(verdict.size, 0U);
}

TEST_F(AuditVerifyTest, ARecordThatNoCheckpointCoversIsNamed) {
  Tamper("INSERT INTO audit_leaves SELECT 12, leaf, hash FROM audit_leaves WHERE sequence = 11");
  ExpectBad(12, "no signed checkpoint covers it");
}

TEST_F(AuditVerifyTest, AForgedCheckpointIsNamed) {
  Tamper(
      "UPDATE audit_checkpoints SET checkpoint = replace(checkpoint, 'vault.lan/log' || char(10) || '12', "
      "'vault.lan/log' || char(10) || '11') WHERE size = 12");
  ExpectBad(std::nullopt, "the newest checkpoint is not good");
}

TEST_F(AuditVerifyTest, AForgedOlderCheckpointIsNamed) {
  Tamper("UPDATE audit_checkpoints SET checkpoint = replace(checkpoint, 'log', 'lag') WHERE size = 6");
  ExpectBad(std::nullopt, "an older checkpoint, after that of 3 records, is not good");
}

TEST_F(AuditVerifyTest, ALogThatHasShrunkIsKnownByWhatWasSeenBefore) {
  const AuditVerdict before = Verify();
  Tamper("DELETE FROM audit_checkpoints WHERE size = 12");
  Tamper("DELETE FROM audit_leaves WHERE sequence >= 9");
  Tamper("DELETE FROM audit_bodies WHERE sequence >= 9");
  EXPECT_TRUE(Verify().good) << "by itself it is a good log of nine";
  AuditAnchor anchor = Anchor();
  anchor.remembered = {{before.size, before.root}};
  const AuditVerdict verdict = Verify(anchor);
  EXPECT_FALSE(verdict.good);
  EXPECT_EQ(verdict.bad, 9U);
  EXPECT_THAT(verdict.what, HasSubstr("the log has shrunk: 12 records seen before, 9 left"));
}

TEST_F(AuditVerifyTest, ALogThatIsAnotherIsKnownByWhatWasSeenBefore) {
  const AuditVerdict before = Verify();
  store_.reset();
  std::filesystem::remove_all(dir_);
  OpenServing();
  Record(20, 100);
  store_.reset();
  AuditAnchor anchor = Anchor();
  EXPECT_TRUE(Verify(anchor).good);
  anchor.remembered = {{before.size, before.root}};
  const AuditVerdict verdict = Verify(anchor);
  EXPECT_FALSE(verdict.good);
  EXPECT_EQ(verdict.bad, 0U);
  EXPECT_THAT(verdict.what, HasSubstr("the tree that was seen before"));
}

TEST_F(AuditVerifyTest, WhatWasSeenBeforeHoldsAsTheLogGrows) {
  AuditAnchor anchor = Anchor();
  const AuditVerdict before = Verify();
  anchor.remembered = {{before.size, before.root}, {0, MerkleRoot({})}};
  Open();
  Record(5, 50);
  store_.reset();
  const AuditVerdict verdict = Verify(anchor);
  EXPECT_TRUE(verdict.good) << verdict.what;
  EXPECT_EQ(verdict.size, 17U);
}

TEST_F(AuditVerifyTest, AnEmptyLogIsGoodUnlessItWasNot) {
  std::filesystem::remove_all(dir_);
  OpenServing();
  store_.reset();
  EXPECT_TRUE(Verify().good);
  EXPECT_FALSE(Verify().authenticated) << "nothing is signed";
  AuditAnchor anchor = Anchor();
  anchor.remembered = {{1, TestHash(1)}};
  EXPECT_EQ(Verify(anchor).bad, 0U);
}

/// As a vault shows it: without the hashes and columns of the database, and with some bodies withheld.
class WireSource final : public AuditSource {
 public:
  explicit WireSource(AuditSource& source) : source_(source) {}
  Result<std::optional<std::string>> Checkpoint() override { return source_.Checkpoint(); }
  Result<std::vector<AuditEntry>> Fetch(std::uint64_t from, std::size_t limit) override {
    auto entries = GRANTFS_TRY(source_.Fetch(from, std::min<std::size_t>(limit, 5)));
    for (AuditEntry& entry : entries) {
      entry.leaf_hash.reset();
      entry.columns.reset();
      if (entry.sequence % 2 == 0) continue;
      entry.body.reset();
      entry.salt.reset();
    }
    return entries;
  }
  Result<std::vector<std::string>> OlderCheckpoints(std::uint64_t, std::size_t) override {
    return std::vector<std::string>();
  }
  bool complete() const override { return false; }

 private:
  AuditSource& source_;
};

TEST_F(AuditVerifyTest, TheSameHoldsOverTheWire) {
  const auto verify = [&] {
    auto source = Get(OpenAuditDatabase(DatabasePath()));
    WireSource wire(*source);
    return Get(VerifyAudit(wire, Anchor()));
  };
  AuditVerdict verdict = verify();
  EXPECT_TRUE(verdict.good) << verdict.what;
  EXPECT_TRUE(verdict.authenticated);
  EXPECT_EQ(verdict.bodies, 6U);
  Tamper("UPDATE audit_bodies SET body = '{}' WHERE sequence IN (3, 4)");
  verdict = verify();
  EXPECT_EQ(verdict.bad, 4U) << "the one that is shown";
  Forge(1, 1, Hash{});
  verdict = verify();
  EXPECT_FALSE(verdict.good);
}

TEST_F(AuditVerifyTest, ACopyWithoutItsLogIsReadWithoutWritingBesideIt) {
  const std::string copies = Path("copies");
  std::filesystem::create_directory(copies);
  const std::string copy = copies + "/a?b#c%41 é.db";
  std::filesystem::copy_file(DatabasePath(), copy);
  auto source = OpenAuditDatabase(copy);
  ASSERT_TRUE(source) << Describe(source.error());
  EXPECT_EQ(Get(VerifyAudit(**source, Anchor())).size, 12U);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(copies), {}), 1);
}

TEST_F(AuditVerifyTest, AServedDatabaseAndItsCopyAreReadWithTheirLog) {
  Open();
  Record(5, 50);
  EXPECT_EQ(Verify().size, 17U) << "while it is served";
  const std::string copy = Path("copy.db");
  std::filesystem::copy_file(DatabasePath(), copy);
  std::filesystem::copy_file(DatabasePath() + "-wal", copy + "-wal");
  auto source = OpenAuditDatabase(copy);
  ASSERT_TRUE(source) << Describe(source.error());
  const AuditVerdict verdict = Get(VerifyAudit(**source, Anchor()));
  EXPECT_TRUE(verdict.good) << verdict.what;
  EXPECT_EQ(verdict.size, 17U);
}

TEST_F(AuditVerifyTest, ACopyOfAServedDatabaseWithoutItsLogIsAnOlderState) {
  Open();
  Record(5, 50);
  const std::string copy = Path("copy.db");
  std::filesystem::copy_file(DatabasePath(), copy);
  const AuditVerdict verdict = Get(VerifyAudit(*Get(OpenAuditDatabase(copy)), Anchor()));
  EXPECT_TRUE(verdict.good) << verdict.what;
  EXPECT_EQ(verdict.size, 12U);
}

TEST_F(AuditVerifyTest, ACopyOfANewVaultWithoutItsLogIsAnEmptyVaults) {
  std::filesystem::remove_all(dir_);
  OpenServing();
  const std::string copy = Path("copy.db");
  std::filesystem::copy_file(DatabasePath(), copy);
  const auto source = OpenAuditDatabase(copy);
  ASSERT_TRUE(source) << Describe(source.error());
  EXPECT_TRUE(Get(VerifyAudit(**source, Anchor())).good);
}

TEST_F(AuditVerifyTest, WhatIsNoVaultsDatabaseIsRefused) {
  EXPECT_EQ(OpenAuditDatabase(Path("none.db")).error().code, Code::kNotFound);
  ASSERT_TRUE(Get(Database::Open(Path("other.db"))).Exec("CREATE TABLE t (x TEXT) STRICT"));
  EXPECT_EQ(OpenAuditDatabase(Path("other.db")).error().code, Code::kInvalid);
  ASSERT_TRUE(Get(Database::Open(DatabasePath())).SetUserVersion(6));
  const auto newer = OpenAuditDatabase(DatabasePath());
  ASSERT_FALSE(newer);
  EXPECT_EQ(newer.error().code, Code::kUnsupported);
  EXPECT_THAT(Describe(newer.error()), HasSubstr("has schema 6, this grantfs knows none above 5"));
}

}  // namespace
}  // namespace grantfs

// Somebody who has the whole database, with the log's key, and writes the log anew so that it is good by
// itself: he is found by a checkpoint that is held elsewhere, and by nothing else.

#include <gmock/gmock.h>

#include <algorithm>
#include <functional>

#include "grantfs/crypto/merkle.h"
#include "grantfs/crypto/random.h"
#include "grantfs/json/json.h"
#include "grantfs/store/audit_verify.h"
#include "grantfs/tlog/checkpoint.h"
#include "grantfs/tlog/leaf.h"
#include "grantfs/tlog/tree.h"
#include "store_fixture_internal.h"

namespace grantfs {
namespace {

using ::testing::HasSubstr;

class AuditThiefTest : public StoreTest {
 protected:
  static constexpr std::int64_t kRecords = 12;
  struct Stored {
    LeafHeader header;
    std::string body;
  };
  using Log = std::vector<Stored>;

  void SetUp() override {
    StoreTest::SetUp();
    OpenServing();
    Record(kRecords, 0);
    store_.reset();
    const AuditVerdict verdict = Verify({});
    ASSERT_TRUE(verdict.good) << verdict.what;
    held_ = {{verdict.size, verdict.root}};
  }

  AuditVerdict Verify(std::vector<AuditAnchor::Point> remembered) {
    const AuditAnchor anchor{TestLogKey(), kTestOrigin, std::move(remembered)};
    return Get(VerifyAudit(*Get(OpenAuditDatabase(DatabasePath())), anchor));
  }

  static Log Read(Database& database) {
    Log log;
    SqlStatement rows = Get(database.Prepare(
        "SELECT leaf, body FROM audit_leaves JOIN audit_bodies USING (sequence) ORDER BY sequence"));
    while (Get(rows.Step())) log.push_back({Get(ParseLeaf(rows.Blob(0))), rows.Text(1)});
    return log;
  }

  static Bytes WriteRecord(Database& database, const Stored& record) {
    const Bytes salt = RandomBytes(kBodySaltBytes);
    LeafHeader header = record.header;
    header.body = Get(SaltedBodyHash(salt, AsBytes(record.body)));
    const Bytes leaf = Get(EncodeLeaf(header));
    const Json body = Get(ParseJson(record.body));
    const auto text = [&body](const char* name) { return body.Find(name)->AsString(); };
    const auto key = static_cast<std::int64_t>(header.sequence);
    EXPECT_TRUE(
        database.Run("INSERT INTO audit_leaves VALUES (?1, ?2, ?3)", key, leaf, MerkleLeafHash(leaf).View()));
    EXPECT_TRUE(database.Run("INSERT INTO audit_bodies VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)", key,
                             salt, record.body, header.time_ms, static_cast<std::int64_t>(header.severity),
                             text("environment"), text("object"), text("actor"), header.type,
                             text("outcome")));
    return leaf;
  }

  /// Writes all of it anew: numbers, salts, hashes, tree, and one checkpoint under the log's own key.
  void Rewrite(const std::function<void(Log&)>& change) {
    Database database = Get(Database::Open(DatabasePath(), {.wal = false}));
    Log log = Read(database);
    ASSERT_EQ(log.size(), static_cast<std::size_t>(kRecords));
    change(log);
    ASSERT_TRUE(
        database.Exec("PRAGMA foreign_keys=OFF; DELETE FROM audit_bodies; DELETE FROM audit_leaves; DELETE "
                      "FROM audit_checkpoints"));
    CompactTree tree;
    for (Stored& record : log) {
      record.header.sequence = tree.size();
      tree.Append(MerkleLeafHash(WriteRecord(database, record)));
    }
    const SigningKey key = Get(SigningKey::FromSeed(TestSecret(32, 7)));
    const std::string checkpoint = Get(SignCheckpoint(key, {kTestOrigin, tree.size(), tree.Root()}));
    const auto size = static_cast<std::int64_t>(tree.size());
    ASSERT_TRUE(database.Run("UPDATE audit_tree SET size = ?1, edge = ?2", size, tree.Serialize()));
    ASSERT_TRUE(database.Run("INSERT INTO audit_checkpoints VALUES (?1, ?2)", size, checkpoint));
  }

  void ExpectFoundByTheHeldCheckpointAlone(const char* what) {
    const AuditVerdict alone = Verify({});
    EXPECT_TRUE(alone.good) << "by itself it is perfect: " << alone.what;
    EXPECT_TRUE(alone.authenticated);
    const AuditVerdict held = Verify(held_);
    EXPECT_FALSE(held.good);
    EXPECT_THAT(held.what, HasSubstr(what));
  }

  std::vector<AuditAnchor::Point> held_;
};

constexpr char kAnother[] = "do not match the tree that was seen before";

TEST_F(AuditThiefTest, NothingChangedIsNothingFound) { EXPECT_TRUE(Verify(held_).good); }

TEST_F(AuditThiefTest, AnEditedRecordIsFound) {
  Rewrite([](Log& log) {
    Json body = Get(ParseJson(log[5].body));
    log[5].body = body.Set("actor", "machine:web-2").Dump();
  });
  ExpectFoundByTheHeldCheckpointAlone(kAnother);
}

TEST_F(AuditThiefTest, ADeletedRecordIsFound) {
  Rewrite([](Log& log) { log.erase(log.begin() + 5); });
  ExpectFoundByTheHeldCheckpointAlone("the log has shrunk");
}

TEST_F(AuditThiefTest, ADeletedRecordWithAnotherInItsPlaceAtTheEndIsFound) {
  Rewrite([](Log& log) {
    log.erase(log.begin() + 5);
    log.push_back(log.back());
    log.push_back(log.back());
  });
  ExpectFoundByTheHeldCheckpointAlone(kAnother);
}

TEST_F(AuditThiefTest, ReorderedRecordsAreFound) {
  Rewrite([](Log& log) { std::swap(log[3], log[4]); });
  ExpectFoundByTheHeldCheckpointAlone(kAnother);
}

TEST_F(AuditThiefTest, ARelabelledRecordIsFound) {
  Rewrite([](Log& log) { log[7].header.severity = AuditSeverity::kCritical; });
  ExpectFoundByTheHeldCheckpointAlone(kAnother);
}

TEST_F(AuditThiefTest, ARecordOfAnotherTypeOrTimeIsFound) {
  Rewrite([](Log& log) { log[7].header.type = "grant.add"; });
  ExpectFoundByTheHeldCheckpointAlone(kAnother);
  Rewrite([](Log& log) {
    log[7].header.type = "secret.read";
    log[7].header.time_ms -= 1;
  });
  ExpectFoundByTheHeldCheckpointAlone(kAnother);
}

TEST_F(AuditThiefTest, AVaultStartsOnARewrittenLogButItsClientsKnow) {
  Rewrite([](Log& log) { std::swap(log[3], log[4]); });
  Open();
  Record(5, 100);
  store_.reset();
  ExpectFoundByTheHeldCheckpointAlone(kAnother);
}

}  // namespace
}  // namespace grantfs

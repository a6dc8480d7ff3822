#include <gmock/gmock.h>

#include "grantfs/crypto/merkle.h"
#include "grantfs/tlog/checkpoint.h"
#include "grantfs/tlog/leaf.h"
#include "store_fixture_internal.h"

namespace grantfs {
namespace {

using ::testing::ElementsAre;

class AuditTest : public StoreTest {
 protected:
  void SetUp() override {
    StoreTest::SetUp();
    OpenServing();
  }
  std::uint64_t Append(const AuditRecord& record) {
    std::uint64_t sequence = 0;
    Must([&](StoreWriter& out) -> Status {
      sequence = GRANTFS_TRY(out.Audit(record));
      return {};
    });
    return sequence;
  }
  Code Refused(const AuditRecord& record) {
    const Status done = Write([&](StoreWriter& out) -> Status {
      GRANTFS_TRY(out.Audit(record));
      return {};
    });
    return done ? Code::kUnsupported : done.error().code;
  }
  std::vector<std::uint64_t> Search(const AuditQuery& query) {
    std::vector<std::uint64_t> found;
    for (const AuditEntry& entry : Get(Reader()->SearchAudit(query)).records) found.push_back(entry.sequence);
    return found;
  }
};

TEST_F(AuditTest, RecordsAreNumberedAndCoveredByASignedCheckpoint) {
  EXPECT_EQ(Append(TestRecord(0)), 0U);
  EXPECT_EQ(Append(TestRecord(1)), 1U);
  auto reader = Reader();
  const auto entries = Get(reader->ReadAudit(0, 10, 1 << 20, true));
  ASSERT_EQ(entries.size(), 2U);
  const auto text = Get(reader->LatestCheckpoint());
  ASSERT_TRUE(text);
  const auto checkpoint = OpenCheckpoint(*text, TestLogKey(), kTestOrigin);
  ASSERT_TRUE(checkpoint) << Describe(checkpoint.error());
  EXPECT_EQ(checkpoint->size, 2U);
  const Hash leaves[] = {MerkleLeafHash(entries[0].leaf), MerkleLeafHash(entries[1].leaf)};
  EXPECT_EQ(checkpoint->root, MerkleRoot(leaves));
  EXPECT_EQ(entries[1].leaf_hash, leaves[1]);
  EXPECT_EQ(Get(reader->AuditSize()), 2U);
}

TEST_F(AuditTest, ALeafSaysWhenAndWhatAndHidesTheBody) {
  AuditRecord record = TestRecord(5);
  record.severity = AuditSeverity::kWarning;
  Append(record);
  const auto entry = Get(Reader()->ReadAudit(0, 1, 1 << 20, true))[0];
  const auto leaf = Get(ParseLeaf(entry.leaf));
  EXPECT_EQ(leaf.sequence, 0U);
  EXPECT_EQ(leaf.time_ms, record.time_ms);
  EXPECT_EQ(leaf.severity, AuditSeverity::kWarning);
  EXPECT_EQ(leaf.type, "secret.read");
  ASSERT_TRUE(entry.salt && entry.body);
  EXPECT_EQ(leaf.body, Get(SaltedBodyHash(*entry.salt, AsBytes(*entry.body))));
  const Json body = Get(ParseJson(*entry.body));
  EXPECT_EQ(*body.Find("environment"), Json("shop/prod")) << "added where it was not said";
  EXPECT_EQ(*body.Find("object"), Json("shop/prod/db-password"));
  ASSERT_TRUE(entry.columns);
  EXPECT_EQ(entry.columns->environment, "shop/prod");
  EXPECT_EQ(entry.columns->actor, "machine:web-1");
  EXPECT_EQ(entry.columns->severity, 2);
}

TEST_F(AuditTest, HeadersAloneCarryNoBody) {
  Append(TestRecord(0));
  const auto entry = Get(Reader()->ReadAudit(0, 1, 1 << 20, false))[0];
  EXPECT_FALSE(entry.body || entry.salt || entry.columns);
  EXPECT_FALSE(entry.leaf.empty());
}

TEST_F(AuditTest, TheLogGoesOnAfterARestart) {
  Record(5);
  Reopen();
  EXPECT_EQ(Append(TestRecord(9)), 5U);
  const auto checkpoint = Get(OpenCheckpoint(*Get(Reader()->LatestCheckpoint()), TestLogKey(), kTestOrigin));
  std::vector<Hash> leaves;
  for (const auto& entry : Get(Reader()->ReadAudit(0, 10, 1 << 20, false)))
    leaves.push_back(MerkleLeafHash(entry.leaf));
  EXPECT_EQ(checkpoint.size, 6U);
  EXPECT_EQ(checkpoint.root, MerkleRoot(leaves));
}

TEST_F(AuditTest, OneOpenIsRecordedOnce) {
  AuditRecord record = TestRecord(3);
  record.open_id = "conn-7-42";
  EXPECT_EQ(Append(record), 0U);
  record.time_ms += 5;
  EXPECT_EQ(Append(record), 0U);
  EXPECT_EQ(Get(Reader()->AuditSize()), 1U);
  Reopen();
  EXPECT_EQ(Append(record), 0U) << "also after a restart";
  std::uint64_t first = 9;
  std::uint64_t second = 9;
  record.open_id = "conn-7-43";
  Must([&](StoreWriter& out) -> Status {
    first = GRANTFS_TRY(out.Audit(record));
    second = GRANTFS_TRY(out.Audit(record));
    return {};
  });
  EXPECT_EQ(first, 1U);
  EXPECT_EQ(second, 1U) << "also within one group";
}

TEST_F(AuditTest, AnOpensIdCoversNoOtherRead) {
  AuditRecord record = TestRecord(3);
  record.open_id = "conn-7-42";
  Append(record);
  const auto with = [&](const char* name, Json value) {
    AuditRecord other = record;
    other.body.Set(name, std::move(value));
    return Append(other);
  };
  EXPECT_EQ(with("actor", "machine:web-2"), 1U);
  EXPECT_EQ(with("object", "shop/prod/other"), 2U);
  EXPECT_EQ(with("version", 4), 3U);
  EXPECT_EQ(with("outcome", "denied"), 4U);
  AuditRecord other = record;
  other.type = "secret.refused";
  EXPECT_EQ(Append(other), 5U);
  EXPECT_EQ(with("address", "10.0.0.1:3"), 0U) << "where it came from may differ";
}

TEST_F(AuditTest, AnUndoneJobLeavesNoRecord) {
  AuditRecord record = TestRecord(0);
  record.open_id = "x";
  EXPECT_FALSE(Write([&](StoreWriter& out) -> Status {
    GRANTFS_TRY(out.Audit(record));
    return Error{Code::kDenied, "not today"};
  }));
  EXPECT_EQ(Get(Reader()->AuditSize()), 0U);
  EXPECT_FALSE(Get(Reader()->LatestCheckpoint()));
  EXPECT_EQ(Append(record), 0U);
  EXPECT_EQ(Get(Reader()->AuditSize()), 1U);
}

TEST_F(AuditTest, WhatALeafCannotSayIsRefused) {
  AuditRecord record = TestRecord(0);
  record.type = "Not A Type";
  EXPECT_EQ(Refused(record), Code::kInvalid);
  record = TestRecord(-2'000'000'000'000);
  EXPECT_EQ(Refused(record), Code::kInvalid);
  record = TestRecord(0);
  record.body = Json("text");
  EXPECT_EQ(Refused(record), Code::kInvalid);
  record = TestRecord(0);
  record.body.Set("environment", "shop/test");
  EXPECT_EQ(Refused(record), Code::kInvalid) << "its rights would follow the one, its text say the other";
  record = TestRecord(0);
  record.body.Set("reason", std::string(kMaxAuditBodyBytes, 'x'));
  EXPECT_EQ(Refused(record), Code::kInvalid);
  EXPECT_EQ(Get(Reader()->AuditSize()), 0U);
}

TEST_F(AuditTest, WithoutAKeyNothingIsRecorded) {
  store_.reset();
  std::filesystem::remove_all(dir_);
  Open();
  EXPECT_EQ(Refused(TestRecord(0)), Code::kConflict);
}

TEST_F(AuditTest, AJobThatHidesThatItIsUnrecordedIsUndone) {
  AuditRecord record = TestRecord(0);
  record.type = "Not A Type";
  const Status hidden = Write([&](StoreWriter& out) -> Status {
    GRANTFS_TRY(out.NextChange());
    (void)out.Audit(record);
    return {};
  });
  ASSERT_FALSE(hidden);
  EXPECT_EQ(hidden.error().code, Code::kInvalid);
  EXPECT_EQ(Get(Reader()->CurrentChange()), 0U);
}

TEST_F(AuditTest, AKeyThatChangesSignsTheLogAnew) {
  Record(3);
  Must([](StoreWriter& out) { return out.PutServer(TestServer(8)); });
  const auto checkpoint = OpenCheckpoint(*Get(Reader()->LatestCheckpoint()), TestLogKey(8), kTestOrigin);
  ASSERT_TRUE(checkpoint) << Describe(checkpoint.error());
  EXPECT_EQ(checkpoint->size, 3U);
  EXPECT_FALSE(Write([](StoreWriter& out) -> Status {
    GRANTFS_CHECK(out.PutServer(TestServer(9)));
    GRANTFS_TRY(out.Audit(TestRecord(3)));
    return Error{Code::kDenied, "not today"};
  }));
  Record(1, 3);
  EXPECT_TRUE(OpenCheckpoint(*Get(Reader()->LatestCheckpoint()), TestLogKey(8), kTestOrigin))
      << "a key that was taken back signs nothing";
  Reopen();
}

TEST_F(AuditTest, RecordsAreFoundNewestFirst) {
  const auto add = [&](std::int64_t time, const char* environment, const char* object, const char* actor,
                       AuditSeverity severity) {
    AuditRecord record;
    record.time_ms = time;
    record.type = "t";
    record.severity = severity;
    record.environment = environment;
    record.body = Json::Object();
    if (*object != 0) record.body.Set("object", object);
    if (*actor != 0) record.body.Set("actor", actor);
    Append(record);
  };
  add(10, "a/b", "a/b/x", "ann", AuditSeverity::kInfo);
  add(20, "a/b", "a/b/y", "bob", AuditSeverity::kCritical);
  add(30, "c/d", "c/d/x", "ann", AuditSeverity::kWarning);
  add(40, "", "", "ann", AuditSeverity::kNotice);
  add(50, "a/b", "a/b/x", "bob", AuditSeverity::kInfo);
  EXPECT_THAT(Search({}), ElementsAre(4, 3, 2, 1, 0));
  EXPECT_THAT(Search({.environment = "a/b"}), ElementsAre(4, 1, 0));
  EXPECT_THAT(Search({.object = "a/b/x"}), ElementsAre(4, 0));
  EXPECT_THAT(Search({.actor = "ann"}), ElementsAre(3, 2, 0));
  EXPECT_THAT(Search({.object = "a/b/x", .actor = "bob"}), ElementsAre(4));
  EXPECT_THAT(Search({.environment = "c/d", .actor = "ann"}), ElementsAre(2));
  EXPECT_THAT(Search({.at_least = AuditSeverity::kWarning}), ElementsAre(2, 1));
  EXPECT_THAT(Search({.actor = "ann", .before = 2}), ElementsAre(0));
  EXPECT_THAT(Search({.since_ms = 20, .until_ms = 50}), ElementsAre(3, 2, 1));
  EXPECT_THAT(Search({.limit = 2}), ElementsAre(4, 3));
  EXPECT_THAT(Search({.environment = "x/y"}), ElementsAre());
  EXPECT_THAT(Search({.object = "a/b/", .below = true}), ElementsAre(4, 1, 0));
  EXPECT_THAT(Search({.environment = "a/b", .object = "a/b/x", .below = true, .actor = "ann"}),
              ElementsAre(0));
  EXPECT_THAT(Search({.actor = "ann", .from = 2}), ElementsAre(2, 3));
  EXPECT_THAT(Search({.from = 1, .limit = 2}), ElementsAre(1, 2));
  EXPECT_THAT(Search({.at_least = AuditSeverity::kCritical}), ElementsAre(1));
}

TEST_F(AuditTest, RecordsAreFoundByWhatWasDoneAndHowItEnded) {
  const auto add = [&](const char* type, const char* outcome) {
    AuditRecord record = TestRecord(0);
    record.type = type;
    record.body.Set("outcome", outcome);
    Append(record);
  };
  add("secret.read", "done");
  add("grant.add", "done");
  add("secret.read", "refused");
  add("read.refused", "refused");
  EXPECT_THAT(Search({.type = "secret.read"}), ElementsAre(2, 0));
  EXPECT_THAT(Search({.type = "grant.add"}), ElementsAre(1));
  EXPECT_THAT(Search({.outcome = "refused"}), ElementsAre(3, 2));
  EXPECT_THAT(Search({.outcome = "done"}), ElementsAre(1, 0));
  EXPECT_THAT(Search({.type = "secret.read", .outcome = "refused"}), ElementsAre(2));
  EXPECT_THAT(Search({.type = "secret"}), ElementsAre());
}

TEST_F(AuditTest, ASearchLooksAtABoundedNumberOfRecordsAndGoesOn) {
  Record(30, 0);
  auto reader = Reader();
  AuditQuery query{.outcome = "never", .scan = 8};
  std::size_t searches = 1;
  auto found = Get(reader->SearchAudit(query));
  for (; found.next; ++searches) {
    EXPECT_LE(found.scanned, 8U);
    query.before = found.next;
    found = Get(reader->SearchAudit(query));
  }
  EXPECT_EQ(searches, 1U) << "an index knows that there is none";
  query = {.type = kAuditReadType, .outcome = "done", .scan = 8};
  query.actor = "";
  query.object = "shop/none";
  query.below = true;
  for (found = Get(reader->SearchAudit(query)), searches = 1; found.next; ++searches) {
    EXPECT_EQ(found.scanned, 8U);
    query.before = found.next;
    found = Get(reader->SearchAudit(query));
  }
  EXPECT_EQ(searches, 4U);
  query.before.reset();
  query.from = 0;
  for (searches = 0; *query.from < 30; ++searches) query.from = Get(reader->SearchAudit(query)).next;
  EXPECT_EQ(searches, 4U);
  EXPECT_EQ(Get(reader->SearchAudit(query)).next, 30U) << "the log's size, from which one goes on";
}

TEST_F(AuditTest, ATimeIsFoundWhereTheClockWentBack) {
  const auto at = [&](std::int64_t time) {
    AuditRecord record = TestRecord(0);
    record.time_ms = time;
    Append(record);
  };
  for (const std::int64_t time : {1000, 5000, 2000, 6000}) at(time);
  EXPECT_THAT(Search({.since_ms = 2000, .until_ms = 6000}), ElementsAre(2, 1));
  EXPECT_THAT(Search({.since_ms = 7000}), ElementsAre());
  EXPECT_THAT(Search({.until_ms = 1000}), ElementsAre());
}

TEST_F(AuditTest, OldCheckpointsAreThinnedOut) {
  // Two a group, so that the blocks' last ones are not all there is.
  Must([](StoreWriter&) { return Status(); });
  constexpr int kGroups = 3000;
  for (int i = 0; i < kGroups; i += 500) {
    for (int j = i; j < i + 499; ++j) {
      store_->Write(
          [j](StoreWriter& out) -> Status {
            GRANTFS_TRY(out.Audit(TestRecord(2 * j)));
            GRANTFS_TRY(out.Audit(TestRecord(2 * j + 1)));
            return {};
          },
          nullptr);
    }
    Record(2, 2 * i);
  }
  store_.reset();
  Open({.max_group = 1});
  for (int i = 0; i < 600; ++i) Record(1, i);
  store_.reset();
  Database database = Get(Database::Open(DatabasePath(), {.mode = OpenMode::kReadOnly}));
  SqlStatement count = Get(database.Prepare(
      "SELECT count(*), min(size), max(size), (SELECT size FROM audit_tree) FROM audit_checkpoints"));
  ASSERT_TRUE(Get(count.Step()));
  EXPECT_LE(count.Int(0), 256 + 2);
  EXPECT_GE(count.Int(0), 256);
  EXPECT_EQ(count.Int(2), 6600);
  EXPECT_EQ(count.Int(3), 6600);
  EXPECT_LE(count.Int(1), 4096) << "the first block keeps its last";
}

}  // namespace
}  // namespace grantfs

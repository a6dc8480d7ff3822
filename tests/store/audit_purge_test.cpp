#include "grantfs/store/audit_purge.h"

#include <gmock/gmock.h>

#include "grantfs/store/audit_verify.h"
#include "store_fixture_internal.h"

namespace grantfs {
namespace {

using ::testing::HasSubstr;

constexpr std::int64_t kFirstMs = 1'700'000'000'000;
constexpr std::int64_t kDayMs = 86'400'000;

TEST(AuditKeepTest, RulesAreReadStrictly) {
  const AuditKeep keep = Get(ParseAuditKeep("info=90d,notice=1y"));
  EXPECT_EQ(keep.seconds[0], 90 * 86'400);
  EXPECT_EQ(keep.seconds[1], 365 * 86'400);
  EXPECT_FALSE(keep.seconds[2]);
  EXPECT_EQ(Get(ParseAuditKeep("warning=24h")).seconds[2], 86'400);
  for (const char* bad : {"", "info", "info=", "info=90", "info=0d", "info=23h", "info=1001y", "info=90d,",
                          "info=90d,info=1y", "debug=90d", "critical=90d", "info=90d notice=1y", "info=-1d",
                          "info=99999999999999y", "info=90d,warning=30d", "=90d", "info=yd"})
    EXPECT_FALSE(ParseAuditKeep(bad)) << bad;
  EXPECT_THAT(ParseAuditKeep("info=90d,critical=9y").error().where, HasSubstr("for ever"));
}

class AuditPurgeTest : public StoreTest {
 protected:
  /// Twelve records: each third is a notice, record 7 is critical.
  void SetUp() override {
    StoreTest::SetUp();
    OpenServing();
    Must([](StoreWriter& out) -> Status {
      for (std::int64_t i = 0; i < 12; ++i) {
        AuditRecord record = TestRecord(i);
        record.open_id = "open-" + std::to_string(i);
        record.body.Set("open", record.open_id);
        if (i % 3 == 0) record.severity = AuditSeverity::kNotice;
        if (i == 7) record.severity = AuditSeverity::kCritical;
        GRANTFS_TRY(out.Audit(record));
      }
      return {};
    });
  }
  /// Information of the records before `end`.
  static AuditPurge Rule(std::uint64_t end, std::uint64_t count) {
    AuditPurge purge;
    purge.end = end;
    purge.before_ms = kFirstMs + static_cast<std::int64_t>(end);
    purge.keep_seconds = 86'400;
    purge.time_ms = purge.before_ms + kDayMs;
    purge.count = count;
    return purge;
  }
  void Tell(AuditPurge purge) {
    Must([&](StoreWriter& out) -> Status {
      GRANTFS_TRY(out.Audit(RecordOfPurge(purge)));
      return {};
    });
  }
  void Purge(const AuditPurge& purge) {
    Must([&](StoreWriter& out) -> Status {
      for (std::uint64_t next = purge.first; next < purge.end;)
        next = GRANTFS_TRY(out.PurgeAudit(purge, next, 2)).next;
      return {};
    });
  }
  AuditVerdict Verify() {
    store_.reset();
    const auto source = Get(OpenAuditDatabase(DatabasePath()));
    return Get(VerifyAudit(*source, {TestLogKey(), kTestOrigin, {}}));
  }
  void Tamper(Sql sql) {
    store_.reset();
    Database database = Get(Database::Open(DatabasePath(), {.wal = false}));
    ASSERT_TRUE(database.Exec("PRAGMA foreign_keys=OFF"));
    ASSERT_TRUE(database.Run(sql));
    ASSERT_GT(database.Changes(), 0);
  }
  void ExpectBad(std::uint64_t record, const char* what) {
    const AuditVerdict verdict = Verify();
    EXPECT_FALSE(verdict.good);
    EXPECT_EQ(verdict.bad, record) << verdict.what;
    EXPECT_THAT(verdict.what, HasSubstr(what));
  }
};

TEST_F(AuditPurgeTest, WhatARuleWouldTakeIsCounted) {
  AuditPurge found = Get(Reader()->FindPurgeable(Rule(9, 0)));
  EXPECT_EQ(found.count, 5U);  // 1 2 4 5 8
  EXPECT_EQ(found.first, 1U);
  EXPECT_EQ(found.end, 9U);
  EXPECT_EQ(Get(Reader()->AuditBefore(kFirstMs)), 0U);
  EXPECT_GE(Get(Reader()->AuditBefore(kFirstMs + 1)), 12U);
}

TEST_F(AuditPurgeTest, APurgedLogIsGoodAndSaysHowManyAreGone) {
  Tell(Rule(9, 5));
  Purge(Rule(9, 5));
  const auto left = Get(Reader()->SearchAudit({}));
  EXPECT_EQ(left.records.size(), 8U);
  const auto entry = Get(Reader()->ReadAudit(1, 1, 1 << 20, true)).at(0);
  EXPECT_FALSE(entry.body || entry.salt) << "the salt goes too, so that the hash tells nothing";
  const AuditVerdict verdict = Verify();
  EXPECT_TRUE(verdict.good) << verdict.what;
  EXPECT_EQ(verdict.purged, 5U);
  EXPECT_EQ(verdict.bodies, 8U);
  EXPECT_EQ(verdict.size, 13U);
}

TEST_F(AuditPurgeTest, AnInterruptedPurgeIsGood) {
  const AuditPurge purge = Rule(9, 5);
  Tell(purge);
  Must([&](StoreWriter& out) -> Status {
    const AuditPurged done = GRANTFS_TRY(out.PurgeAudit(purge, 0, 2));
    EXPECT_EQ(done.purged, 2U);
    EXPECT_EQ(done.next, 3U);
    return {};
  });
  const AuditVerdict verdict = Verify();
  EXPECT_TRUE(verdict.good) << verdict.what;
  EXPECT_EQ(verdict.purged, 2U);
}

TEST_F(AuditPurgeTest, ASecondPurgeCountsWhatTheFirstHasLeft) {
  Tell(Rule(6, 4));
  Purge(Rule(6, 4));
  Tell(Rule(12, 3));  // 8 10 11
  Purge(Rule(12, 3));
  const AuditVerdict verdict = Verify();
  EXPECT_TRUE(verdict.good) << verdict.what;
  EXPECT_EQ(verdict.purged, 7U);
}

TEST_F(AuditPurgeTest, OpensOfPurgedRecordsAreForgotten) {
  Tell(Rule(9, 5));
  Purge(Rule(9, 5));
  store_.reset();
  Database database = Get(Database::Open(DatabasePath(), {.wal = false}));
  SqlStatement count = Get(database.Prepare("SELECT count(*) FROM audit_opens"));
  ASSERT_TRUE(Get(count.Step()));
  EXPECT_EQ(count.Int(0), 7);
}

TEST_F(AuditPurgeTest, ABodyThatNoPurgeNamesIsMissing) {
  Tell(Rule(9, 5));
  Purge(Rule(9, 5));
  Tamper("DELETE FROM audit_bodies WHERE sequence = 10");
  ExpectBad(10, "its body is missing");
}

TEST_F(AuditPurgeTest, ANoticeWithinAPurgeOfInformationIsMissing) {
  Tell(Rule(9, 5));
  Purge(Rule(9, 5));
  Tamper("DELETE FROM audit_bodies WHERE sequence = 3");
  ExpectBad(3, "its body is missing");
}

TEST_F(AuditPurgeTest, ABodyThatWasTakenAwayBeforeThePurgeIsFound) {
  Tamper("DELETE FROM audit_bodies WHERE sequence = 4");
  Open();
  const AuditPurge purge = Get(Reader()->FindPurgeable(Rule(9, 0)));
  EXPECT_EQ(purge.count, 4U);
  Tell(purge);
  Purge(purge);
  ExpectBad(1, "some were taken away before");
}

TEST_F(AuditPurgeTest, TheRecordOfAPurgeCannotBeTakenAway) {
  Tell(Rule(9, 5));
  Purge(Rule(9, 5));
  Tamper("DELETE FROM audit_bodies WHERE sequence = 12");
  ExpectBad(1, "its body is missing");
}

TEST_F(AuditPurgeTest, TheRecordOfAPurgeCannotBeWidened) {
  Tell(Rule(9, 5));
  Purge(Rule(9, 5));
  Tamper("DELETE FROM audit_bodies WHERE sequence = 10");
  Tamper(
      "UPDATE audit_bodies SET body = replace(replace(body, '\"to\":9', '\"to\":12'), '\"purged\":5', "
      "'\"purged\":7') WHERE sequence = 12");
  ExpectBad(12, "no purge that a rule makes");
}

TEST_F(AuditPurgeTest, WhatIsFiledAsLessSevereIsNotPurged) {
  Tamper("UPDATE audit_bodies SET severity = 0 WHERE sequence = 7");
  Open();
  const Status purged = Write([](StoreWriter& out) -> Status {
    GRANTFS_TRY(out.PurgeAudit(Rule(9, 6), 0, 100));
    return {};
  });
  ASSERT_FALSE(purged);
  EXPECT_EQ(purged.error().code, Code::kIntegrity);
  EXPECT_EQ(Get(Reader()->SearchAudit({})).records.size(), 12U);
}

TEST_F(AuditPurgeTest, NoPurgeTakesCriticalOrYoungBodies) {
  AuditPurge purge = Rule(9, 1);
  purge.severity = AuditSeverity::kCritical;
  Tell(purge);
  ExpectBad(12, "no purge that a rule makes");
}

TEST_F(AuditPurgeTest, NoPurgeTakesBodiesOfTheLastDay) {
  AuditPurge purge = Rule(9, 5);
  purge.time_ms -= 1;
  Tell(purge);
  Purge(purge);
  ExpectBad(12, "no purge that a rule makes");
}

}  // namespace
}  // namespace grantfs

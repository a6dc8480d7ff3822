#include "grantfs/store/audit_purge.h"
#include "grantfs/store/audit_verify.h"
#include "support/direct_vault.h"
#include "support/eventually.h"
#include "vault/retention_internal.h"

namespace grantfs::testing {
namespace {

constexpr std::int64_t kDay = 86'400;

struct RetentionTest : ::testing::Test, PeopledVault {
  RetentionTest() : PeopledVault(Role::kAuditor) {
    machine = world.EnrolMachine("web-1");
    Must(world.Publish("shop/prod", "a", "one"));
    Must(world.GrantTo(machine, "shop/prod", "a"));
    for (const char* open : {"x", "y", "z"}) Must(direct.Read(machine.key, NumberOf("a"), open));
  }
  void ReopenKeeping(const char* rules) {
    vault().NoteFailedAuthentication("192.0.2.9");  // recorded at its end: it was used until now
    direct.keep_audit = Must(ParseAuditKeep(rules));
    Must(direct.Reopen());
  }
  std::size_t Reads() { return direct.Audit("secret.read").size(); }
  std::size_t Purges() { return direct.Audit(kAuditPurgeType).size(); }
  AuditVerdict Verify() {
    direct.Close();
    const auto source = Must(OpenAuditDatabase(direct.database_path()));
    return Must(VerifyAudit(*source, {}));
  }
  VaultWorld::Machine machine;
};

TEST_F(RetentionTest, OldBodiesGoBehindACriticalRecordAndTheLogIsGood) {
  direct.clock().Pass(91 * kDay);
  ReopenKeeping("info=90d");
  ASSERT_TRUE(Eventually([&] { return Reads() == 0; }));
  ASSERT_EQ(Purges(), 1U);
  const AuditEntry told = direct.Audit(kAuditPurgeType)[0];
  EXPECT_EQ(told.columns->severity, static_cast<int>(AuditSeverity::kCritical));
  const AuditPurge purge = Must(PurgeOfRecord(told));
  EXPECT_EQ(purge.severity, AuditSeverity::kInfo);
  EXPECT_EQ(purge.keep_seconds, 90 * kDay);
  EXPECT_FALSE(direct.Audit("grant.add").empty()) << "a notice";
  const AuditVerdict verdict = Verify();
  EXPECT_TRUE(verdict.good) << verdict.what;
  EXPECT_EQ(verdict.purged, purge.count);
  EXPECT_GE(verdict.purged, 3U);
}

TEST_F(RetentionTest, WhatIsYoungerOrOfNoRuleStays) {
  direct.clock().Pass(91 * kDay);
  Must(direct.Read(machine.key, NumberOf("a"), "young"));
  ReopenKeeping("info=90d");
  ASSERT_TRUE(Eventually([&] { return Reads() == 1; }));
  direct.keep_audit = {};
  Must(direct.Reopen());
  EXPECT_EQ(Reads(), 1U);
}

TEST_F(RetentionTest, ADayLaterTheNextPurgeTakesWhatHasGrownOld) {
  direct.clock().Pass(91 * kDay);
  Must(direct.Read(machine.key, NumberOf("a"), "young"));
  ReopenKeeping("info=90d");
  ASSERT_TRUE(Eventually([&] { return Reads() == 1; }));
  direct.clock().Pass(91 * kDay);
  ReopenKeeping("info=90d");
  ASSERT_TRUE(Eventually([&] { return Reads() == 0; }));
  EXPECT_EQ(Purges(), 2U);
  const AuditVerdict verdict = Verify();
  EXPECT_TRUE(verdict.good) << verdict.what;
}

TEST_F(RetentionTest, APurgeThatWasInterruptedIsFinished) {
  direct.clock().Pass(91 * kDay);
  AuditPurge purge;
  purge.end = Must(Must(direct.store().Read())->AuditSize());
  purge.time_ms = direct.clock().WallMilliseconds();
  purge.keep_seconds = 90 * kDay;
  purge.before_ms = purge.time_ms - purge.keep_seconds * 1000;
  purge = Must(Must(direct.store().Read())->FindPurgeable(purge));
  Must(direct.store().WriteAndWait([&](StoreWriter& out) -> Status {
    GRANTFS_TRY(out.Audit(RecordOfPurge(purge)));
    GRANTFS_TRY(out.PurgeAudit(purge, 0, 1));
    return {};
  }));
  ReopenKeeping("info=90d");
  ASSERT_TRUE(Eventually([&] { return Reads() == 0; }));
  EXPECT_EQ(Purges(), 1U) << "the same";
  const AuditVerdict verdict = Verify();
  EXPECT_TRUE(verdict.good) << verdict.what;
  EXPECT_EQ(verdict.purged, purge.count);
}

TEST_F(RetentionTest, AnAuditorOfOneEnvironmentIsToldOfPurges) {
  direct.clock().Pass(91 * kDay);
  ReopenKeeping("info=90d");
  ASSERT_TRUE(Eventually([&] { return Reads() == 0; }));
  api::AuditSearchRequest request;
  request.type = kAuditPurgeType;
  const auto found = Must(vault().SearchAudit(direct.Caller(auditor), request));
  ASSERT_EQ(found.records.size(), 1U);
  EXPECT_TRUE(PurgeOfRecord(found.records[0]));
  EXPECT_FALSE(vault().SearchAudit(direct.Caller(reader), request)) << "who may audit nothing";
}

/// Tells that it was asked.
class AskedClock final : public Clock {
 public:
  explicit AskedClock(const Clock& of) : of_(of) {}
  std::int64_t WallSeconds() const override { return of_.WallSeconds(); }
  std::int64_t WallMilliseconds() const override { return of_.WallMilliseconds(); }
  std::chrono::nanoseconds Boot() const override {
    ++asked;
    return of_.Boot();
  }
  mutable std::atomic<int> asked{0};

 private:
  const Clock& of_;
};

struct ClockTest : RetentionTest {
  /// Has it look, and waits until it does.
  void Look(Retention& retention) {
    const int before = clock.asked;
    ASSERT_TRUE(Eventually([&] {
      retention.Poke();
      return clock.asked > before;
    }));
  }
  /// What is purged is purged no earlier than a day after now.
  void ExpectPurgedADayLater(Retention& retention) {
    const std::int64_t now = direct.clock().WallMilliseconds();
    Look(retention);
    direct.clock().Pass(kDay - 60);
    Look(retention);
    direct.clock().Pass(120);
    ASSERT_TRUE(Eventually([&] {
      retention.Poke();
      return Reads() == 0;
    }));
    for (const AuditEntry& told : direct.Audit(kAuditPurgeType))
      EXPECT_GE(Must(PurgeOfRecord(told)).time_ms, now + kDay * 1000);
  }
  const AuditKeep keep = Must(ParseAuditKeep("info=90d"));
  AskedClock clock{direct.clock()};
};

TEST_F(ClockTest, OneThatIsSetFarAheadIsNotBelievedForADay) {
  Retention retention(direct.store(), clock, keep);
  direct.clock().SetBy(91 * kDay);
  ExpectPurgedADayLater(retention);
}

TEST_F(ClockTest, OneThatIsFarAheadOfAllRecordsWhenTheVaultStartsIsNotBelievedForADay) {
  direct.clock().SetBy(91 * kDay);
  Retention retention(direct.store(), clock, keep);
  ExpectPurgedADayLater(retention);
}

TEST_F(ClockTest, OneThatWasSetRightAgainPurgesNothing) {
  Retention retention(direct.store(), clock, keep);
  direct.clock().SetBy(91 * kDay);
  Look(retention);
  direct.clock().SetBy(-91 * kDay);
  direct.clock().Pass(2 * kDay);
  Look(retention);
  retention.Close();
  EXPECT_EQ(Reads(), 3U);
  EXPECT_EQ(Purges(), 0U);
}

/// A cursor is no way to learn what is in the environments of others.
struct AuditCursorTest : RetentionTest {
  /// More records than one search looks at, all of one machine and of one secret in shop/prod.
  void WriteMany() {
    Must(direct.store().WriteAndWait([](StoreWriter& out) -> Status {
      for (std::size_t i = 0; i <= kMaxAuditScan; ++i) {
        AuditRecord record;
        record.time_ms = 1'700'000'000'000;
        record.type = "hidden.act";
        record.environment = "shop/prod";
        record.body = Json::Object({{"actor", "x"}, {"object", "shop/prod/hidden"}, {"outcome", "refused"}});
        GRANTFS_TRY(out.Audit(record));
      }
      return {};
    }));
  }
  void ExpectNothing(const api::AuditSearchRequest& request) {
    const auto found = Must(vault().SearchAudit(direct.Caller(outsider), request));
    EXPECT_TRUE(found.records.empty());
    if (request.from)
      EXPECT_EQ(found.next, Must(Must(direct.store().Read())->AuditSize()));
    else
      EXPECT_FALSE(found.next) << *found.next;
  }
};

TEST_F(AuditCursorTest, HiddenRecordsMoveNoCursor) {
  WriteMany();
  for (const bool forward : {false, true}) {
    api::AuditSearchRequest request;
    if (forward) request.from = 0;
    request.actor = "x";
    ExpectNothing(request);
    request.environment = "shop/test";
    ExpectNothing(request);
    request = {};
    if (forward) request.from = 0;
    request.object = "shop/prod/hidden";
    ExpectNothing(request);
    request.object.clear();
    request.below = "shop/prod/";
    ExpectNothing(request);
    request.below.clear();
    request.type = "hidden.act";
    ExpectNothing(request);
  }
  api::AuditSearchRequest own;
  own.actor = "x";
  own.limit = 5;
  const auto found = Must(vault().SearchAudit(direct.Caller(auditor), own));
  ASSERT_EQ(found.records.size(), 5U);
  EXPECT_EQ(found.next, found.records.back().sequence);
}

TEST_F(AuditCursorTest, PagesOfSeveralEnvironmentsMissNothing) {
  Must(world.AddMember("shop/test", auditor, Role::kAuditor));  // with records between those of shop/prod
  Must(direct.Read(machine.key, NumberOf("a"), "last"));
  std::vector<std::uint64_t> all;
  api::AuditSearchRequest request;
  request.from = 0;
  request.limit = 3;
  std::uint64_t last = 0;
  for (int pages = 0; pages < 1000; ++pages) {
    const auto page = Must(vault().SearchAudit(direct.Caller(auditor), request));
    for (const auto& entry : page.records) all.push_back(entry.sequence);
    last = *page.next;
    if (page.records.empty() && page.next == request.from) break;
    request.from = page.next;
  }
  EXPECT_TRUE(std::is_sorted(all.begin(), all.end()));
  EXPECT_EQ(std::set<std::uint64_t>(all.begin(), all.end()).size(), all.size());
  EXPECT_EQ(last, Must(Must(direct.store().Read())->AuditSize()));
  std::vector<std::uint64_t> back;
  request = {};
  request.limit = 3;
  for (;;) {
    const auto page = Must(vault().SearchAudit(direct.Caller(auditor), request));
    for (const auto& entry : page.records) back.push_back(entry.sequence);
    if (!page.next) break;
    request.before = page.next;
  }
  std::reverse(back.begin(), back.end());
  EXPECT_EQ(back, all);
}

}  // namespace
}  // namespace grantfs::testing

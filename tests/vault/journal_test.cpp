#include "grantfs/api/problem.h"
#include "grantfs/crypto/encoding.h"
#include "grantfs/journal/entry.h"
#include "grantfs/tlog/leaf.h"
#include "support/direct_vault.h"

namespace grantfs::testing {
namespace {

struct VaultJournalTest : ::testing::Test, ClaimedVault {
  VaultJournalTest() {
    machine = world.EnrolMachine("web-1");
    Must(world.Publish("shop/prod", "a", "one"));
    Must(world.GrantTo(machine, "shop/prod", "a"));
    number = NumberOf("a");
  }
  JournalEntry Entry(std::uint64_t sequence, const std::string& previous, const char* record = kRecordEach) {
    JournalEntry entry;
    entry.sequence = sequence;
    if (!previous.empty()) entry.previous = JournalHash(previous);
    entry.time_ms = 1'700'000'000'123;
    entry.open = "open-" + std::to_string(sequence);
    entry.secret = number;
    entry.version = 1;
    entry.record = record;
    entry.caller = {4711, 33, 33, "/usr/sbin/nginx", "/system.slice"};
    return entry;
  }
  /// Entries `from`..`to` of one journal, chained from its beginning.
  api::JournalRequest Batch(std::uint64_t from, std::uint64_t to,
                            const std::string& journal = std::string(32, 'a')) {
    api::JournalRequest request;
    request.journal = journal;
    std::string previous;
    for (std::uint64_t i = 1; i <= to; ++i) {
      previous = Entry(i, previous).Text();
      if (i >= from) request.entries.push_back(previous);
    }
    Sign(&request, to);
    return request;
  }
  void Sign(api::JournalRequest* request, std::uint64_t last) {
    request->signature = SignJournal(machine.key.signing_key(), vault().vault_id(), request->journal, last,
                                     JournalHash(request->entries.back()));
  }
  Result<api::JournalResponse> Tell(const api::JournalRequest& request) {
    return Wait<api::JournalResponse>(
        [&](auto done) { vault().MachineJournal(direct.Caller(machine.key), request, done); });
  }
  std::size_t Reads() { return direct.Audit("secret.read").size(); }
  static Code CodeOf(const Result<api::JournalResponse>& result) {
    EXPECT_FALSE(result);
    return result ? Code::kIo : result.error().code;
  }
  VaultWorld::Machine machine;
  std::uint64_t number = 0;
};

TEST_F(VaultJournalTest, RecordsEachEntryOnceHoweverItIsSent) {
  EXPECT_EQ(Must(Tell(Batch(1, 3))).sequence, 3u);
  EXPECT_EQ(Must(Tell(Batch(1, 3))).sequence, 3u) << "the answer was lost";
  EXPECT_EQ(Must(Tell(Batch(2, 5))).sequence, 5u) << "some of it was recorded";
  EXPECT_EQ(Must(Tell(Batch(1, 2))).sequence, 5u);
  EXPECT_EQ(Reads(), 5u);
  Must(direct.Reopen());
  EXPECT_EQ(Must(Tell(Batch(5, 6))).sequence, 6u) << "it stands in the database";
  EXPECT_EQ(Reads(), 6u);
}

TEST_F(VaultJournalTest, OneOpenThatStandsInTwoJournalsIsRecordedOnce) {
  Must(Tell(Batch(1, 2)));
  Must(Tell(Batch(1, 3, std::string(32, 'b'))));
  EXPECT_EQ(Reads(), 3u);
}

TEST_F(VaultJournalTest, TheRecordSaysBothTimesAndWhatTheMachineSigned) {
  const auto request = Batch(1, 1);
  Must(Tell(request));
  const auto record = direct.Audit("secret.read").at(0);
  const Json body = Must(ParseJson(*record.body));
  EXPECT_EQ(body.Find("object")->AsString(), "shop/prod/a");
  EXPECT_EQ(body.Find("outcome")->AsString(), "done");
  EXPECT_EQ(body.Find("open")->AsString(), "open-1");
  EXPECT_EQ(body.Find("caller")->Find("pid")->AsNumber(), 4711);
  const Json& lease = *body.Find("lease");
  EXPECT_EQ(lease.Find("time")->AsNumber(), 1'700'000'000'123);
  EXPECT_EQ(lease.Find("entry")->AsString(), request.entries[0]);
  EXPECT_EQ(lease.Find("signature")->AsString(), HexEncode(request.signature.bytes));
  EXPECT_EQ(body.Find("signature"), nullptr) << "no request asked for that read";
}

TEST_F(VaultJournalTest, CountedReadsKeepTheirCount) {
  api::JournalRequest request;
  request.journal = std::string(32, 'a');
  JournalEntry entry = Entry(1, "", kRecordAggregate);
  entry.count = 1000;
  entry.last_ms = entry.time_ms + 5000;
  request.entries = {entry.Text()};
  Sign(&request, 1);
  Must(Tell(request));
  const Json body = Must(ParseJson(*direct.Audit("secret.read").at(0).body));
  EXPECT_EQ(body.Find("count")->AsNumber(), 1000);
  EXPECT_EQ(body.Find("first")->AsNumber(), 1'700'000'000);
  EXPECT_EQ(body.Find("last")->AsNumber(), 1'700'000'005);
}

TEST_F(VaultJournalTest, WhatIsMissingIsNamedOnceAndWhatFollowsIsTaken) {
  Must(Tell(Batch(1, 2)));
  EXPECT_EQ(Must(Tell(Batch(6, 7))).sequence, 7u);
  EXPECT_EQ(Must(Tell(Batch(6, 7))).sequence, 7u) << "the answer was lost";
  EXPECT_EQ(Must(Tell(Batch(3, 8))).sequence, 8u) << "an older copy of the journal came back";
  EXPECT_EQ(Reads(), 5u) << "1, 2, 6, 7, 8";
  const auto gaps = direct.Audit("journal.gap");
  ASSERT_EQ(gaps.size(), 1u);
  EXPECT_EQ(Must(ParseLeaf(gaps[0].leaf)).severity, AuditSeverity::kCritical);
  const Json body = Must(ParseJson(*gaps[0].body));
  EXPECT_EQ(body.Find("object")->AsString(), "web-1");
  EXPECT_NE(body.Find("reason")->AsString().find("reads 3 to 5"), std::string::npos);
  const Json& gap = *body.Find("gap");
  EXPECT_EQ(gap.Find("journal")->AsString(), std::string(32, 'a'));
  EXPECT_EQ(gap.Find("from")->AsNumber(), 3);
  EXPECT_EQ(gap.Find("to")->AsNumber(), 5);
  EXPECT_EQ(gap.Find("entry")->AsString(), Batch(6, 6).entries[0]) << "names the last one that is missing";
}

TEST_F(VaultJournalTest, AJournalWhoseBeginningIsUnknownIsTaken) {
  EXPECT_EQ(Must(Tell(Batch(4, 5))).sequence, 5u);
  EXPECT_EQ(Reads(), 2u);
  const Json body = Must(ParseJson(*direct.Audit("journal.gap").at(0).body));
  EXPECT_EQ(body.Find("gap")->Find("from")->AsNumber(), 1);
  EXPECT_EQ(body.Find("gap")->Find("to")->AsNumber(), 3);
}

TEST_F(VaultJournalTest, AGapThatCannotBeRecordedIsNotPassed) {
  direct.store().Break(Error{Code::kNoSpace, "the disk is full"});
  EXPECT_FALSE(Tell(Batch(4, 5)));
  direct.store().Break(std::nullopt);
  EXPECT_EQ(Must(Tell(Batch(4, 5))).sequence, 5u);
  EXPECT_EQ(direct.Audit("journal.gap").size(), 1u);
}

TEST_F(VaultJournalTest, GapsAreBounded) {
  Result<api::JournalResponse> answer = api::JournalResponse{};
  std::size_t gaps = 0;
  for (std::uint64_t at = 2; at < 400 && answer; at += 2) {
    answer = Tell(Batch(at, at));
    if (answer) ++gaps;
  }
  EXPECT_EQ(CodeOf(answer), Code::kThrottled);
  EXPECT_GT(gaps, 20u);
  EXPECT_EQ(direct.Audit("journal.gap").size(), gaps);
}

TEST_F(VaultJournalTest, AMachineThatTellsTooMuchWaits) {
  api::JournalRequest heavy;
  heavy.journal = std::string(32, 'b');
  std::string previous;
  for (std::uint64_t i = 1; i <= 500; ++i) {
    JournalEntry entry = Entry(i, previous);
    entry.caller.executable = "/" + std::string(kMaxJournalPathBytes, 'x');
    entry.caller.cgroup = entry.caller.executable;
    heavy.entries.push_back(previous = entry.Text());
  }
  Sign(&heavy, 500);
  Must(Tell(heavy));
  // As much as is told anew counts, and as much as is told again.
  Result<api::JournalResponse> answer = api::JournalResponse{};
  std::uint64_t told = 500;
  while (answer && told < 500'000) {
    answer = Tell(heavy);
    if (answer) told += 500;
  }
  ASSERT_EQ(CodeOf(answer), Code::kThrottled);
  EXPECT_NE(std::string(answer.error().where).find("tell later"), std::string::npos);
  EXPECT_GT(told, 60'000u) << "a thousand reads a second, with the longest paths, pass";
  auto second = world.EnrolMachine("web-2");
  std::swap(machine, second);
  EXPECT_TRUE(Tell(Batch(1, 1, std::string(32, 'c')))) << "each machine has a measure of its own";
  std::swap(machine, second);
  direct.clock().Pass(60);
  EXPECT_TRUE(Tell(Batch(1, 1)));
}

TEST_F(VaultJournalTest, TheLastRoomOnTheDiskIsNotForWhatCanBeToldLater) {
  direct.store().BeNearlyFull(true);
  const auto answer = Tell(Batch(1, 3));
  EXPECT_EQ(CodeOf(answer), Code::kUnrecorded);
  Must(direct.Read(machine.key, number, "asked"));
  Must(world.Revoke(machine, "shop/prod", "a"));
  direct.store().BeNearlyFull(false);
  EXPECT_EQ(Must(Tell(Batch(1, 3))).sequence, 3u);
  EXPECT_EQ(Reads(), 4u);
}

TEST_F(VaultJournalTest, AnotherChainAndAForgedSignatureAreRefused) {
  Must(Tell(Batch(1, 2)));
  auto broken = Batch(3, 5);
  broken.entries.erase(broken.entries.begin() + 1);
  Sign(&broken, 5);
  EXPECT_EQ(CodeOf(Tell(broken)), Code::kIntegrity);
  auto forged = Batch(3, 3);
  forged.signature.bytes[0] ^= 1;
  EXPECT_EQ(CodeOf(Tell(forged)), Code::kIntegrity);
  api::JournalRequest other;
  other.journal = std::string(32, 'a');
  other.entries = {Entry(3, "something else").Text()};
  Sign(&other, 3);
  EXPECT_EQ(CodeOf(Tell(other)), Code::kIntegrity);
  EXPECT_EQ(Reads(), 2u);
}

TEST_F(VaultJournalTest, WhatWasReadBeforeARevocationIsStillRecorded) {
  Must(direct.Read(machine.key, number, "first"));
  Must(world.Revoke(machine, "shop/prod", "a"));
  Must(Tell(Batch(1, 1)));
  const Json body = Must(ParseJson(*direct.Audit("secret.read").at(0).body));
  EXPECT_EQ(body.Find("outcome")->AsString(), "done");
}

TEST_F(VaultJournalTest, WhoLostTheGrantOfACanaryFreezesNothingByWhatHeTells) {
  Must(direct.Read(machine.key, number, "first"));
  const auto other = world.EnrolMachine("web-2");
  Must(world.GrantTo(other, "shop/prod", "a"));
  Must(world.Revoke(machine, "shop/prod", "a"));
  Must(direct.store().WriteAndWait([this](StoreWriter& writer) {
    return writer.PutCanary({number, "ann", 0});
  }));
  Must(Tell(Batch(1, 1)));
  const auto touched = direct.Audit("tripwire.touched");
  ASSERT_EQ(touched.size(), 1U);
  EXPECT_EQ(Must(ParseJson(*touched[0].body)).Find("reaction")->AsString(), "alert");
  EXPECT_TRUE(direct.Audit("freeze.set").empty());
  EXPECT_TRUE(direct.Read(other.key, number, "second")) << "and this one, who is granted it, freezes it";
  EXPECT_FALSE(direct.Read(other.key, number, "third"));
}

TEST_F(VaultJournalTest, AMachineCannotWriteIntoTheLogOfWhatItNeverHad) {
  Must(world.Publish("shop/prod", "b", "two"));
  number = NumberOf("b");
  Must(Tell(Batch(1, 1)));
  const Json body = Must(ParseJson(*direct.Audit("secret.read").at(0).body));
  EXPECT_EQ(body.Find("outcome")->AsString(), "refused");
  EXPECT_EQ(body.Find("object"), nullptr);
  EXPECT_EQ(body.Find("environment"), nullptr);
}

TEST_F(VaultJournalTest, TheLogIsNotSearchedWithoutEnd) {
  Must(world.Publish("shop/prod", "b", "two"));
  number = NumberOf("b");
  std::uint64_t told = 0;
  while (told < 100 && Tell(Batch(told + 1, told + 1))) ++told;
  EXPECT_EQ(told, 15U) << "a machine's choice of names is work for everybody's writer";
  direct.clock().Pass(61);
  Must(Tell(Batch(told + 1, told + 1)));
  Must(world.GrantTo(machine, "shop/prod", "b"));
  while (told++ < 40) Must(Tell(Batch(told + 1, told + 1)));
}

}  // namespace
}  // namespace grantfs::testing

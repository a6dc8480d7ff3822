// What clients do with a vault whose audit log is not what it told: reading goes on, and it is told.

#include <atomic>

#include "grantfs/api/log.h"
#include "grantfs/crypto/encoding.h"
#include "grantfs/sqlite/database.h"
#include "grantfs/tlog/checkpoint.h"
#include "hostile_machine_test.h"
#include "support/test_clock.h"

namespace grantfs::testing {
namespace {

class HostileLogTest : public HostileMachineTest {
 protected:
  std::unique_ptr<MachineSession> Start() {
    MachineOptions options;
    options.clock = &clock_;
    auto session = Must(MachineSession::Start(Path("web-1"), std::move(options)));
    Good(session->WaitUntilCurrent(kLong));
    EXPECT_TRUE(Eventually([&] { return session->HeardWithin(std::chrono::seconds(1)); }));
    return session;
  }
  /// Reads, and goes on to when it is looked at.
  void ReadAndLook(MachineSession& session) {
    EXPECT_TRUE(Read(session, "a"));
    clock_.Pass(11);
  }
  bool Proves(MachineSession& session, std::uint64_t reads) {
    return Eventually([&] { return session.CurrentStatus().proved >= reads; });
  }
  bool Warns(MachineSession& session, const std::string& why) {
    return Eventually([&] { return session.CurrentStatus().log_problem.find(why) != std::string::npos; });
  }
  std::vector<AuditLine> Contradictions() {
    AuditFilter filter;
    filter.action = "log.contradicted";
    return Must(Owner().ListAudit(filter));
  }
  void LieAboutRecords(std::function<void(api::ProvenRecord&)> lie) {
    vault_.Lie<api::MachineRecordsRequest, api::MachineRecordsResponse>(
        api::kMachineRecords, [lie](const api::MachineRecordsRequest&, api::MachineRecordsResponse& answer) {
          for (auto& record : answer.records) lie(record);
        });
  }
  void ShowToMachine(const std::string& checkpoint) {
    vault_.Lie<api::MachineRecordsRequest, api::MachineRecordsResponse>(
        api::kMachineRecords,
        [checkpoint](const api::MachineRecordsRequest&, api::MachineRecordsResponse& answer) {
          answer.checkpoint = checkpoint;
        });
  }
  void ShowToOwner(const std::string& checkpoint) {
    vault_.SetRewrite([checkpoint](const HttpRequest& asked, HttpResponse& answer) {
      if (asked.path == api::kLogCheckpoint.path) answer.body = checkpoint;
    });
  }
  struct LogOfVault {
    std::string newest;
    std::string forked;  ///< larger, of other records, and signed
  };
  /// As whoever has taken the vault has it.
  LogOfVault TakeLog() {
    Database database = Must(Database::Open(vault_.directory() + "/vault.db", {.mode = OpenMode::kReadOnly}));
    SqlStatement server = Must(database.Prepare("SELECT log_origin, log_seed FROM server"));
    SqlStatement newest =
        Must(database.Prepare("SELECT checkpoint, size FROM audit_checkpoints ORDER BY size DESC LIMIT 1"));
    EXPECT_TRUE(Must(server.Step()) && Must(newest.Step()));
    auto seed = Must(SecretMemory::Allocate(32));
    const Bytes bytes = server.Blob(1);
    std::copy(bytes.begin(), bytes.end(), seed.Expose().begin());
    const SigningKey key = Must(SigningKey::FromSeed(seed));
    Checkpoint forked{server.Text(0), static_cast<std::uint64_t>(newest.Int(1)) + 1000, {}};
    return {newest.Text(0), Must(SignCheckpoint(key, forked))};
  }
  TestClock clock_;
};

TEST_F(HostileLogTest, ReadsAreFoundInAnHonestLog) {
  const auto session = Start();
  ReadAndLook(*session);
  ASSERT_TRUE(Proves(*session, 1));
  ReadAndLook(*session);
  EXPECT_TRUE(Proves(*session, 2));
  EXPECT_EQ(session->CurrentStatus().log_problem, "");
  EXPECT_TRUE(Contradictions().empty());
}

TEST_F(HostileLogTest, NoReadWaitsWhileWhatWasSeenOfTheLogCannotBeKept) {
  const auto session = Start();
  ReadAndLook(*session);
  ASSERT_TRUE(Proves(*session, 1));
  std::atomic<int> shown = 0;
  vault_.SetRewrite([&shown](const HttpRequest& asked, const HttpResponse&) {
    if (asked.path == api::kMachineRecords.path) ++shown;
  });
  Database known = Must(Database::Open(Path("web-1") + "/known.db"));
  {
    const Transaction held = Must(Transaction::Begin(known));
    ReadAndLook(*session);
    ASSERT_TRUE(Eventually([&] { return shown > 0; }));
    for (int i = 0; i < 20; ++i) ASSERT_TRUE(Read(*session, "a"));
    EXPECT_EQ(session->CurrentStatus().log_problem, "")
        << "the reads came after the wait for the lock was over";
    EXPECT_LT(session->CurrentStatus().proved, 2u) << "nothing had to wait for the lock";
  }
  EXPECT_TRUE(Proves(*session, 2));
  vault_.SetRewrite(nullptr);
}

TEST_F(HostileLogTest, ReadsUnderALeaseAreFoundWhenTheyAreTold) {
  GrantOptions leased;
  leased.terms.lease = 600;
  Grant("web-1", "a", leased);
  const auto session = Start();
  ASSERT_TRUE(Read(*session, "a"));
  ASSERT_TRUE(Proves(*session, 1));
  const auto again = Read(*session, "a");
  ASSERT_TRUE(again);
  ASSERT_EQ(again->record, 0u) << "under the lease";
  clock_.Pass(11);
  EXPECT_TRUE(Proves(*session, 2));
  EXPECT_EQ(session->CurrentStatus().log_problem, "");
}

TEST_F(HostileLogTest, ReadsWhosePlaceTheVaultDoesNotNameCountAsNotLookedFor) {
  vault_.Lie<api::JournalRequest, api::JournalResponse>(
      api::kMachineJournal,
      [](const api::JournalRequest&, api::JournalResponse& answer) { answer.places.clear(); });
  GrantOptions leased;
  leased.terms.lease = 600;
  Grant("web-1", "a", leased);
  const auto session = Start();
  ASSERT_TRUE(Read(*session, "a"));
  ASSERT_TRUE(Read(*session, "a"));
  clock_.Pass(11);
  EXPECT_TRUE(Eventually([&] { return session->CurrentStatus().unproved == 1; }));
}

TEST_F(HostileLogTest, AReadThatIsNotInTheLogIsToldAndReadingGoesOn) {
  const auto session = Start();
  LieAboutRecords([](api::ProvenRecord& record) {
    record.leaf.clear();
    record.body.reset();
    record.salt.reset();
  });
  ReadAndLook(*session);
  ASSERT_TRUE(Warns(*session, "the log has no such record"));
  ASSERT_TRUE(Eventually([&] { return Contradictions().size() == 1; }));
  const AuditLine told = Contradictions()[0];
  EXPECT_EQ(told.severity, "critical");
  EXPECT_EQ(told.actor, "web-1");
  EXPECT_NE(told.reason.find("is not in the log as it was told"), std::string::npos) << told.reason;
  EXPECT_TRUE(Read(*session, "a"));
}

TEST_F(HostileLogTest, WhatIsRecordedOtherwiseOrElsewhereIsFound) {
  const auto session = Start();
  const std::pair<const char*, std::function<void(api::ProvenRecord&)>> lies[] = {
      {"not what it has recorded", [](api::ProvenRecord& record) { *record.body += " "; }},
      {"does not show what it says",
       [](api::ProvenRecord& record) {
         record.body.reset();
         record.salt.reset();
       }},
      {"not in the log that it has signed", [](api::ProvenRecord& record) { record.proof.clear(); }},
      {"another record stands in its place",
       [](api::ProvenRecord& record) {
         auto header = *ParseLeaf(record.leaf);
         ++header.sequence;
         record.leaf = *EncodeLeaf(header);
       }},
  };
  for (const auto& [why, lie] : lies) {
    LieAboutRecords(lie);
    ReadAndLook(*session);
    EXPECT_TRUE(Warns(*session, why)) << why << ": " << session->CurrentStatus().log_problem;
  }
}

TEST_F(HostileLogTest, ABodyThatIsHiddenIsToldHoweverOldTheRecordSaysItIs) {
  const auto session = Start();
  LieAboutRecords([](api::ProvenRecord& record) {
    record.body.reset();
    record.salt.reset();
  });
  ASSERT_TRUE(Read(*session, "a"));
  clock_.SetBy(3 * 86400);  // by this machine's clock the record is of long ago
  clock_.Pass(11);
  EXPECT_TRUE(Warns(*session, "does not show what it says")) << session->CurrentStatus().log_problem;
}

TEST_F(HostileLogTest, ALowerCheckpointIsToldOnceAndTheHigherOneKept) {
  const std::string old = TakeLog().newest;
  const auto session = Start();
  ReadAndLook(*session);
  ASSERT_TRUE(Proves(*session, 1));
  ShowToMachine(old);
  ReadAndLook(*session);
  ASSERT_TRUE(Warns(*session, "has shrunk"));
  EXPECT_TRUE(Read(*session, "a")) << "a critical record, not a refusal to read";
  ASSERT_TRUE(Eventually([&] { return Contradictions().size() == 1; }));
  vault_.SetRewrite(nullptr);
  clock_.Pass(11);
  ASSERT_TRUE(Proves(*session, 3)) << "what could not be looked for was looked for later";
  EXPECT_TRUE(Eventually([&] { return session->CurrentStatus().log_problem.empty(); }))
      << session->CurrentStatus().log_problem;
  EXPECT_EQ(Contradictions().size(), 1u) << "told again, in case it had been a lie that it was recorded";
}

TEST_F(HostileLogTest, AForkedLogIsToldAlsoByTheProcessThatComesAfter) {
  auto session = Start();
  ReadAndLook(*session);
  ASSERT_TRUE(Proves(*session, 1));
  const std::string forked = TakeLog().forked;
  vault_.SetRewrite([forked](const HttpRequest& asked, HttpResponse& answer) {
    if (asked.path == api::kLogComplaints.path) answer = {503, {}, ""};
    if (asked.path != api::kMachineRecords.path || answer.status != 200) return;
    auto shown = *api::MachineRecordsResponse::FromJson(*ParseJson(answer.body));
    shown.checkpoint = forked;
    answer.body = shown.ToJson().Dump();
  });
  ReadAndLook(*session);
  ASSERT_TRUE(Warns(*session, "another than was seen before"));
  session.reset();
  session = Start();
  EXPECT_TRUE(Warns(*session, "another than was seen before")) << "it is remembered";
  std::atomic<bool> told = false;
  vault_.SetRewrite([&told](const HttpRequest& asked, const HttpResponse& answer) {
    if (asked.path == api::kLogComplaints.path && answer.status == 200) told = true;
  });
  clock_.Pass(601);
  EXPECT_TRUE(Eventually([&] { return told.load(); })) << "whether the other had been heard, nobody told it";
  EXPECT_TRUE(Eventually([&] { return Contradictions().size() == 1; }));
  vault_.SetRewrite(nullptr);
}

// Signatures of strangers are no fault of a checkpoint, and whoever shows it may add what he likes.
TEST_F(HostileLogTest, WhatIsShownUnderManySignaturesIsToldLikeAnyOther) {
  const auto padded = [](std::string checkpoint) {
    return checkpoint + "\xE2\x80\x94 witness.example " + Base64Encode(Bytes(3000, 7)) + "\n";
  };
  const auto session = Start();
  vault_.Lie<api::MachineRecordsRequest, api::MachineRecordsResponse>(
      api::kMachineRecords, [padded](const api::MachineRecordsRequest&, api::MachineRecordsResponse& answer) {
        answer.checkpoint = padded(answer.checkpoint);
      });
  ReadAndLook(*session);
  ASSERT_TRUE(Proves(*session, 1));
  vault_.Lie<api::MachineRecordsRequest, api::MachineRecordsResponse>(
      api::kMachineRecords, [padded](const api::MachineRecordsRequest&, api::MachineRecordsResponse& answer) {
        answer.checkpoint = padded(answer.checkpoint);
        for (auto& record : answer.records) record.proof.clear();
      });
  ReadAndLook(*session);
  EXPECT_TRUE(Eventually([&] { return Contradictions().size() == 1; })) << "of a record";
  ShowToMachine(padded(TakeLog().forked));
  ReadAndLook(*session);
  ASSERT_TRUE(Warns(*session, "another than was seen before"));
  EXPECT_TRUE(Eventually([&] { return Contradictions().size() == 2; })) << "of the log";
}

TEST_F(HostileLogTest, AnOwnersCommandTellsOfALowerCheckpointToo) {
  const std::string old = TakeLog().newest;
  Set("c", "three");
  const auto proved = Must(Owner().ProveAudit({}));
  ShowToOwner(old);
  const auto shrunk = Owner().ProveAudit({});
  EXPECT_EQ(CodeOf(shrunk), Code::kIntegrity);
  vault_.SetRewrite(nullptr);
  EXPECT_GE(Must(Owner().ProveAudit({})).before, proved.size) << "the higher one is kept";
  ASSERT_EQ(Contradictions().size(), 1u);
  EXPECT_EQ(Contradictions()[0].actor, "ann");
  EXPECT_EQ(Must(Owner().VaultStatus()).log_problem, "");
}

}  // namespace
}  // namespace grantfs::testing

#include "grantfs/crypto/merkle.h"
#include "grantfs/tlog/checkpoint.h"
#include "support/direct_vault.h"

// What machines may hold the vault to.

namespace grantfs::testing {
namespace {

struct LogProofsTest : ::testing::Test, PeopledVault {
  LogProofsTest() : PeopledVault(Role::kReader) {
    machine = world.EnrolMachine("web-1");
    other = world.EnrolMachine("web-2");
    Must(world.Publish("shop/prod", "a", "one"));
    Must(world.GrantTo(machine, "shop/prod", "a"));
  }
  Checkpoint Opened(const std::string& text) {
    return Must(OpenCheckpoint(text, world.vault.log_key(), world.vault.log_origin()));
  }
  Result<api::MachineRecordsResponse> Ask(const PrivateIdentity& who, std::vector<std::uint64_t> records,
                                          std::uint64_t before = 0) {
    return vault().MachineRecords(direct.Caller(who), {std::move(records), before});
  }
  Result<api::LogComplaintResponse> Complain(const api::LogComplaintRequest& request,
                                             const PrivateIdentity* who = nullptr) {
    return Wait<api::LogComplaintResponse>([&](auto done) {
      vault().ComplainOfLog(direct.Caller(who == nullptr ? machine.key : *who), request, done);
    });
  }
  VaultWorld::Machine machine, other;
};

TEST_F(LogProofsTest, AReadIsProvedWithItsBodyToWhoReadAlone) {
  const Checkpoint before = Opened(Must(vault().LogCheckpoint()));
  const auto read = Must(direct.Read(machine.key, NumberOf("a"), "x"));
  const auto answer = Must(Ask(machine.key, {0, read.record}, before.size));
  const Checkpoint now = Opened(answer.checkpoint);
  EXPECT_TRUE(VerifyConsistency(before.size, before.root, now.size, now.root, answer.consistency));
  ASSERT_EQ(answer.records.size(), 2U);
  for (const auto& proven : answer.records)
    EXPECT_TRUE(
        VerifyInclusion(MerkleLeafHash(proven.leaf), proven.record, now.size, proven.proof, now.root));
  EXPECT_FALSE(answer.records[0].body || answer.records[0].salt) << "the owner's";
  const auto& own = answer.records[1];
  ASSERT_TRUE(own.body && own.salt);
  EXPECT_EQ(Must(SaltedBodyHash(*own.salt, AsBytes(*own.body))), Must(ParseLeaf(own.leaf)).body);
  const auto others = Must(Ask(other.key, {read.record}));
  EXPECT_FALSE(others.records.at(0).body || others.records.at(0).salt);
}

TEST_F(LogProofsTest, WhatTheLogDoesNotHaveHasNoLeaf) {
  const auto answer = Must(Ask(machine.key, {1'000'000}, 1'000'000));
  EXPECT_TRUE(answer.records.at(0).leaf.empty());
  EXPECT_TRUE(answer.consistency.empty());
}

TEST_F(LogProofsTest, OneMachineMayNotAskWithoutEnd) {
  std::vector<std::uint64_t> records(api::kMaxProvenRecords);
  for (std::size_t i = 0; i < records.size(); ++i) records[i] = 1'000'000 + i;
  Result<api::MachineRecordsResponse> answer = api::MachineRecordsResponse{};
  for (int i = 0; i < 250 && answer; ++i) answer = Ask(machine.key, records);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::kThrottled);
  EXPECT_TRUE(Ask(other.key, {0})) << "another may";
}

TEST_F(LogProofsTest, AComplaintIsACriticalRecordOnce) {
  api::LogComplaintRequest request;
  request.shown = Must(vault().LogCheckpoint());
  Must(direct.Read(machine.key, NumberOf("a"), "x"));
  request.remembered = Must(vault().LogCheckpoint());
  const auto first = Must(Complain(request));
  EXPECT_EQ(Must(Complain(request)).record, first.record);
  const auto records = direct.Audit("log.contradicted");
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0].columns->severity, static_cast<int>(AuditSeverity::kCritical));
  EXPECT_EQ(records[0].columns->actor, machine.key.Id().Hex());
  EXPECT_NE(records[0].body->find("has shrunk"), std::string::npos);
  EXPECT_NE(Must(Complain(request, &reader)).record, first.record) << "another's is another";
}

TEST_F(LogProofsTest, EvidenceThatIsNoneIsRefused) {
  api::LogComplaintRequest request;
  request.shown = Must(vault().LogCheckpoint());
  Must(direct.Read(machine.key, NumberOf("a"), "x"));
  request.remembered = Must(vault().LogCheckpoint());
  const auto refused = [&](const api::LogComplaintRequest& bad) {
    const auto answer = Complain(bad, &auditor);
    return !answer && answer.error().code == Code::kInvalid;
  };
  api::LogComplaintRequest bad = request;
  std::swap(bad.shown, bad.remembered);
  EXPECT_TRUE(refused(bad)) << "it has grown";
  bad = request;
  bad.kind = api::LogComplaintRequest::Kind::kForked;
  EXPECT_TRUE(refused(bad)) << "lower, not forked";
  bad = request;
  bad.remembered.insert(bad.remembered.find('\n') + 1, "9");
  EXPECT_TRUE(refused(bad)) << "not signed";
  bad = request;
  bad.kind = api::LogComplaintRequest::Kind::kRecord;
  bad.shown = "nothing";
  EXPECT_TRUE(refused(bad));
  EXPECT_TRUE(direct.Audit("log.contradicted").empty());
}

TEST_F(LogProofsTest, ComplaintsAreBounded) {
  api::LogComplaintRequest request;
  request.kind = api::LogComplaintRequest::Kind::kRecord;
  request.shown = Must(vault().LogCheckpoint());
  request.secret = request.version = 1;
  request.open = "x";
  Result<api::LogComplaintResponse> answer = api::LogComplaintResponse{};
  for (; answer && request.record < 100; ++request.record) answer = Complain(request);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::kThrottled);
  EXPECT_LE(direct.Audit("log.contradicted").size(), 24U) << "an hour may end meanwhile";
}

}  // namespace
}  // namespace grantfs::testing

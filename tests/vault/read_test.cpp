#include "grantfs/api/problem.h"
#include "support/direct_vault.h"

namespace grantfs::testing {
namespace {

struct ReadTest : ::testing::Test, ClaimedVault {
  ReadTest() {
    machine = world.EnrolMachine("web-1");
    Must(world.Publish("shop/prod", "a", "one"));
    Must(world.GrantTo(machine, "shop/prod", "a"));
    number = NumberOf("a");
  }
  Result<api::ReadResponse> Read(const std::string& open, std::uint32_t version = 0, bool grace = false) {
    return direct.Read(machine.key, number, open, version, grace);
  }
  std::string Opened(const api::ReadResponse& answer) {
    return Must(world.Open(machine, "shop/prod", "a", answer.version, answer.sealed, answer.ciphertext));
  }
  Result<api::ValueResponse> Value(const PrivateIdentity& who) {
    return Wait<api::ValueResponse>([&](auto done) {
      direct.vault().ReadValue(direct.Caller(who), {number, 0, "value-1"}, done);
    });
  }
  std::size_t Reads() { return direct.Audit("secret.read").size(); }
  VaultWorld::Machine machine;
  std::uint64_t number = 0;
};

TEST_F(ReadTest, DeliversWhatIsGrantedWithTheHeadsAndTheRecord) {
  const auto answer = Must(Read("open-1"));
  EXPECT_EQ(Opened(answer), "one");
  const auto& secret = world.secret("shop/prod", "a").list;
  EXPECT_EQ(answer.secret_head, *secret.head());
  EXPECT_EQ(answer.environment_head, *world.environment("shop/prod").list.head());
  EXPECT_EQ(answer.vault_head, *world.vault.head());
  EXPECT_EQ(answer.statement, secret.Current()->statement->hash());
  const auto records = direct.Audit("secret.read");
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0].sequence, answer.record);
}

TEST_F(ReadTest, TheRecordSaysWhoReadWhatAndWhatTheMachineSigned) {
  Must(Read("open-1"));
  const Json body = Must(ParseJson(*direct.Audit("secret.read").at(0).body));
  const auto text = [&](const char* name) {
    return body.Find(name) != nullptr ? body.Find(name)->AsString() : "-";
  };
  EXPECT_EQ(text("actor"), machine.key.Id().Hex());
  EXPECT_EQ(text("name"), "web-1");
  EXPECT_EQ(text("object"), "shop/prod/a");
  EXPECT_EQ(text("environment"), "shop/prod");
  EXPECT_EQ(text("outcome"), "done");
  EXPECT_EQ(text("source"), "192.0.2.7");
  EXPECT_EQ(text("base"), "what was signed");
  EXPECT_EQ(text("signature"), std::string(128, '0'));
  EXPECT_EQ(text("open"), "open-1");
  EXPECT_EQ(body.Find("version")->AsNumber(), 1);
  EXPECT_EQ(body.Find("caller")->Find("executable")->AsString(), "/usr/sbin/nginx");
}

TEST_F(ReadTest, OneOpenIsRecordedOnceHoweverOftenItIsSent) {
  const auto first = Must(Read("open-1"));
  const auto again = Must(Read("open-1"));
  EXPECT_EQ(again.record, first.record);
  EXPECT_NE(Must(Read("open-2")).record, first.record);
  EXPECT_EQ(Reads(), 2U);
}

TEST_F(ReadTest, WhatIsNotGrantedIsNotThere) {
  const auto other = world.EnrolMachine("web-2");
  EXPECT_EQ(direct.Read(other.key, number, "x").error().code, Code::kNotFound);
  EXPECT_EQ(direct.Read(machine.key, 4711, "x").error().code, Code::kNotFound);
  Must(world.Revoke(machine, "shop/prod", "a"));
  EXPECT_EQ(Read("x").error().code, Code::kNotFound);
  EXPECT_EQ(Reads(), 0U);
}

TEST_F(ReadTest, AGrantThatIsGivenAgainDeliversAgain) {
  Must(world.Revoke(machine, "shop/prod", "a"));
  Must(world.Publish("shop/prod", "a", "two"));
  Must(world.GrantTo(machine, "shop/prod", "a"));
  EXPECT_EQ(Opened(Must(Read("x"))), "two");
}

TEST_F(ReadTest, AnExpiredGrantIsRefusedAndTheRefusalRecorded) {
  const std::int64_t end = direct.clock().WallSeconds() + 100;
  Must(world.GrantTo(machine, "shop/prod", "a", [&](Grant& grant) { grant.expires = end; }));
  Must(Read("open-1"));
  direct.clock().Pass(101);
  const auto refused = Read("open-1");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kExpired);
  const auto records = direct.Audit("secret.read");
  ASSERT_EQ(records.size(), 2U) << "a refusal is another thing than the read of the same open";
  EXPECT_NE(records[0].body->find("\"outcome\":\"refused\""), std::string::npos) << *records[0].body;
  EXPECT_EQ(direct.vault().MachineCheck(direct.Caller(machine.key), {number, 1}).error().code,
            Code::kExpired);
}

TEST_F(ReadTest, ASupersededVersionIsServedForAMinuteOfGraceAndNoLonger) {
  Must(world.Publish("shop/prod", "a", "two"));
  const auto superseded = Read("x", 1);
  ASSERT_FALSE(superseded);
  EXPECT_EQ(superseded.error().code, Code::kConflict);
  EXPECT_STREQ(superseded.error().where, api::kWhereSuperseded);
  EXPECT_EQ(Opened(Must(Read("y", 1, true))), "one");
  EXPECT_EQ(Reads(), 1U) << "being superseded is no refusal to record";
  direct.clock().Pass(61);
  EXPECT_EQ(Read("z", 1, true).error().code, Code::kConflict);
  EXPECT_EQ(Read("z", 17, true).error().code, Code::kConflict) << "a version that never was";
  EXPECT_EQ(Opened(Must(Read("z", 2))), "two");
}

TEST_F(ReadTest, ACheckSaysWhetherTheGrantStandsAndRecordsNothing) {
  const VaultCaller caller = direct.Caller(machine.key);
  Must(world.Publish("shop/prod", "a", "two"));
  EXPECT_TRUE(direct.vault().MachineCheck(caller, {number, 1})) << "an open handle keeps its version";
  EXPECT_EQ(direct.vault().MachineCheck(caller, {number, 9}).error().code, Code::kNotFound);
  Must(world.Revoke(machine, "shop/prod", "a"));
  EXPECT_EQ(direct.vault().MachineCheck(caller, {number, 1}).error().code, Code::kNotFound);
  EXPECT_EQ(Reads(), 0U);
}

TEST_F(ReadTest, NothingIsReleasedThatCannotBeRecorded) {
  direct.store().Break(Error{Code::kNoSpace, "the disk is full"});
  EXPECT_EQ(Read("x").error().code, Code::kUnrecorded);
  EXPECT_EQ(Value(world.owner).error().code, Code::kUnrecorded);
  direct.store().Break(Error{Code::kIo, "the disk failed"});
  EXPECT_EQ(Read("x").error().code, Code::kUnrecorded);
  direct.store().Break(std::nullopt);
  EXPECT_TRUE(Read("x"));
}

TEST_F(ReadTest, ARecordOfTheLongestTextsFits) {
  api::ReadRequest request;
  request.secret = number;
  request.open = std::string(api::kMaxOpenIdBytes, 'x');
  request.caller.executable = std::string(api::kMaxPathBytes, '\x01');
  request.caller.cgroup = std::string(api::kMaxPathBytes, '"');
  VaultCaller caller = direct.Caller(machine.key);
  caller.signature_base = std::string(2000, 'b');
  EXPECT_TRUE(Wait<api::ReadResponse>([&](auto done) { direct.vault().MachineRead(caller, request, done); }));
}

TEST_F(ReadTest, MembersReadWithTheirRole) {
  const PrivateIdentity reader = NewIdentity("rea");
  const PrivateIdentity writer = NewIdentity("wri");
  const PrivateIdentity other = NewIdentity("oth");
  Must(world.AddMember("shop/prod", reader, Role::kReader));
  Must(world.AddMember("shop/prod", writer, Role::kWriter));
  Must(world.AddEnvironment("shop/test"));
  Must(world.AddMember("shop/test", other, Role::kReader));
  const auto value = Must(Value(reader));
  const SecretMemory key =
      Must(OpenDataKey(world.environment("shop/prod").keys.back(), value.sealed,
                       world.secret("shop/prod", "a").list.versions().at(1).publish.commitment,
                       {world.vault.vault_id(), "shop/prod", number, 1, value.epoch}));
  EXPECT_EQ(key.size(), 32U);
  EXPECT_EQ(Value(writer).error().code, Code::kDenied);
  EXPECT_EQ(Value(other).error().code, Code::kNotFound);
  EXPECT_EQ(Value(machine.key).error().code, Code::kNotFound);
  EXPECT_EQ(Reads(), 1U);
}

}  // namespace
}  // namespace grantfs::testing

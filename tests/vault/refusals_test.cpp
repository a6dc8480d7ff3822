#include "support/direct_vault.h"

namespace grantfs::testing {
namespace {

/// A machine that is granted a secret and reports what its mount refused.
struct RefusalsTest : ::testing::Test, ClaimedVault {
  RefusalsTest() {
    machine = world.EnrolMachine("web-1");
    Must(world.Publish("shop/prod", "a", "one"));
    Must(world.GrantTo(machine, "shop/prod", "a"));
    number = NumberOf("a");
  }
  api::RefusalsRequest::Refusal One(const std::string& id) {
    return {id, number, 1, "it runs as user 33", 3, 100, 159, {7, 33, 33, "/usr/bin/cat", "/a.slice"}};
  }
  Result<api::Nothing> Report(const VaultWorld::Machine& who,
                              std::vector<api::RefusalsRequest::Refusal> refusals) {
    VaultCaller caller = direct.Caller(who.key);
    caller.signature_base = "what was signed";
    return Wait<api::Nothing>(
        [&](auto done) { direct.vault().MachineRefused(caller, {std::move(refusals)}, done); });
  }
  std::vector<AuditEntry> Records() { return direct.Audit("read.refused"); }
  VaultWorld::Machine machine;
  std::uint64_t number = 0;
};

TEST_F(RefusalsTest, AreRecordedWithWhoWasRefusedAndWhy) {
  Must(Report(machine, {One("r-1")}));
  ASSERT_EQ(Records().size(), 1U);
  const Json body = Must(ParseJson(*Records()[0].body));
  EXPECT_EQ(body.Find("object")->AsString(), "shop/prod/a");
  EXPECT_EQ(body.Find("environment")->AsString(), "shop/prod");
  EXPECT_EQ(body.Find("actor")->AsString(), machine.key.Id().Hex());
  EXPECT_EQ(body.Find("outcome")->AsString(), "refused");
  EXPECT_EQ(body.Find("reason")->AsString(), "it runs as user 33");
  EXPECT_EQ(body.Find("count")->AsNumber(), 3);
  EXPECT_EQ(body.Find("first")->AsNumber(), 100);
  EXPECT_EQ(body.Find("last")->AsNumber(), 159);
  EXPECT_EQ(body.Find("caller")->Find("executable")->AsString(), "/usr/bin/cat");
  EXPECT_EQ(body.Find("base")->AsString(), "what was signed");
}

TEST_F(RefusalsTest, AreRecordedOnceHoweverOftenTheyAreSent) {
  Must(Report(machine, {One("r-1"), One("r-2")}));
  Must(Report(machine, {One("r-1"), One("r-2"), One("r-3")}));
  EXPECT_EQ(Records().size(), 3U);
}

TEST_F(RefusalsTest, OfWhatIsNotGrantedAreNotRecorded) {
  const auto other = world.EnrolMachine("web-2");
  Must(Report(other, {One("r-1")}));
  auto unknown = One("r-2");
  unknown.secret = 4711;
  Must(Report(machine, {unknown}));
  EXPECT_TRUE(Records().empty());
}

TEST_F(RefusalsTest, ThatAreTooManyWait) {
  std::size_t sent = 0;
  Result<api::Nothing> answer = api::Nothing{};
  for (int batch = 0; batch < 100 && answer; ++batch) {
    std::vector<api::RefusalsRequest::Refusal> refusals;
    for (std::size_t i = 0; i < api::kMaxRefusals; ++i)
      refusals.push_back(One("r-" + std::to_string(sent + i)));
    answer = Report(machine, refusals);
    if (answer) sent += refusals.size();
  }
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::kThrottled);
  EXPECT_GE(sent, 300U);
  const auto other = world.EnrolMachine("web-2");
  EXPECT_TRUE(Report(other, {One("x")})) << "each machine has a measure of its own";
  direct.clock().Pass(60);
  EXPECT_TRUE(Report(machine, {One("later")}));
}

TEST_F(RefusalsTest, AreSentAgainWhereTheDiskWasFull) {
  direct.store().Break(Error{Code::kNoSpace, "the disk is full"});
  EXPECT_EQ(Report(machine, {One("r-1")}).error().code, Code::kUnrecorded);
  direct.store().Break(std::nullopt);
  Must(Report(machine, {One("r-1")}));
  EXPECT_EQ(Records().size(), 1U);
}

}  // namespace
}  // namespace grantfs::testing

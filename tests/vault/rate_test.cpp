#include "tripwire_fixture.h"

// What many reads at once lead to: in one environment, and in all.

namespace grantfs::testing {
namespace {

TEST_F(TripwireTest, TooManyDistinctSecretsFreezeTheMachineBeforeOneMoreIsDelivered) {
  Must(Set(world.owner, OfRate(5)));
  for (int i = 0; i < 5; ++i)
    for (int again = 0; again < 3; ++again) EXPECT_TRUE(Read(machine, Name(i))) << i;
  Touched(0);
  const auto sixth = Read(machine, Name(5));
  ASSERT_FALSE(sixth);
  EXPECT_EQ(api::CodeOfError(sixth.error()), api::ProblemCode::kFrozen);
  EXPECT_EQ(Frozen(), (std::vector<std::string>{"machine in shop/prod"}));
  EXPECT_TRUE(Read(other, Name(5))) << "others go on";
  const Json body = Touched(1);
  EXPECT_EQ(body.Find("secrets")->AsNumber(), 6);
  EXPECT_EQ(body.Find("limit")->AsNumber(), 5);
  EXPECT_EQ(body.Find("outcome")->AsString(), "refused");
  Lift({{FrozenKind::kMachineIn, machine.key.Id().Hex(), "shop/prod"}});
  EXPECT_TRUE(Read(machine, Name(5))) << "it begins anew";
}

TEST_F(TripwireTest, WhatIsReadSlowlyTouchesNothing) {
  Must(Set(world.owner, OfRate(2)));
  for (int i = 0; i < 8; ++i) {
    EXPECT_TRUE(Read(machine, Name(i))) << i;
    direct.clock().Pass(31);
  }
  Touched(0);
}

TEST_F(TripwireTest, AListingIsNoRead) {
  Must(Set(world.owner, OfRate(2)));
  for (int i = 0; i < 8; ++i) {
    Must(vault().MachineGrants(direct.Caller(machine.key), {}));
    Must(vault().MachineCheck(direct.Caller(machine.key), {NumberOf(Name(i)), 0}));
  }
  EXPECT_TRUE(Read(machine, Name(0)));
  Touched(0);
}

TEST_F(TripwireTest, AnEnvironmentsRateReachesNoFurtherThanItsOperator) {
  Must(Set(operating, OfRate(2)));
  EXPECT_TRUE(Read(machine, Name(0)));
  EXPECT_TRUE(Read(machine, Name(1)));
  const auto refused = Read(machine, Name(2));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kDenied);
  EXPECT_NE(refused.error().subject.find("this machine was frozen in shop/prod by a tripwire"),
            std::string::npos)
      << refused.error().subject;
  EXPECT_EQ(Frozen(), (std::vector<std::string>{"machine in shop/prod"}));
  EXPECT_TRUE(Read(machine, "a", {}, "shop/test")) << "elsewhere it reads on";
  EXPECT_TRUE(Read(other, Name(0))) << "and so does whoever else reads here";
  const Json told = Touched(1);
  EXPECT_EQ(
      told.Find("reason")->AsString(),
      "3 distinct secrets were read within a minute, the limit of shop/prod is 2: the machine is frozen in "
      "shop/prod");
  const auto records = direct.Audit("freeze.set");
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].columns->environment, "shop/prod");
  EXPECT_EQ(Must(ParseJson(*records[0].body)).Find("environment")->AsString(), "shop/prod");
  Must(Wait<api::FreezeResponse>([&](auto done) {
    vault().LiftFreezes(direct.Caller(operating),
                        {{{FrozenKind::kMachineIn, machine.key.Id().Hex(), "shop/prod"}}, ""}, done);
  }));
  EXPECT_TRUE(Read(machine, Name(0)));
}

TEST_F(TripwireTest, EachEnvironmentCountsForItself) {
  Must(Set(world.owner, OfRate(3)));
  Must(Set(world.owner, OfRate(1), "shop/test"));
  EXPECT_TRUE(Read(machine, "a", {}, "shop/test"));
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(Read(machine, Name(i)));
  EXPECT_FALSE(Read(machine, Name(3)));
  EXPECT_TRUE(Read(machine, "a", {}, "shop/test"));
}

struct UsualRateTest : TripwireTest {
  UsualRateTest() : TripwireTest(4) {}
};

TEST_F(UsualRateTest, TheVaultsRateOverAllEnvironmentsFreezesTheMachineEverywhere) {
  EXPECT_TRUE(Read(machine, "a", {}, "shop/test"));
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(Read(machine, Name(i)));
  EXPECT_FALSE(Read(machine, Name(3))) << "three here and one there";
  EXPECT_EQ(Frozen(), (std::vector<std::string>{"machine"}));
  EXPECT_FALSE(Read(machine, "a", {}, "shop/test"));
  EXPECT_NE(Touched(1).Find("reason")->AsString().find("the limit of the vault is 4: the machine is frozen"),
            std::string::npos);
}

TEST_F(UsualRateTest, AnEnvironmentThatLetsMoreBeReadAnswersForItsOwnSecrets) {
  Must(Set(operating, OfRate(6)));
  for (int i = 0; i < 6; ++i) EXPECT_TRUE(Read(machine, Name(i))) << i;
  EXPECT_TRUE(Read(machine, "a", {}, "shop/test")) << "which is the first that the vault counts";
  EXPECT_FALSE(Read(machine, Name(6)));
  EXPECT_EQ(Frozen(), (std::vector<std::string>{"machine in shop/prod"}));
}

TEST_F(UsualRateTest, OverBothItIsFrozenEverywhere) {
  Must(Set(operating, OfRate(4)));
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(Read(machine, Name(i)));
  EXPECT_FALSE(Read(machine, Name(4)));
  EXPECT_EQ(Frozen(), (std::vector<std::string>{"machine"}));
}

TEST_F(TripwireTest, ARateOfNoneAndOneThatAlerts) {
  Must(Set(world.owner, OfRate(0)));
  for (int i = 0; i < 8; ++i) EXPECT_TRUE(Read(machine, Name(i)));
  Touched(0);
  TripwirePolicy alerting = Alerting();
  alerting.rate = 3;
  Must(Set(world.owner, alerting));
  for (int i = 0; i < 8; ++i) EXPECT_TRUE(Read(machine, Name(i)));
  EXPECT_EQ(Touched(2).Find("reaction")->AsString(), "alert") << "the fourth, and four after it";
  EXPECT_TRUE(Frozen().empty());
}

TEST_F(TripwireTest, AProgramThatPassesMayReadMoreAndCostsOthersNothing) {
  TripwirePolicy policy = OfRate(3);
  policy.passes = {"exe=/usr/bin/rsync"};
  Must(Set(world.owner, policy));
  for (int i = 0; i < 8; ++i) EXPECT_TRUE(Read(machine, Name(i), {1, 0, 0, "/usr/bin/rsync", "/"}));
  EXPECT_TRUE(Frozen().empty());
  EXPECT_EQ(Touched(2).Find("reaction")->AsString(), "pass");
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(Read(machine, Name(i))) << "it has its three";
  EXPECT_FALSE(Read(machine, Name(3)));
}

TEST_F(TripwireTest, WhatAJournalTellsCountsAtItsOwnTime) {
  Must(Set(world.owner, OfRate(3)));
  const std::int64_t long_ago = (direct.clock().WallSeconds() - 7200) * 1000;
  Must(Tell({"s0", "s1", "s2", "s3", "s4", "s5"}, long_ago, 61'000));
  EXPECT_TRUE(Frozen().empty()) << "one a minute, told at once";
  Must(Tell({"s0", "s1", "s2", "s3"}, long_ago + 600'000, 1000, std::string(32, 'b')));
  EXPECT_EQ(Frozen(), (std::vector<std::string>{"machine in shop/prod"}));
  EXPECT_EQ(Touched(1).Find("caller")->Find("executable")->AsString(), "/usr/bin/tar");
}

TEST_F(TripwireTest, LeasedReadsCountBesideThoseThatAreAskedFor) {
  Must(Set(world.owner, OfRate(3)));
  EXPECT_TRUE(Read(machine, Name(0)));
  EXPECT_TRUE(Read(machine, Name(1)));
  Must(Tell({"s1", "s2"}, direct.clock().WallMilliseconds(), 1));
  EXPECT_TRUE(Frozen().empty());
  EXPECT_FALSE(Read(machine, Name(3)));
}

}  // namespace
}  // namespace grantfs::testing

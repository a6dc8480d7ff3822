#include "tripwire_fixture.h"

// What a canary's reading leads to, who may set that, and that machines are told nothing.

namespace grantfs::testing {
namespace {

TEST_F(TripwireTest, OwnersAndOperatorsConfigureAndNobodyElseIsTold) {
  const std::pair<const PrivateIdentity*, const char*> table[] = {
      {&world.owner, "yes"}, {&operating, "yes"},      {&reader, "denied"},        {&writer, "denied"},
      {&auditor, "denied"},  {&outsider, "not-found"}, {&machine.key, "not-found"}};
  for (const auto& [who, said] : table) {
    const std::string name = who->identity().name;
    EXPECT_EQ(Said(Canary(*who)), said) << name;
    EXPECT_EQ(Said(Canary(*who, false)), said) << name;
    EXPECT_EQ(Said(vault().ListCanaries(direct.Caller(*who), {"shop/prod"})), said) << name;
    EXPECT_EQ(Said(Set(*who, Alerting())), said) << name;
    EXPECT_EQ(Said(vault().ShowTripwire(direct.Caller(*who), {"shop/prod"})), said) << name;
  }
  EXPECT_EQ(Said(Set(operating, Alerting(), "other/prod")), "not-found");
}

TEST_F(TripwireTest, CanariesAreListedAndClearedAndOutliveARestart) {
  EXPECT_TRUE(Must(Canary(operating)).changed);
  EXPECT_FALSE(Must(Canary(world.owner)).changed) << "it is one already";
  direct.Close();
  Must(direct.Reopen());
  const auto listed = Must(vault().ListCanaries(direct.Caller(world.owner), {"shop/prod"}));
  ASSERT_EQ(listed.canaries.size(), 1U);
  EXPECT_EQ(listed.canaries[0].path, "bait");
  EXPECT_EQ(listed.canaries[0].by, "ope");
  EXPECT_TRUE(Must(vault().ListCanaries(direct.Caller(world.owner), {"shop/test"})).canaries.empty());
  EXPECT_TRUE(Must(Canary(world.owner, false)).changed);
  EXPECT_TRUE(Read(machine, "bait"));
  EXPECT_TRUE(Frozen().empty());
  Touched(0);
}

TEST_F(TripwireTest, ACanaryAnswersAndItsEnvironmentIsFrozenInThatMoment) {
  Must(Canary(world.owner));
  ASSERT_TRUE(Read(machine, "s0"));
  const auto bait = Must(Read(machine, "bait"));
  EXPECT_EQ(Must(world.Open(machine, "shop/prod", "bait", 1, bait.sealed, bait.ciphertext)), "decoy");
  const auto next = Read(other, "s0");
  ASSERT_FALSE(next) << "every machine's reads";
  EXPECT_EQ(api::CodeOfError(next.error()), api::ProblemCode::kFrozen);
  EXPECT_EQ(next.error().subject.find("bait"), std::string::npos) << next.error().subject;
  EXPECT_EQ(next.error().subject.find("canary"), std::string::npos) << next.error().subject;
  EXPECT_EQ(Frozen(), (std::vector<std::string>{"shop/prod"}));
  const Json body = Touched(1);
  EXPECT_EQ(body.Find("object")->AsString(), "shop/prod/bait");
  EXPECT_EQ(body.Find("actor")->AsString(), machine.key.Id().Hex());
  EXPECT_EQ(body.Find("reaction")->AsString(), "freeze");
  EXPECT_EQ(body.Find("caller")->Find("executable")->AsString(), "/usr/bin/cat");
  EXPECT_EQ(body.Find("caller")->Find("pid")->AsNumber(), 4711);
  EXPECT_EQ(static_cast<std::uint64_t>(body.Find("record")->AsNumber()), bait.record);
  EXPECT_EQ(direct.Audit("freeze.set").size(), 1U);
  LiftProd();
  EXPECT_TRUE(Read(machine, "bait")) << "at once again";
  EXPECT_EQ(Frozen().size(), 1U);
  Touched(2);
}

TEST_F(TripwireTest, AMachineIsToldNothingOfIt) {
  const auto before = Must(vault().MachineGrants(direct.Caller(machine.key), {})).ToJson().Dump();
  Must(Canary(world.owner));
  Must(Set(world.owner, Alerting()));
  EXPECT_EQ(Must(vault().MachineGrants(direct.Caller(machine.key), {})).ToJson().Dump(), before);
  const auto shape = [](const api::ReadResponse& response) {
    std::string text;
    const Json json = response.ToJson();
    for (const auto& [name, value] : json.Members())
      text += name + " " + std::to_string(value.Dump().size()) + "\n";
    return text;
  };
  const auto bait = Must(Read(machine, "bait"));
  Must(Canary(world.owner, false));
  EXPECT_EQ(shape(bait), shape(Must(Read(machine, "bait"))));
  // A header may be read by all: what is set says nothing of canaries in it.
  for (const auto& record : Must(vault().AuditRecords(direct.Caller(machine.key), {0, 1000, true})).records) {
    EXPECT_FALSE(record.body);
    const std::string leaf(record.leaf.begin(), record.leaf.end());
    EXPECT_EQ(leaf.find("canary"), std::string::npos) << leaf;
  }
  const auto configured = direct.Audit("environment.configured");
  EXPECT_EQ(configured.size(), 3U);
  for (const auto& record : configured) EXPECT_EQ(record.columns->severity, 3) << "nobody disarms unheard";
}

TEST_F(TripwireTest, APersonsReadingTouchesItToo) {
  Must(Canary(world.owner));
  api::ValueRequest request;
  request.secret = NumberOf("bait");
  request.open = "value-1";
  const auto value =
      Wait<api::ValueResponse>([&](auto done) { vault().ReadValue(direct.Caller(reader), request, done); });
  EXPECT_TRUE(value);
  EXPECT_EQ(Frozen(), (std::vector<std::string>{"shop/prod"}));
  EXPECT_EQ(Touched(1).Find("name")->AsString(), "rea");
}

TEST_F(TripwireTest, AnAlertFreezesNothingAndIsRecordedOnceAMinute) {
  Must(Canary(world.owner));
  Must(Set(world.owner, Alerting()));
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(Read(machine, "bait"));
  EXPECT_EQ(Touched(1).Find("reaction")->AsString(), "alert");
  EXPECT_TRUE(Read(other, "bait")) << "another reader is another record";
  Touched(2);
  direct.clock().Pass(61);
  EXPECT_TRUE(Read(machine, "bait"));
  Touched(3);
  EXPECT_EQ(direct.Audit("secret.read").size(), 5U) << "each read has its own";
  EXPECT_TRUE(Frozen().empty());
}

TEST_F(TripwireTest, WhoPassesIsRecordedAndFreezesNothing) {
  Must(Canary(world.owner));
  TripwirePolicy policy;
  policy.passes = {"exe=/usr/bin/rsync", "uid=34", "unit=backup.service"};
  Must(Set(world.owner, policy));
  const api::CallerInfo passing[] = {{1, 0, 0, "/usr/bin/rsync", "/"},
                                     {2, 34, 34, "/bin/sh", "/"},
                                     {3, 0, 0, "/bin/sh", "/system.slice/backup.service"}};
  std::size_t touched = 0;
  for (const auto& process : passing) {
    EXPECT_TRUE(Read(machine, "bait", process));
    EXPECT_TRUE(Frozen().empty()) << process.pid;
    EXPECT_EQ(Touched(++touched).Find("reaction")->AsString(), "pass");
    direct.clock().Pass(61);
  }
  const api::CallerInfo not_passing{4, 33, 0, "/usr/bin/rsync2",
                                    "/user.slice/user@1000.service/backup.service"};
  EXPECT_TRUE(Read(machine, "bait", not_passing));
  EXPECT_EQ(Frozen().size(), 1U);
}

TEST_F(TripwireTest, AProjectStandsForWhatItsSetterMayFreeze) {
  Must(Canary(world.owner));
  TripwirePolicy policy;
  policy.scope = TripScope::kProject;
  Must(Set(operating, policy));
  EXPECT_TRUE(Read(machine, "bait"));
  EXPECT_EQ(Frozen(), (std::vector<std::string>{"shop/prod", "shop/test"}))
      << "not shop/stage, nor other/prod";
  EXPECT_FALSE(Read(machine, "a", {}, "shop/test"));
  for (const auto& record : direct.Audit("freeze.set")) {
    if (record.columns->environment == "shop/prod") continue;
    EXPECT_EQ(record.body->find("bait"), std::string::npos) << "its members are none of shop/prod's";
  }
}

TEST_F(TripwireTest, AProjectsScopeOutlivesWhoeverSetIt) {
  Must(Canary(world.owner));
  TripwirePolicy policy;
  policy.scope = TripScope::kProject;
  Must(Set(operating, policy));
  const auto set = direct.Audit("environment.configured");
  ASSERT_FALSE(set.empty());
  EXPECT_EQ(Must(ParseJson(*set[0].body)).Find("reach")->Dump(), R"(["shop/prod","shop/test"])");
  for (const char* environment : {"shop/prod", "shop/test"})
    Must(world.Send(world.owner, world.Removal(environment, operating.Id())));
  Must(direct.Reopen());
  EXPECT_TRUE(Read(machine, "bait"));
  EXPECT_EQ(Frozen(), (std::vector<std::string>{"shop/prod", "shop/test"}));
}

TEST_F(TripwireTest, ACanaryUnderALeaseFreezesWhenItsJournalArrives) {
  Must(Canary(world.owner));
  Must(Tell({"s0", "bait", "bait"}, direct.clock().WallMilliseconds(), 1));
  EXPECT_EQ(Frozen(), (std::vector<std::string>{"shop/prod"}));
  EXPECT_EQ(Touched(1).Find("caller")->Find("executable")->AsString(), "/usr/bin/tar");
}

TEST_F(TripwireTest, WhatCannotBeRecordedIsNotDeliveredAndTouchesItTheNextTime) {
  Must(Canary(world.owner));
  direct.store().Break(Error{Code::kNoSpace, "full"});
  EXPECT_FALSE(Read(machine, "bait"));
  direct.store().Break(std::nullopt);
  EXPECT_TRUE(Frozen().empty());
  EXPECT_TRUE(Read(machine, "bait"));
  EXPECT_EQ(Frozen().size(), 1U);
}

TEST(TripwireShapeTest, IsStrictAndBounded) {
  const auto reads = [](const std::string& policy) {
    const auto json = ParseJson(R"({"environment":"shop/prod","policy":)" + policy + "}");
    return json && api::TripwireSetRequest::FromJson(*json);
  };
  const std::string good = R"("canary":"freeze","scope":"project","rate":5,"rate_action":"alert")";
  EXPECT_TRUE(reads("{" + good + "}"));
  EXPECT_TRUE(reads("{" + good + R"(,"pass":["uid=0","exe=/bin/a","unit=b.service"]})"));
  for (const char* bad :
       {R"(,"pass":["uid=00"]})", R"(,"pass":["uid=-1"]})", R"(,"pass":["uid="]})",
        R"(,"pass":["uid=4294967296"]})", R"(,"pass":["exe=rsync"]})", R"(,"pass":["unit="]})",
        R"(,"pass":["user=root"]})", R"(,"pass":[1]})", R"(,"pass":"uid=0"})", R"(,"x":1})"})
    EXPECT_FALSE(reads("{" + good + bad)) << bad;
  for (const char* bad : {R"({"canary":"stop","scope":"project","rate":5,"rate_action":"alert"})",
                          R"({"canary":"freeze","scope":"vault","rate":5,"rate_action":"alert"})",
                          R"({"canary":"freeze","scope":"project","rate":100001,"rate_action":"alert"})",
                          R"({"canary":"freeze","scope":"project","rate":-1,"rate_action":"alert"})",
                          R"({"canary":"freeze","scope":"project","rate":5})", "{}"})
    EXPECT_FALSE(reads(bad)) << bad;
  std::string many = R"(,"pass":["uid=0")";
  for (int i = 1; i <= 32; ++i) many += R"(,"uid=)" + std::to_string(i) + "\"";
  EXPECT_FALSE(reads("{" + good + many + "]}"));
}

}  // namespace
}  // namespace grantfs::testing

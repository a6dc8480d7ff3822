#include "grantfs/api/problem.h"
#include "grantfs/api/tripwires.h"
#include "grantfs/journal/entry.h"
#include "support/direct_vault.h"

// What a canary's reading and many reads at once lead to, who may set that, and that machines are told
// nothing.

namespace grantfs::testing {
namespace {

struct TripwireTest : ::testing::Test, ClaimedVault {
  explicit TripwireTest(std::uint32_t usual_rate = kUsualRate) : ClaimedVault(usual_rate) {
    for (const char* name : {"shop/test", "shop/stage", "other/prod"}) Must(world.AddEnvironment(name));
    const std::pair<PrivateIdentity*, Role> members[] = {{&reader, Role::kReader},
                                                         {&writer, Role::kWriter},
                                                         {&operating, Role::kOperator},
                                                         {&auditor, Role::kAuditor}};
    for (const auto& [who, role] : members) Must(world.AddMember("shop/prod", *who, role));
    Must(world.AddMember("shop/test", operating, Role::kOperator));
    machine = world.EnrolMachine("web-1");
    other = world.EnrolMachine("web-2");
    Must(world.Publish("shop/prod", "bait", "decoy"));
    for (int i = 0; i < 8; ++i) Must(world.Publish("shop/prod", Name(i), "value"));
    for (const auto* who : {&machine, &other}) {
      Must(world.GrantTo(*who, "shop/prod", "bait"));
      for (int i = 0; i < 8; ++i) Must(world.GrantTo(*who, "shop/prod", Name(i)));
    }
    Must(world.Publish("shop/test", "a", "value"));
    Must(world.GrantTo(machine, "shop/test", "a"));
  }
  static std::string Name(int i) { return "s" + std::to_string(i); }

  Result<api::CanaryResponse> Canary(const PrivateIdentity& who, bool canary = true) {
    return Wait<api::CanaryResponse>([&](auto done) {
      vault().SetCanary(direct.Caller(who), {NumberOf("bait"), canary}, done);
    });
  }
  Result<api::TripwireResponse> Set(const PrivateIdentity& who, const TripwirePolicy& policy,
                                    const std::string& environment = "shop/prod") {
    return Wait<api::TripwireResponse>([&](auto done) {
      vault().SetTripwire(direct.Caller(who), {environment, policy}, done);
    });
  }
  Result<api::ReadResponse> Read(const VaultWorld::Machine& who, const std::string& path,
                                 const api::CallerInfo& process = {4711, 33, 33, "/usr/bin/cat", "/"},
                                 const std::string& environment = "shop/prod") {
    api::ReadRequest request;
    request.secret = world.secret(environment, path).list.id().number;
    request.open = "open-" + std::to_string(++opens);
    request.caller = process;
    return Wait<api::ReadResponse>(
        [&](auto done) { vault().MachineRead(direct.Caller(who.key), request, done); });
  }
  template <typename T>
  static std::string Said(const Result<T>& answer) {
    return answer ? "yes" : CodeName(answer.error().code);
  }
  std::vector<std::string> Frozen() {
    std::vector<std::string> names;
    for (const auto& freeze : Must(vault().ListFreezes(direct.Caller(world.owner), {})).freezes)
      names.push_back(!freeze.object.IsMachine() ? freeze.object.id
                      : freeze.object.kind == FrozenKind::kMachine
                          ? "machine"
                          : "machine in " + freeze.object.environment);
    return names;
  }
  void Lift(std::vector<FrozenObject> objects) {
    Must(Wait<api::FreezeResponse>([&](auto done) {
      vault().LiftFreezes(direct.Caller(world.owner), {std::move(objects), ""}, done);
    }));
  }
  void LiftProd() { Lift({{FrozenKind::kEnvironment, "shop/prod"}}); }
  /// The newest critical record of a touched tripwire.
  Json Touched(std::size_t count) {
    const auto records = direct.Audit("tripwire.touched");
    EXPECT_EQ(records.size(), count);
    if (records.empty()) return {};
    EXPECT_EQ(records[0].columns->severity, static_cast<int>(AuditSeverity::kCritical));
    EXPECT_EQ(records[0].columns->environment, "shop/prod");
    return Must(ParseJson(*records[0].body));
  }
  TripwirePolicy Alerting() {
    TripwirePolicy policy;
    policy.canary = policy.rate_action = TripAction::kAlert;
    return policy;
  }
  TripwirePolicy OfRate(std::uint32_t rate) {
    TripwirePolicy policy;
    policy.rate = rate;
    return policy;
  }
  Result<api::JournalResponse> Tell(const std::vector<std::string>& paths, std::int64_t time_ms,
                                    std::int64_t step_ms, const std::string& journal = std::string(32, 'a')) {
    api::JournalRequest request;
    request.journal = journal;
    std::string previous;
    JournalEntry entry;
    for (const std::string& path : paths) {
      ++entry.sequence;
      if (!previous.empty()) entry.previous = JournalHash(previous);
      entry.time_ms = time_ms;
      time_ms += step_ms;
      entry.open = "leased-" + std::to_string(++opens);
      entry.secret = NumberOf(path);
      entry.version = 1;
      entry.record = kRecordEach;
      entry.caller = {99, 33, 33, "/usr/bin/tar", "/system.slice"};
      previous = entry.Text();
      request.entries.push_back(previous);
    }
    request.signature = SignJournal(machine.key.signing_key(), vault().vault_id(), journal, entry.sequence,
                                    JournalHash(previous));
    return Wait<api::JournalResponse>(
        [&](auto done) { vault().MachineJournal(direct.Caller(machine.key), request, done); });
  }
  PrivateIdentity reader = NewIdentity("rea"), writer = NewIdentity("wri"), operating = NewIdentity("ope"),
                  auditor = NewIdentity("aud"), outsider = NewIdentity("out");
  VaultWorld::Machine machine, other;
  int opens = 0;
};

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

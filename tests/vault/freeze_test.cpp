#include "grantfs/api/freezes.h"
#include "grantfs/api/problem.h"
#include "grantfs/crypto/random.h"
#include "support/direct_vault.h"

// Who may freeze what, and what a freeze stops.

namespace grantfs::testing {
namespace {

struct FreezeTest : ::testing::Test, PeopledVault {
  FreezeTest() : PeopledVault(Role::kOperator) {
    machine = world.EnrolMachine("web-1");
    other = world.EnrolMachine("web-2");
    for (const char* environment : {"shop/prod", "shop/test"}) {
      Must(world.Publish(environment, "a", "one"));
      Must(world.GrantTo(machine, environment, "a"));
    }
    Must(world.GrantTo(other, "shop/prod", "a"));
  }
  static FrozenObject Env(const std::string& name) { return {FrozenKind::kEnvironment, name}; }
  static FrozenObject Of(const VaultWorld::Machine& one) {
    return {FrozenKind::kMachine, one.key.Id().Hex()};
  }
  static FrozenObject In(const VaultWorld::Machine& one, const std::string& environment) {
    return {FrozenKind::kMachineIn, one.key.Id().Hex(), environment};
  }
  Result<api::FreezeResponse> Freeze(const PrivateIdentity& who, std::vector<FrozenObject> objects,
                                     const std::string& reason = {}) {
    return Wait<api::FreezeResponse>([&](auto done) {
      vault().SetFreezes(direct.Caller(who), {std::move(objects), reason}, done);
    });
  }
  Result<api::FreezeResponse> Lift(const PrivateIdentity& who, std::vector<FrozenObject> objects) {
    return Wait<api::FreezeResponse>([&](auto done) {
      vault().LiftFreezes(direct.Caller(who), {std::move(objects), ""}, done);
    });
  }
  Result<api::ReadResponse> Read(const VaultWorld::Machine& who,
                                 const std::string& environment = "shop/prod") {
    return direct.Read(who.key, world.secret(environment, "a").list.id().number,
                       "open-" + std::to_string(++opens));
  }
  Result<api::ValueResponse> Value(const PrivateIdentity& who) {
    api::ValueRequest request;
    request.secret = NumberOf("a");
    request.open = "value-" + std::to_string(++opens);
    return Wait<api::ValueResponse>([&](auto done) { vault().ReadValue(direct.Caller(who), request, done); });
  }
  std::string Check(const VaultWorld::Machine& who) {
    return Said(vault().MachineCheck(direct.Caller(who.key), {NumberOf("a"), 0}));
  }
  std::vector<api::Freeze> Told(const VaultWorld::Machine& who) {
    return Must(vault().MachineGrants(direct.Caller(who.key), {})).freezes;
  }
  std::vector<std::string> Listed(const PrivateIdentity& who) {
    std::vector<std::string> ids;
    for (const auto& freeze : Must(vault().ListFreezes(direct.Caller(who), {})).freezes)
      ids.push_back(!freeze.object.IsMachine()                   ? freeze.object.id
                    : freeze.object.kind == FrozenKind::kMachine ? "machine"
                                                                 : "machine in " + freeze.object.environment);
    return ids;
  }
  VaultWorld::Machine machine, other;
  int opens = 0;
};

TEST_F(FreezeTest, AnEnvironmentIsItsOwnersAndOperators) {
  const std::pair<const PrivateIdentity*, const char*> table[] = {
      {&world.owner, "yes"},       {&operating, "yes"},           {&reader, "denied"},
      {&writer, "denied"},         {&auditor, "denied"},          {&outsider, "not-found"},
      {&machine.key, "not-found"}, {&world.recovery, "not-found"}};
  for (const auto& [who, said] : table) {
    EXPECT_EQ(Said(Freeze(*who, {Env("shop/prod")})), said) << who->identity().name;
    const auto lifted = Lift(*who, {Env("shop/prod")});
    EXPECT_EQ(Said(lifted), said) << who->identity().name;
  }
  EXPECT_EQ(Said(Freeze(operating, {Env("shop/prod"), Env("shop/test")})), "not-found") << "all or none";
  EXPECT_TRUE(Listed(world.owner).empty());
  EXPECT_EQ(Said(Freeze(world.owner, {Env("no/such")})), "not-found");
  EXPECT_EQ(Said(Freeze(world.owner, {Env("shop/prod"), Env("shop/prod")})), "invalid");
}

TEST_F(FreezeTest, AMachineIsTheVaultsOwners) {
  for (const PrivateIdentity* who : {&operating, &reader, &writer, &auditor, &outsider, &world.recovery})
    EXPECT_EQ(Said(Freeze(*who, {Of(machine)})), "denied") << who->identity().name;
  EXPECT_EQ(Said(Freeze(other.key, {Of(machine)})), "not-found");
  EXPECT_EQ(Said(Freeze(world.owner, {{FrozenKind::kMachine, world.owner.Id().Hex()}})), "not-found");
  EXPECT_EQ(Said(Freeze(world.owner, {Of(machine)})), "yes");
  EXPECT_EQ(Said(Lift(operating, {Of(machine)})), "denied");
  EXPECT_FALSE(Read(machine));
}

TEST_F(FreezeTest, AnEnvironmentsValuesAreDeliveredToNobodyUntilItIsLifted) {
  ASSERT_TRUE(Read(machine));
  Must(Freeze(operating, {Env("shop/prod")}, "a leak"));
  const auto refused = Read(machine);
  ASSERT_FALSE(refused);
  EXPECT_EQ(api::CodeOfError(refused.error()), api::ProblemCode::kFrozen);
  EXPECT_NE(refused.error().subject.find("shop/prod was frozen by ope at "), std::string::npos);
  EXPECT_NE(refused.error().subject.find(": a leak"), std::string::npos);
  EXPECT_EQ(Check(machine), "denied");
  const auto value = Value(world.owner);
  ASSERT_FALSE(value);
  EXPECT_EQ(api::CodeOfError(value.error()), api::ProblemCode::kFrozen);
  EXPECT_TRUE(Read(machine, "shop/test")) << "another environment";
  Must(Lift(world.owner, {Env("shop/prod")}));
  EXPECT_TRUE(Read(machine));
  EXPECT_EQ(Check(machine), "yes");
  EXPECT_TRUE(Value(world.owner));
}

TEST_F(FreezeTest, AMachineIsDeliveredNothingAndOthersAre) {
  Must(Freeze(world.owner, {Of(machine)}));
  EXPECT_EQ(Said(Read(machine)), "denied");
  EXPECT_EQ(Said(Read(machine, "shop/test")), "denied");
  EXPECT_TRUE(Read(other));
  EXPECT_TRUE(Value(world.owner));
  Must(Lift(world.owner, {Of(machine)}));
  EXPECT_TRUE(Read(machine));
}

TEST_F(FreezeTest, AMachineIsToldWhatConcernsItAndGoesOnListing) {
  Must(Freeze(world.owner, {Of(machine), Env("shop/test")}, "why"));
  const auto told = Told(machine);
  ASSERT_EQ(told.size(), 2U);
  EXPECT_EQ(told[0].object, Of(machine));
  EXPECT_EQ(told[1].object, Env("shop/test"));
  EXPECT_EQ(told[1].by, "ann");
  EXPECT_EQ(told[1].reason, "why");
  EXPECT_TRUE(Told(other).empty());
  EXPECT_EQ(Must(vault().MachineGrants(direct.Caller(machine.key), {})).grants.size(), 2U);
}

TEST_F(FreezeTest, AMachineInAnEnvironmentIsThatsOwnersAndOperators) {
  const std::pair<const PrivateIdentity*, const char*> table[] = {
      {&world.owner, "yes"},       {&operating, "yes"},           {&reader, "denied"},
      {&writer, "denied"},         {&auditor, "denied"},          {&outsider, "not-found"},
      {&machine.key, "not-found"}, {&world.recovery, "not-found"}};
  for (const auto& [who, said] : table) {
    EXPECT_EQ(Said(Freeze(*who, {In(machine, "shop/prod")})), said) << who->identity().name;
    EXPECT_EQ(Said(Lift(*who, {In(machine, "shop/prod")})), said) << who->identity().name;
  }
  EXPECT_EQ(Said(Freeze(operating, {In(machine, "shop/test")})), "not-found") << "where he is nothing";
  EXPECT_EQ(Said(Freeze(operating, {{FrozenKind::kMachineIn, Hash{}.Hex(), "shop/prod"}})), "not-found");
  Must(Freeze(operating, {In(machine, "shop/prod")}));
  EXPECT_EQ(Said(Lift(outsider, {In(machine, "shop/prod")})), "not-found");
}

TEST_F(FreezeTest, AMachineInAnEnvironmentIsDeliveredNothingOfItAndOthersAre) {
  Must(Freeze(operating, {In(machine, "shop/prod")}, "odd reads"));
  const auto refused = Read(machine);
  ASSERT_FALSE(refused);
  EXPECT_EQ(api::CodeOfError(refused.error()), api::ProblemCode::kFrozen);
  EXPECT_NE(refused.error().subject.find("this machine was frozen in shop/prod by ope at "),
            std::string::npos)
      << refused.error().subject;
  EXPECT_EQ(Check(machine), "denied");
  EXPECT_TRUE(Read(machine, "shop/test"));
  EXPECT_TRUE(Read(other));
  EXPECT_TRUE(Value(world.owner));
  Must(Freeze(world.owner, {Of(machine), Env("shop/prod")}));
  Must(Lift(operating, {In(machine, "shop/prod")}));
  EXPECT_FALSE(Read(machine, "shop/test")) << "the others stand for themselves";
  Must(Lift(world.owner, {Of(machine), Env("shop/prod")}));
  EXPECT_TRUE(Read(machine));
}

TEST_F(FreezeTest, AMachineInAnEnvironmentIsToldAndListedWhereItConcerns) {
  Must(Freeze(operating, {In(machine, "shop/prod")}, "why"));
  ASSERT_EQ(Told(machine).size(), 1U);
  EXPECT_EQ(Told(machine)[0].object, In(machine, "shop/prod"));
  EXPECT_TRUE(Told(other).empty());
  Must(Freeze(world.owner, {In(other, "shop/test")}));
  EXPECT_TRUE(Told(other).empty()) << "it is granted nothing there, and learns of no environment";
  EXPECT_EQ(Listed(operating), (std::vector<std::string>{"machine in shop/prod"}));
  EXPECT_EQ(Listed(outsider), (std::vector<std::string>{"machine in shop/test"}));
  EXPECT_EQ(Listed(world.owner).size(), 2U);
  api::FreezesListRequest page;
  page.limit = 1;
  EXPECT_FALSE(Must(vault().ListFreezes(direct.Caller(operating), page)).next) << "of another's environment";
  const auto records = direct.Audit("freeze.set");
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(records[1].columns->environment, "shop/prod");
  EXPECT_EQ(Must(ParseJson(*records[1].body)).Find("object")->AsString(), "web-1");
  Must(direct.Reopen());
  EXPECT_FALSE(Read(machine)) << "it stands after a restart";
}

TEST_F(FreezeTest, WhatIsFrozenStaysAsItIsAndEachIsRecordedOnce) {
  const auto first = Must(Freeze(operating, {Env("shop/prod")}, "one"));
  EXPECT_NE(first.change, 0U);
  const auto again = Must(Freeze(world.owner, {Env("shop/prod")}, "two"));
  EXPECT_EQ(again.change, 0U);
  EXPECT_TRUE(again.freezes.empty());
  EXPECT_EQ(again.before, first.freezes);
  EXPECT_EQ(Must(Lift(world.owner, {Env("shop/prod")})).freezes, first.freezes);
  EXPECT_TRUE(Must(Lift(world.owner, {Env("shop/prod")})).freezes.empty());
  for (const char* type : {"freeze.set", "freeze.lifted"}) {
    const auto records = direct.Audit(type);
    ASSERT_EQ(records.size(), 1U) << type;
    EXPECT_EQ(records[0].columns->severity, static_cast<int>(AuditSeverity::kCritical));
    EXPECT_EQ(records[0].columns->environment, "shop/prod");
  }
}

TEST_F(FreezeTest, RefusedReadsAreRecorded) {
  Must(Freeze(world.owner, {Of(machine)}));
  EXPECT_FALSE(Read(machine));
  const auto reads = direct.Audit("secret.read");
  ASSERT_FALSE(reads.empty());
  EXPECT_NE(reads[0].body->find("\"outcome\":\"refused\""), std::string::npos) << *reads[0].body;
  EXPECT_NE(reads[0].body->find(api::kWhereNotDelivered), std::string::npos) << *reads[0].body;
}

TEST_F(FreezeTest, AReadThatAFreezeOvertakesIsRefusedAndRecorded) {
  const StoredFreeze freeze{Env("shop/prod"), world.owner.Id(), "ann", 1, "a leak"};
  const auto freezes = [freeze](StoreWriter& out) { return out.PutFreeze(freeze); };
  const auto last = [this] {
    const auto reads = direct.Audit("secret.read");
    return reads.empty() ? std::string("none") : *reads[0].body;
  };
  direct.store().Overtake(freezes);
  EXPECT_EQ(Said(Read(machine)), "denied");
  EXPECT_NE(last().find("\"outcome\":\"refused\""), std::string::npos) << last();
  EXPECT_NE(last().find("\"name\":\"web-1\""), std::string::npos) << last();
  Must(Lift(world.owner, {Env("shop/prod")}));
  direct.store().Overtake(freezes);
  EXPECT_EQ(Said(Value(world.owner)), "denied");
  EXPECT_NE(last().find("\"outcome\":\"refused\""), std::string::npos) << last();
  EXPECT_NE(last().find("\"name\":\"ann\""), std::string::npos) << last();
  EXPECT_EQ(direct.Audit("secret.read").size(), 2U);
}

TEST_F(FreezeTest, NothingIsFrozenThatIsNotRecorded) {
  direct.store().Break(Error{Code::kNoSpace, "full"});
  EXPECT_FALSE(Freeze(world.owner, {Env("shop/prod")}));
  direct.store().Break(std::nullopt);
  EXPECT_TRUE(Read(machine));
}

struct Listener final : WatchSink {
  bool Send(const std::string&) override { return true; }
  void Close() override {}
};

TEST_F(FreezeTest, SaysWhichMachinesHaveFollowed) {
  const auto idle = world.EnrolMachine("web-9");
  const auto watch = Must(vault().Watch(direct.Caller(machine.key), std::make_shared<Listener>()));
  const auto change = Must(Freeze(operating, {Env("shop/prod")})).change;
  const auto asked = [&](const PrivateIdentity& who, const char* environment = "shop/prod") {
    return vault().FreezeFollowed(direct.Caller(who), {environment, change});
  };
  auto said = Must(asked(operating));
  EXPECT_EQ(said.machines, 2U) << "one has no grant";
  EXPECT_EQ(said.followed, 0U);
  EXPECT_EQ(said.pending, 1U);
  ASSERT_EQ(said.behind.size(), 2U);
  EXPECT_EQ(said.behind[0].machine, "web-1");
  EXPECT_TRUE(said.behind[0].online);
  EXPECT_EQ(said.behind[1].machine, "web-2");
  EXPECT_FALSE(said.behind[1].online);
  Must(vault().Acknowledge(direct.Caller(machine.key), {change}));
  said = Must(asked(world.owner));
  EXPECT_EQ(said.followed, 1U);
  EXPECT_EQ(said.pending, 0U);
  ASSERT_EQ(said.behind.size(), 1U);
  vault().Unwatch(watch);
  EXPECT_EQ(Must(asked(world.owner)).followed, 0U) << "it may serve under a lease, and hears of no more";
  EXPECT_EQ(Said(asked(reader)), "denied");
  EXPECT_EQ(Said(asked(outsider)), "not-found");
  EXPECT_EQ(Said(asked(machine.key)), "not-found");
}

TEST_F(FreezeTest, ItStandsAfterARestart) {
  Must(Freeze(world.owner, {Env("shop/prod"), Of(other)}));
  direct.Close();
  Must(direct.Reopen());
  EXPECT_EQ(Said(Read(machine)), "denied");
  EXPECT_TRUE(Read(machine, "shop/test"));
  EXPECT_EQ(Listed(world.owner), (std::vector<std::string>{"machine", "shop/prod"}));
}

TEST_F(FreezeTest, ItIsListedForWhomItConcerns) {
  Must(Freeze(world.owner, {Env("shop/prod"), Env("shop/test"), Of(machine)}));
  EXPECT_EQ(Listed(world.owner), (std::vector<std::string>{"machine", "shop/prod", "shop/test"}));
  for (const PrivateIdentity* who : {&reader, &writer, &operating, &auditor})
    EXPECT_EQ(Listed(*who), (std::vector<std::string>{"shop/prod"}));
  EXPECT_EQ(Listed(outsider), (std::vector<std::string>{"shop/test"}));
  EXPECT_FALSE(vault().ListFreezes(direct.Caller(machine.key), {}));
  api::FreezesListRequest page;
  page.limit = 1;
  std::size_t pages = 0, seen = 0;
  do {
    const auto some = Must(vault().ListFreezes(direct.Caller(world.owner), page));
    seen += some.freezes.size();
    page.after = some.next;
    ++pages;
  } while (page.after);
  EXPECT_EQ(pages, 3U);
  EXPECT_EQ(seen, 3U);
  const auto first = Must(vault().ListFreezes(direct.Caller(reader), page));
  EXPECT_EQ(first.freezes.size(), 1U) << "machines are none of his";
  EXPECT_FALSE(first.next) << "nor is what comes after it";
}

TEST(FreezeShapeTest, IsStrictAndBounded) {
  const auto reads = [](const std::string& text) {
    const auto json = ParseJson(text);
    return json && api::FreezeRequest::FromJson(*json);
  };
  const std::string id(64, 'a');
  EXPECT_TRUE(reads(R"({"objects":[{"kind":"environment","id":"shop/prod"}]})"));
  EXPECT_TRUE(reads(R"({"objects":[{"kind":"machine","id":")" + id + R"("}],"reason":"x"})"));
  for (const std::string& bad :
       {std::string(R"({"objects":[]})"), std::string(R"({"objects":[{"kind":"project","id":"shop"}]})"),
        std::string(R"({"objects":[{"kind":"environment","id":"shop"}]})"),
        std::string(R"({"objects":[{"kind":"machine","id":"web-1"}]})"),
        std::string(R"({"objects":[{"kind":"machine-in-environment","id":")") + id + R"("}]})",
        std::string(R"({"objects":[{"kind":"machine-in-environment","id":")") + id +
            R"(","environment":"shop"}]})",
        std::string(R"({"objects":[{"kind":"machine","id":")") + id + R"(","environment":"shop/prod"}]})",
        std::string(R"({"objects":[{"kind":"environment","id":"shop/prod","x":1}]})"),
        R"({"objects":[{"kind":"environment","id":"shop/prod"}],"reason":")" + std::string(513, 'x') + "\"}",
        std::string(R"({"objects":[{"kind":"environment","id":"shop/prod"}],"reason":"a\nb"})")})
    EXPECT_FALSE(reads(bad)) << bad;
}

}  // namespace
}  // namespace grantfs::testing

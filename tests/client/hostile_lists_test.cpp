// A taken vault shows a machine lists that are older than what it has seen, forked, or another vault's.

#include "hostile_machine_test.h"

namespace grantfs::testing {
namespace {

using HostileListsTest = HostileMachineTest;

TEST_F(HostileListsTest, ASecretRolledBack) {
  const auto before = Capture<api::GrantsRequest, api::GrantsResponse>(api::kMachineGrants);
  auto session = Mount("web-1");
  const auto old = *before;
  vault_.SetRewrite({});
  Set("a", "rotated");
  ASSERT_TRUE(Eventually([&] { return Lists(*session, "a", 2); }));
  session.reset();
  LieAboutGrants([old](const auto&, api::GrantsResponse& answer) { answer.grants = old.grants; });
  Must(Owner().CreateEnvironment("shop/later", ""));  // so that there is something to look for
  session = Mount("web-1");
  EXPECT_TRUE(Says(*session, "rollback")) << Notices(*session);
  EXPECT_TRUE(Lists(*session, "a", 2)) << "what was verified stays";
  EXPECT_EQ(CodeOf(Read(*session, "a")), Code::kIntegrity);
}

TEST_F(HostileListsTest, TheVaultsListRolledBack) {
  const auto before = Capture<api::GrantsRequest, api::GrantsResponse>(api::kMachineGrants);
  auto session = Mount("web-1");
  const Head old = before->vault_head;
  vault_.SetRewrite({});
  Must(Owner().CreateEnvironment("shop/later", ""));
  Stir();
  ASSERT_TRUE(Eventually([&] { return Lists(*session, "b"); }));
  LieAboutGrants([old](const auto&, api::GrantsResponse& answer) { answer.vault_head = old; });
  Revoke("web-1", "b");
  ExpectSays(*session, "the vault's own list is refused");
  EXPECT_EQ(CodeOf(Read(*session, "a")), Code::kIntegrity) << "everything hangs on it";
}

TEST_F(HostileListsTest, TheVaultsListIsGarbageWhenNothingElseIsNew) {
  const auto session = Mount("web-1");
  const std::string machine = Must(Must(Home::Open(Path("web-1"))).LoadIdentity()).Id().Hex();
  vault_.SetRewrite([machine](const HttpRequest& asked, HttpResponse& answer) {
    const std::string* signer = FindHeader(asked.headers, "signature-input");
    if (answer.status != 200 || signer == nullptr || signer->find(machine) == std::string::npos) return;
    if (asked.path != api::kListsRead.path) return;
    auto shown = Must(api::ListReadResponse::FromJson(Must(ParseJson(answer.body))));
    for (std::string& statement : shown.statements) statement = "{}";
    answer.body = shown.ToJson().Dump();
  });
  Must(Owner().CreateEnvironment("shop/later", ""));  // a change of the vault's list alone
  ExpectSays(*session, "the vault's own list is refused");
  EXPECT_EQ(CodeOf(Read(*session, "a")), Code::kIntegrity) << "everything hangs on it";
  vault_.SetRewrite({});
  Stir();
  EXPECT_TRUE(Eventually([&] { return Read(*session, "a").has_value(); })) << "an honest answer mends it";
}

TEST_F(HostileListsTest, AnEnvironmentsListForked) {
  auto session = Mount("web-1");
  // The environment's owner signs two statements for one place, one of which the vault kept to itself.
  Forger ann(Path("ann"));
  const EnvironmentList real = *ann.Upper().environment;
  const Identity eve = MakeHome("eve");
  Must(Owner().AddMember("shop/prod", eve, Role::kWriter, "", ""));
  Grant("web-1", "b");
  ASSERT_TRUE(Eventually([&] { return Lists(*session, "b"); }));
  EnvironmentList fork = real;
  for (const char* name : {"mallory", "mallet"}) {
    const Identity other = MakeHome(name);
    Good(fork.Append(ann.Sign(ann.Next(fork, MemberAdd{other, Role::kWriter, "", {}})),
                     {&ann.keeper().vault(), nullptr}));
  }
  ShowEnvironment(fork);
  Revoke("web-1", "b");
  ExpectSays(*session, "shop/prod is refused");
  EXPECT_EQ(CodeOf(Read(*session, "a")), Code::kIntegrity);
}

TEST_F(HostileListsTest, TheListsOfAnotherVault) {
  ServedVault other;
  InviteOptions invite;
  invite.name = "web-2";
  const auto line = Must(Owner().Invite(invite)).line;
  ShowVault(other.world.vault);
  const auto enrolled = Enrol(Path("web-2"), &line, std::chrono::milliseconds(0), {});
  EXPECT_EQ(CodeOf(enrolled), Code::kIntegrity);
  EXPECT_NE(Sentence(enrolled).find("another history"), std::string::npos) << Sentence(enrolled);
}

TEST_F(HostileListsTest, TheListsOfAnotherVaultForOneWhoKnowsNoMoreThanItsId) {
  ServedVault other;
  Must(Owner().AddMember("shop/prod", MakeHome("eve"), Role::kWriter, "", ""));
  ShowVault(other.world.vault);
  const auto session = OwnerSession::Open(Path("eve"));
  const std::string said = session ? Sentence((*session)->SetSecret({"shop/prod", "a"}, Value("x"), {}))
                                   : Describe(session.error());
  EXPECT_NE(said.find("the lists of another vault"), std::string::npos) << said;
}

TEST_F(HostileListsTest, AnOlderListThanTheInvitationNames) {
  InviteOptions invite;
  invite.name = "web-2";
  const auto line = Must(Owner().Invite(invite)).line;
  vault_.Lie<api::ListReadRequest, api::ListReadResponse>(
      api::kListsRead, [](const api::ListReadRequest& asked, api::ListReadResponse& answer) {
        if (asked.list.kind != ListKind::kVault || answer.statements.size() < 2) return;
        answer.statements.pop_back();
        answer.head = Must(SignedStatement::Parse(answer.statements.back())).head();
      });
  const auto enrolled = Enrol(Path("web-2"), &line, std::chrono::milliseconds(0), {});
  EXPECT_EQ(CodeOf(enrolled), Code::kIntegrity);
  EXPECT_NE(Sentence(enrolled).find("rollback"), std::string::npos) << Sentence(enrolled);
}

TEST_F(HostileListsTest, AnEnvironmentsListRolledBack) {
  const auto before = Capture<api::GrantsRequest, api::GrantsResponse>(api::kMachineGrants);
  const auto session = Mount("web-1");
  const Head old = before->environments.at(0).head;
  vault_.SetRewrite({});
  Must(Owner().AddMember("shop/prod", MakeHome("eve"), Role::kWriter, "", ""));
  Stir();
  ASSERT_TRUE(Eventually([&] { return Lists(*session, "b"); }));
  LieAboutGrants([old](const auto&, api::GrantsResponse& answer) {
    for (auto& environment : answer.environments) environment.head = old;
  });
  Revoke("web-1", "b");
  ExpectSays(*session, "shop/prod is refused");
  EXPECT_EQ(CodeOf(Read(*session, "a")), Code::kIntegrity);
}

TEST_F(HostileListsTest, HeadsThatTheirListsDoNotHave) {
  const auto session = Mount("web-1");
  LieAboutGrants([](const auto&, api::GrantsResponse& answer) { answer.vault_head.sequence += 1; });
  Stir();
  ExpectSays(*session, "the vault's own list is refused: the vault names a head");
  EXPECT_EQ(CodeOf(Read(*session, "a")), Code::kIntegrity);
  LieAboutGrants([](const auto&, api::GrantsResponse& answer) {
    for (auto& environment : answer.environments) environment.head.sequence += 1;
  });
  Revoke("web-1", "b");
  ExpectSays(*session, "shop/prod is refused: the vault names a head");
  EXPECT_EQ(CodeOf(Read(*session, "a")), Code::kIntegrity);
}

TEST_F(HostileListsTest, AnEnvironmentThatARemovedOwnerMadeAnew) {
  std::optional<Forger> bob;
  AddAndRemoveBob([&] { bob.emplace(Path("bob")); });
  const auto epoch = Must(MakeEpoch({bob->me().identity()}, nullptr, nullptr));
  EnvironmentList fake("shop/prod");
  const auto create = EnvironmentCreate{"shop/prod", bob->me().identity(), epoch.epoch};
  Good(fake.Append(bob->Sign(bob->Next(fake, create)), {&bob->keeper().vault(), nullptr}));
  ShowEnvironment(fake);
  const auto session = Mount("web-1");
  ExpectSays(*session, "does not begin with the statement that the vault's list names");
  EXPECT_TRUE(session->CurrentListing()->secrets.empty());
}

}  // namespace
}  // namespace grantfs::testing

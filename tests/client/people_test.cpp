// Users and agents: invited, let in, given roles, and what they can then do.

#include <algorithm>

#include "served_vault.h"
#include "support/test_clock.h"

namespace grantfs::testing {
namespace {

class PeopleTest : public ServedTest {
 protected:
  SecretMemory Invited(const std::string& name, IdentityKind kind) {
    InviteOptions invite;
    invite.name = name;
    invite.kind = kind;
    return Must(Owner().Invite(invite)).line;
  }
  /// Invites, enrols and approves; its session.
  std::unique_ptr<OwnerSession> Person(const std::string& name, IdentityKind kind = IdentityKind::kUser) {
    const auto line = Invited(name, kind);
    EXPECT_FALSE(Must(Enrol(Path(name), &line, std::chrono::milliseconds(0), {})).approved);
    EXPECT_EQ(Must(Owner().Approve(name, "")).kind, kind);
    EXPECT_TRUE(Must(Enrol(Path(name), nullptr, std::chrono::milliseconds(0), {})).approved);
    return Must(OwnerSession::Open(Path(name)));
  }
  Status Give(const std::string& name, Role role, const std::string& prefix = {}) {
    const auto given = Owner().AddMember("shop/prod", Must(Owner().FindPerson(name)), role, prefix, "");
    return given ? Status() : Status(given.error());
  }
  static constexpr const char* kEnvironment = "shop/prod";
};

TEST_F(PeopleTest, OneWhoWasLetInHasNoRightUntilAnOwnerGivesARole) {
  Set("db-password", "one");
  const auto bea = Person("bea");
  EXPECT_EQ(bea->WhoAmI().kind, IdentityKind::kUser);
  Must(bea->VaultStatus());
  EXPECT_EQ(CodeOf(bea->ListSecrets(kEnvironment, "")), Code::kNotFound);
  EXPECT_EQ(CodeOf(bea->ListIdentities()), Code::kDenied);
  EXPECT_FALSE(Must(bea->ListEnvironments()).front().role);
  EXPECT_EQ(Must(bea->ListVaultOwners()).front().name, "ann");
  Good(Give("bea", Role::kReader));
  EXPECT_EQ(Shown(Must(bea->GetSecret({kEnvironment, "db-password"}, {})).value), "one");
  EXPECT_EQ(CodeOf(bea->SetSecret({kEnvironment, "db-password"}, Value("two"), {})), Code::kDenied);
  EXPECT_EQ(CodeOf(Give("bea", Role::kReader)), Code::kConflict);
  Must(Owner().RemoveMember(kEnvironment, "bea", ""));
  EXPECT_NE(Sentence(bea->ListSecrets(kEnvironment, "")).find("your role there has ended"),
            std::string::npos);
  EXPECT_FALSE(Must(bea->ListEnvironments()).front().role);
  EXPECT_EQ(Must(Owner().ListEnvironments()).front().epoch, 2u) << "she had the key";
}

TEST_F(PeopleTest, ARoleIsChangedInOneStepWithoutANewInvitation) {
  Set("db-password", "one");
  const SecretName name{kEnvironment, "db-password"};
  const auto bea = Person("bea");
  Good(Give("bea", Role::kWriter));
  Must(bea->SetSecret(name, Value("hers"), {}));
  Good(Give("bea", Role::kReader));
  EXPECT_EQ(Shown(Must(bea->GetSecret(name, {})).value), "hers");
  EXPECT_EQ(CodeOf(bea->SetSecret(name, Value("x"), {})), Code::kDenied);
  EXPECT_EQ(Must(Owner().SecretHistory(name)).size(), 2u) << "what she set stays good";
  Good(Give("bea", Role::kOwner));
  EXPECT_EQ(Must(Owner().ListEnvironments()).front().epoch, 1u) << "nobody lost the key";
  Must(bea->SetSecret({kEnvironment, "other"}, Value("o"), {}));
  EXPECT_EQ(CodeOf(bea->AddMember(kEnvironment, Must(bea->FindPerson("bea")), Role::kReader, "", "")),
            Code::kInvalid)
      << "not her own";
  Good(Give("bea", Role::kOperator));
  EXPECT_EQ(Must(Owner().ListEnvironments()).front().epoch, 2u) << "she had it";
  EXPECT_EQ(CodeOf(bea->GetSecret(name, {})), Code::kDenied);
  EXPECT_EQ(Must(bea->ListSecrets(kEnvironment, "")).size(), 2u);
  EXPECT_EQ(CodeOf(Give("bea", Role::kOperator)), Code::kConflict);
  Must(Owner().SetSecret(name, Value("later"), {}));
  const auto due = Must(Owner().Offboard("bea", "", true)).due;
  ASSERT_EQ(due.size(), 1u) << "what was set before she lost the key";
  EXPECT_EQ(due[0].name.path, "other");
  Good(Give("bea", Role::kReader));
  EXPECT_EQ(Shown(Must(bea->GetSecret(name, {})).value), "later");
  const auto members = Must(Owner().ListMembers(kEnvironment));
  EXPECT_EQ(
      std::count_if(members.begin(), members.end(),
                    [](const MemberInfo& one) { return one.name == "bea" && one.role == Role::kReader; }),
      1);
}

TEST_F(PeopleTest, AnAgentWritesBelowItsPrefixAndReadsNothing) {
  Set("db-password", "one");
  const auto ci = Person("ci", IdentityKind::kAgent);
  EXPECT_EQ(CodeOf(Give("ci", Role::kReader)), Code::kInvalid);
  EXPECT_EQ(CodeOf(Give("ci", Role::kOwner)), Code::kInvalid);
  EXPECT_EQ(CodeOf(Give("ci", Role::kWriter, "tls")), Code::kInvalid) << "a prefix ends in a slash";
  Good(Give("ci", Role::kWriter, "tls/"));
  Must(ci->SetSecret({kEnvironment, "tls/server.key"}, Value("key"), {}));
  EXPECT_EQ(CodeOf(ci->SetSecret({kEnvironment, "db-password"}, Value("two"), {})), Code::kDenied);
  EXPECT_EQ(CodeOf(ci->SetSecret({kEnvironment, "other"}, Value("two"), {})), Code::kDenied);
  EXPECT_EQ(CodeOf(ci->GetSecret({kEnvironment, "tls/server.key"}, {})), Code::kDenied);
  EXPECT_EQ(Shown(Must(Owner().GetSecret({kEnvironment, "tls/server.key"}, {})).value), "key");
  EXPECT_EQ(Must(Owner().ListEnvironments()).front().epoch, 1u);
  Must(Owner().RemoveMember(kEnvironment, "ci", "done"));
  EXPECT_EQ(CodeOf(ci->SetSecret({kEnvironment, "tls/server.key"}, Value("x"), {})), Code::kDenied);
  EXPECT_EQ(Shown(Must(Owner().GetSecret({kEnvironment, "tls/server.key"}, {})).value), "key")
      << "what it set stays good";
}

TEST_F(PeopleTest, AnOwnerOfAnEnvironmentGrantsWithoutOwningTheVault) {
  Set("db-password", "one");
  Machine("web-1");
  const auto bea = Person("bea");
  Good(Give("bea", Role::kOwner));
  GrantOptions options;
  options.wait = std::chrono::milliseconds(0);
  Must(bea->GrantTo("web-1", {{kEnvironment, "db-password"}}, options));
  EXPECT_EQ(ReadText(*Mount("web-1"), "db-password"), "one");
  EXPECT_EQ(CodeOf(bea->Invite({IdentityKind::kMachine, "web-2", 60})), Code::kDenied);
  EXPECT_EQ(CodeOf(bea->CreateEnvironment("shop/test", "")), Code::kDenied);
  Must(bea->RevokeFrom("web-1", {{kEnvironment, "db-password"}}, "", std::chrono::milliseconds(0)));
}

TEST_F(PeopleTest, ANameIsOneMachinesOrOnePersons) {
  Machine("web-1");
  Person("bea");
  for (const auto kind : {IdentityKind::kMachine, IdentityKind::kUser, IdentityKind::kAgent}) {
    for (const char* taken : {"web-1", "bea", "ann", "recovery"})
      EXPECT_EQ(CodeOf(Owner().Invite({kind, taken, 60})), Code::kConflict) << taken;
  }
  // Two lines for one name: the second one finds it taken.
  const auto first = Invited("cy", IdentityKind::kUser), second = Invited("cy", IdentityKind::kAgent);
  for (const auto& [home, line] : {std::pair{"cy-1", &first}, {"cy-2", &second}})
    EXPECT_FALSE(Must(Enrol(Path(home), line, std::chrono::milliseconds(0), {})).approved);
  const auto pending = Must(Owner().ListPending());
  ASSERT_EQ(pending.size(), 2u);
  Must(Owner().Approve("cy", pending[0].fingerprint));
  EXPECT_EQ(CodeOf(Owner().Approve("cy", pending[1].fingerprint)), Code::kConflict);
  EXPECT_EQ(CodeOf(Owner().FindPerson("web-1")), Code::kNotFound) << "a machine has no role";
  EXPECT_EQ(CodeOf(Owner().GrantTo("bea", {{kEnvironment, "x"}}, {})), Code::kNotFound);
}

TEST_F(PeopleTest, TheVaultHasSeveralOwners) {
  const auto bea = Person("bea");
  const auto ci = Person("ci", IdentityKind::kAgent);
  EXPECT_EQ(CodeOf(Owner().AddVaultOwner(Must(Owner().FindPerson("ci")), "")), Code::kInvalid);
  Must(Owner().AddVaultOwner(Must(Owner().FindPerson("bea")), ""));
  EXPECT_EQ(CodeOf(Owner().AddVaultOwner(Must(Owner().FindPerson("bea")), "")), Code::kConflict);
  EXPECT_EQ(Must(ci->ListVaultOwners()).size(), 3u) << "two, and recovery";
  Must(bea->CreateEnvironment("blog/prod", ""));
  Must(bea->Invite({IdentityKind::kMachine, "web-2", 60}));
  EXPECT_EQ(CodeOf(Owner().RemoveVaultOwner("ann", "")), Code::kInvalid) << "oneself";
  Must(bea->RemoveVaultOwner("ann", "handed over"));
  EXPECT_EQ(CodeOf(Owner().Invite({IdentityKind::kMachine, "web-3", 60})), Code::kDenied);
  EXPECT_EQ(Must(Owner().ListMembers(kEnvironment)).size(), 1u) << "the environment is still hers";
  Must(Owner().SetSecret({kEnvironment, "a"}, Value("x"), {}));
}

TEST_F(PeopleTest, OffboardingEndsAllOfIsOnesAndNamesWhatIsToBeSetAnew) {
  const auto bea = Person("bea");
  const auto cy = Person("cy");
  const auto ci = Person("ci", IdentityKind::kAgent);
  Set("db-password", "one");
  Good(Give("bea", Role::kOwner));
  Good(Give("ci", Role::kWriter));
  Must(Owner().AddVaultOwner(Must(Owner().FindPerson("cy")), ""));
  Must(cy->CreateEnvironment("blog/prod", ""));
  Must(cy->AddMember("blog/prod", Must(cy->FindPerson("bea")), Role::kReader, "", ""));
  Must(ci->SetSecret({kEnvironment, "by-ci"}, Value("x"), {}));
  Must(bea->SetSecret({kEnvironment, "by-bea"}, Value("x"), {}));
  Must(bea->GetSecret({kEnvironment, "db-password"}, {}));

  const auto dry = Must(Owner().Offboard("bea", "", true));
  EXPECT_FALSE(dry.removed_from_vault);
  ASSERT_EQ(dry.memberships.size(), 2u);
  EXPECT_EQ(dry.memberships[0].environment, "blog/prod");
  EXPECT_FALSE(dry.memberships[0].mine);
  EXPECT_TRUE(dry.memberships[1].mine && dry.memberships[1].present);
  EXPECT_EQ(dry.due.size(), 3u) << "all values were hers to read";
  Must(bea->GetSecret({kEnvironment, "db-password"}, {}));

  const auto done = Must(Owner().Offboard("bea", "left", false));
  EXPECT_TRUE(done.problems.empty()) << done.problems.front();
  EXPECT_TRUE(done.removed_from_vault);
  EXPECT_TRUE(done.memberships[0].present) << "cy's to end";
  EXPECT_FALSE(done.memberships[1].present);
  ASSERT_EQ(done.due.size(), 3u);
  for (const DueSecret& one : done.due) {
    EXPECT_EQ(one.set_by_leaver, one.name.path == "by-bea");
    EXPECT_EQ(one.last_read != 0, one.name.path == "db-password") << one.name.path;
  }
  EXPECT_EQ(CodeOf(bea->VaultStatus()), Code::kUnauthentic);
  EXPECT_EQ(Shown(Must(Owner().GetSecret({kEnvironment, "by-bea"}, {})).value), "x") << "it stays good";
  EXPECT_EQ(Must(Must(OwnerSession::Open(Path("cy")))->VaultStatus()).owed.size(), 1u);
  const auto by_cy = Must(cy->Offboard("bea", "left", false));
  EXPECT_FALSE(by_cy.memberships[0].present);

  Set("db-password", "two");
  const auto again = Must(Owner().Offboard("bea", "", false));
  EXPECT_EQ(again.due.size(), 2u) << "what was set anew with the new key is not due";
  const auto agent = Must(Owner().Offboard("ci", "", false));
  ASSERT_EQ(agent.due.size(), 1u) << "it reads nothing, and knows what it has set";
  EXPECT_EQ(agent.due[0].name.path, "by-ci");
}

TEST_F(PeopleTest, AReviewNamesWhatNobodyUsed) {
  constexpr std::int64_t kDay = 86'400;
  const auto bea = Person("bea");
  const auto otto = Person("otto");
  const auto aud = Person("aud");
  Good(Give("bea", Role::kReader));
  Good(Give("otto", Role::kOperator));
  Good(Give("aud", Role::kAuditor));
  Must(Owner().CreateEnvironment("blog/prod", ""));
  Set("used", "one");
  Set("unused", "one");
  Machine("web-1");
  Machine("web-2");
  for (const char* machine : {"web-1", "web-2"}) {
    Grant(machine, "used");
    Grant(machine, "unused");
  }
  ReadText(*Mount("web-1"), "used");
  Must(bea->GetSecret({kEnvironment, "used"}, {}));
  const auto young = Must(Owner().Review(90 * kDay));
  EXPECT_TRUE(young.grants.empty() && young.members.empty()) << "all of it is of today";
  // Ninety-one days later: nothing was used since, and it is known when it was last.
  TestClock clock;
  clock.SetBy(91 * kDay);
  ClientOptions options;
  options.clock = &clock;
  const auto late = Must(Must(OwnerSession::Open(Path("otto"), options))->Review(90 * kDay));
  EXPECT_EQ(late.environments, std::vector<std::string>{kEnvironment});
  EXPECT_EQ(late.unseen, std::vector<std::string>{"blog/prod"}) << "said, not left out in silence";
  ASSERT_EQ(late.grants.size(), 4u);
  for (const UnusedGrant& one : late.grants)
    EXPECT_EQ(one.last_read != 0, one.secret.path == "used" && one.machine == "web-1");
  ASSERT_EQ(late.members.size(), 4u);
  for (const UnusedMember& one : late.members)
    EXPECT_EQ(one.last_act != 0, one.member.name == "ann" || one.member.name == "bea") << one.member.name;
  EXPECT_EQ(CodeOf(aud->Review(90 * kDay)), Code::kDenied) << "an auditor sees no names";
  EXPECT_EQ(CodeOf(bea->Review(90 * kDay)), Code::kDenied) << "a reader sees no audit log";
}

TEST_F(PeopleTest, WhoOwnsAnEnvironmentAloneOffboardsFromItAlone) {
  const auto bea = Person("bea");
  const auto cy = Person("cy");
  Good(Give("bea", Role::kOwner));
  Good(Give("cy", Role::kReader));
  Machine("web-1");
  EXPECT_EQ(CodeOf(cy->Offboard("bea", "", true)), Code::kDenied);
  EXPECT_EQ(CodeOf(Owner().Offboard("ann", "", false)), Code::kInvalid) << "oneself";
  EXPECT_EQ(CodeOf(Owner().Offboard("web-1", "", false)), Code::kInvalid);
  EXPECT_EQ(CodeOf(Owner().Offboard("nobody", "", false)), Code::kNotFound);
  const auto done = Must(bea->Offboard("cy", "", false));
  EXPECT_FALSE(done.removed_from_vault);
  EXPECT_FALSE(done.memberships[0].present);
  Must(cy->VaultStatus());
}

TEST_F(PeopleTest, OneWhoIsRemovedFromTheVaultIsNobodyEverywhere) {
  const auto bea = Person("bea");
  Good(Give("bea", Role::kReader));
  const auto removed = Must(Owner().RemoveIdentity("bea", "left"));
  EXPECT_TRUE(removed.problems.empty());
  EXPECT_EQ(CodeOf(bea->VaultStatus()), Code::kUnauthentic);
  EXPECT_EQ(Must(Owner().ListMembers(kEnvironment)).size(), 1u);
  const auto shown = Must(Owner().ShowIdentity("bea"));
  EXPECT_TRUE(shown.removed);
  EXPECT_EQ(CodeOf(Owner().FindPerson("bea")), Code::kNotFound);
  std::filesystem::rename(Path("bea"), Path("bea-before"));
  EXPECT_EQ(Person("bea")->WhoAmI().name, "bea") << "the name is free for a new key";
}

}  // namespace
}  // namespace grantfs::testing

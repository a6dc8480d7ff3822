// Another key in the place of somebody's: made in his home or a new one, approved, followed by environments.

#include <algorithm>
#include <filesystem>

#include "grantfs/client/home.h"
#include "grantfs/util/file.h"
#include "served_vault.h"

namespace grantfs::testing {
namespace {

constexpr std::chrono::milliseconds kNoWait{0};

class RekeyTest : public ServedTest {
 protected:
  ~RekeyTest() override { Home::AskPassphraseBy({}); }
  SecretMemory Line(const std::string& name, IdentityKind kind, bool rekey) {
    InviteOptions invite;
    invite.name = name;
    invite.kind = kind;
    invite.rekey = rekey;
    return Must(Owner().Invite(invite)).line;
  }
  std::unique_ptr<OwnerSession> Person(const std::string& name, IdentityKind kind = IdentityKind::kUser) {
    const auto line = Line(name, kind, false);
    EXPECT_FALSE(Must(Enrol(Path(name), &line, kNoWait, {})).approved);
    Must(Owner().Approve(name, ""));
    EXPECT_TRUE(Must(Enrol(Path(name), nullptr, kNoWait, {})).approved);
    return As(name);
  }
  std::unique_ptr<OwnerSession> As(const std::string& name) { return Must(OwnerSession::Open(Path(name))); }
  void Give(const std::string& name, Role role, const std::string& prefix = {}) {
    Must(Owner().AddMember(kEnvironment, Must(Owner().FindPerson(name)), role, prefix, ""));
  }
  /// Makes a new key in the home that there is.
  void Ask(const std::string& name, IdentityKind kind = IdentityKind::kUser) {
    const auto line = Line(name, kind, true);
    EXPECT_FALSE(Must(RekeyHome(Path(name), &line, kNoWait, {})).approved);
  }
  /// The same, approved by the owner, and taken in.
  RekeyResult Rekey(const std::string& name, IdentityKind kind = IdentityKind::kUser) {
    Ask(name, kind);
    auto result = Must(Owner().ApproveRekey(name, {}));
    for (const std::string& problem : result.problems) ADD_FAILURE() << problem;
    EXPECT_TRUE(Must(RekeyHome(Path(name), nullptr, kNoWait, {})).approved);
    EXPECT_FALSE(Home::Exists(Path(name) + kNextHome));
    EXPECT_EQ(As(name)->WhoAmI().fingerprint, result.fingerprint);
    return result;
  }
  std::string ValueFor(OwnerSession& who, const std::string& path) {
    return Shown(Must(who.GetSecret({kEnvironment, path}, {})).value);
  }
  void ExpectRefused(OwnerSession& before) {
    const auto status = before.VaultStatus();
    EXPECT_EQ(CodeOf(status), Code::kUnauthentic);
    EXPECT_NE(Sentence(status).find("replaced by a new one"), std::string::npos) << Sentence(status);
    EXPECT_EQ(CodeOf(before.SetSecret({kEnvironment, "a"}, Value("x"), {})), Code::kUnauthentic);
  }
  static constexpr const char* kEnvironment = "shop/prod";
};

TEST_F(RekeyTest, AWritersNewKeyPublishesAndTheOneBeforeIsRefused) {
  Set("a", "one");
  const auto before = Person("ci", IdentityKind::kAgent);
  Give("ci", Role::kWriter, "tls/");
  Must(before->SetSecret({kEnvironment, "tls/key"}, Value("by the key before"), {}));
  std::filesystem::copy(Path("ci"), Path("stolen"), std::filesystem::copy_options::recursive);
  Ask("ci", IdentityKind::kAgent);
  Must(before->VaultStatus());
  const auto result = Must(Owner().ApproveRekey("ci", {}));
  EXPECT_EQ(result.environments, std::vector<std::string>{kEnvironment});
  EXPECT_TRUE(result.others.empty() && result.waiting.empty() && result.problems.empty());
  EXPECT_NE(result.before, result.id);
  ExpectRefused(*before);
  ExpectRefused(*As("stolen"));
  EXPECT_EQ(CodeOf(As("ci")->VaultStatus()), Code::kUnauthentic) << "the home has yet to take it";
  EXPECT_TRUE(Must(RekeyHome(Path("ci"), nullptr, kNoWait, {})).approved);
  const auto ci = As("ci");
  EXPECT_EQ(ci->WhoAmI().id, result.id);
  Must(ci->SetSecret({kEnvironment, "tls/key"}, Value("by the new one"), {}));
  EXPECT_EQ(CodeOf(ci->SetSecret({kEnvironment, "a"}, Value("x"), {})), Code::kDenied) << "the same prefix";
  EXPECT_EQ(ValueFor(Owner(), "tls/key"), "by the new one");
  EXPECT_EQ(Must(Owner().SecretHistory({kEnvironment, "tls/key"})).size(), 2u) << "what it set stays good";
  EXPECT_EQ(Must(Owner().ListEnvironments()).front().epoch, 1u) << "it had no key to lose";
  const auto members = Must(Owner().ListMembers(kEnvironment));
  ASSERT_EQ(members.size(), 2u);
  EXPECT_EQ(members[1].id, result.id);
  EXPECT_EQ(members[1].prefix, "tls/");
  const auto all = Must(Owner().ListIdentities());
  for (const IdentityInfo& one : all) {
    if (one.name == "ci") {
      EXPECT_EQ(one.removed, one.id == result.before);
    }
  }
  EXPECT_EQ(std::count_if(all.begin(), all.end(), [](const auto& one) { return one.name == "ci"; }), 2);
  EXPECT_EQ(Must(Owner().Offboard("ci", "", true)).id, result.id) << "the name is the new key's";
  const auto due = Must(Owner().Offboard(result.before, "", true)).due;
  EXPECT_TRUE(due.empty()) << "the value that it set is not current";
}

TEST_F(RekeyTest, AnOwnerReadsEverythingAgainByTheNewKey) {
  const auto before = Person("bea");
  Give("bea", Role::kOwner);
  Must(Owner().AddVaultOwner(Must(Owner().FindPerson("bea")), ""));
  Set("a", "one");
  Machine("web-1");
  Must(Owner().CreateGroup(kEnvironment, "web", {"web-1"}, {}));
  Must(before->SetSecret({kEnvironment, "hers"}, Value("two"), {}));
  Must(before->InviteStanding({"app-*", 5, 3600, 0, {}}));
  const auto result = Rekey("bea");
  EXPECT_TRUE(result.vault_owner);
  ExpectRefused(*before);
  EXPECT_TRUE(Must(Owner().ListInvitations()).empty()) << "what the key before promised to strangers";
  EXPECT_EQ(Must(Owner().ListEnvironments()).front().epoch, 2u);
  EXPECT_EQ(Must(Owner().ListGroups(kEnvironment, "web")).front().epoch, 2u);
  const auto bea = As("bea");
  EXPECT_EQ(ValueFor(*bea, "a"), "one");
  EXPECT_EQ(ValueFor(*bea, "hers"), "two");
  EXPECT_EQ(ValueFor(Owner(), "hers"), "two") << "what she signed stays good";
  Set("a", "three");
  EXPECT_EQ(ValueFor(*bea, "a"), "three");
  GrantOptions options;
  options.wait = kNoWait;
  Must(bea->GrantTo("web-1", {{kEnvironment, "a"}}, options));
  EXPECT_EQ(ReadText(*Mount("web-1"), "a"), "three");
  Must(bea->Invite({IdentityKind::kMachine, "web-2", 60}));
  // The next one is hers to approve.
  Must(Owner().VaultStatus());
  const auto line = Must(bea->Invite({IdentityKind::kUser, "ann", 60, 0, true})).line;
  EXPECT_FALSE(Must(Enrol(Path("ann-2"), &line, kNoWait, {})).approved);
  const auto ann = Must(bea->ApproveRekey("ann", {}));
  EXPECT_EQ(ann.environments, std::vector<std::string>{kEnvironment});
  EXPECT_TRUE(Must(Enrol(Path("ann-2"), nullptr, kNoWait, {})).approved) << "on a new computer";
  EXPECT_EQ(ValueFor(*As("ann-2"), "a"), "three");
  EXPECT_EQ(CodeOf(Owner().VaultStatus()), Code::kUnauthentic);
}

TEST_F(RekeyTest, TheOwnersOfOtherEnvironmentsFollow) {
  const auto cy = Person("cy");
  Person("bea");
  Must(Owner().AddVaultOwner(Must(Owner().FindPerson("cy")), ""));
  Must(cy->CreateEnvironment("blog/prod", ""));
  Must(cy->SetSecret({"blog/prod", "a"}, Value("one"), {}));
  Must(cy->AddMember("blog/prod", Must(cy->FindPerson("bea")), Role::kReader, "", ""));
  EXPECT_EQ(CodeOf(cy->RekeyMember("blog/prod", "bea", {})), Code::kNotFound) << "she has no new key";
  const auto result = Rekey("bea");
  EXPECT_TRUE(result.environments.empty());
  EXPECT_EQ(result.others, std::vector<std::string>{"blog/prod"});
  EXPECT_TRUE(result.orphans.empty());
  EXPECT_FALSE(As("bea")->GetSecret({"blog/prod", "a"}, {})) << "the environment has not said so";
  const auto owed = Must(cy->VaultStatus()).owed;
  ASSERT_EQ(owed.size(), 1u);
  EXPECT_NE(owed[0].find(result.fingerprint), std::string::npos) << owed[0];
  EXPECT_NE(owed[0].find("grantfs member rekey blog/prod bea"), std::string::npos) << owed[0];
  EXPECT_EQ(Must(cy->ListMembers("blog/prod")).front().replaced_by, result.fingerprint);
  RekeyOptions wrong;
  wrong.fingerprint = "aaaa-aaaa-aaaa-aaaa-aaaa";
  EXPECT_EQ(CodeOf(cy->RekeyMember("blog/prod", "bea", wrong)), Code::kIntegrity);
  EXPECT_EQ(CodeOf(Owner().RekeyMember("blog/prod", "bea", {})), Code::kDenied) << "no owner there";
  RekeyOptions right;
  right.fingerprint = result.fingerprint;
  EXPECT_EQ(Must(cy->RekeyMember("blog/prod", "bea", right)).environments,
            std::vector<std::string>{"blog/prod"});
  EXPECT_EQ(Shown(Must(As("bea")->GetSecret({"blog/prod", "a"}, {})).value), "one");
  EXPECT_TRUE(Must(cy->VaultStatus()).owed.empty());
  EXPECT_EQ(CodeOf(cy->RekeyMember("blog/prod", "bea", {})), Code::kNotFound) << "once";
}

TEST_F(RekeyTest, WhoMissedOneKeyGivesTheRoleToTheLast) {
  const auto cy = Person("cy");
  Person("bea");
  Must(Owner().AddVaultOwner(Must(Owner().FindPerson("cy")), ""));
  Must(cy->CreateEnvironment("blog/prod", ""));
  Must(cy->AddMember("blog/prod", Must(cy->FindPerson("bea")), Role::kWriter, "", ""));
  const auto first = Rekey("bea");
  const auto last = Rekey("bea");
  EXPECT_EQ(last.before, first.id);
  EXPECT_EQ(Must(cy->RekeyMember("blog/prod", "bea", {})).id, last.id);
  Must(As("bea")->SetSecret({"blog/prod", "a"}, Value("one"), {}));
  Must(Owner().RemoveIdentity("bea", ""));
  EXPECT_EQ(Must(cy->VaultStatus()).owed.size(), 1u);
  EXPECT_EQ(CodeOf(cy->RekeyMember("blog/prod", "bea", {})), Code::kNotFound) << "removed, not replaced";
}

TEST_F(RekeyTest, TheOnlyOwnerOfAnEnvironmentIsNotShutOutUnasked) {
  const auto bea = Person("bea");
  Must(Owner().AddVaultOwner(Must(Owner().FindPerson("bea")), ""));
  Must(bea->CreateEnvironment("bea/dev", ""));
  Ask("bea");
  const auto refused = Owner().ApproveRekey("bea", {});
  EXPECT_EQ(CodeOf(refused), Code::kConflict);
  EXPECT_NE(Sentence(refused).find("bea/dev"), std::string::npos) << Sentence(refused);
  Must(bea->VaultStatus());
  RekeyOptions lost;
  lost.lost = true;
  const auto result = Must(Owner().ApproveRekey("bea", lost));
  EXPECT_EQ(result.orphans, std::vector<std::string>{"bea/dev"});
  EXPECT_EQ(result.others, result.orphans);
}

TEST_F(RekeyTest, NobodyReplacesHisOwnNorAnothersByMistake) {
  Person("bea");
  const auto invite = [&](const std::string& name, IdentityKind kind) {
    return CodeOf(Owner().Invite({kind, name, 60, 0, true}));
  };
  EXPECT_EQ(invite("ann", IdentityKind::kUser), Code::kInvalid) << "oneself";
  EXPECT_EQ(invite("nobody", IdentityKind::kUser), Code::kNotFound);
  EXPECT_EQ(invite("bea", IdentityKind::kAgent), Code::kInvalid);
  Machine("web-1");
  EXPECT_EQ(invite("web-1", IdentityKind::kMachine), Code::kNotFound) << "it is removed and enrolled anew";
  const auto line = Line("bea", IdentityKind::kUser, true);
  EXPECT_EQ(CodeOf(RekeyHome(Path("web-1"), &line, kNoWait, {})), Code::kInvalid);
  EXPECT_EQ(CodeOf(RekeyHome(Path("ann"), &line, kNoWait, {})), Code::kInvalid) << "another's line";
  EXPECT_EQ(CodeOf(RekeyHome(Path("bea"), nullptr, kNoWait, {})), Code::kNotFound) << "nothing waits";
  EXPECT_EQ(CodeOf(Owner().ApproveRekey("bea", {})), Code::kNotFound);
  EXPECT_FALSE(Must(RekeyHome(Path("bea"), &line, kNoWait, {})).approved);
  EXPECT_EQ(CodeOf(Owner().Approve("bea", "")), Code::kConflict) << "not as somebody new";
  RekeyOptions wrong;
  wrong.fingerprint = "aaaa-aaaa-aaaa-aaaa-aaaa";
  EXPECT_EQ(CodeOf(Owner().ApproveRekey("bea", wrong)), Code::kIntegrity);
  EXPECT_EQ(CodeOf(As("bea")->ApproveRekey("bea", {})), Code::kDenied);
  const auto spare = Line("bea", IdentityKind::kUser, true);
  Must(Owner().ApproveRekey("bea", {}));
  EXPECT_EQ(CodeOf(Enrol(Path("thief"), &spare, kNoWait, {})), Code::kExpired)
      << "the other line for her ended with it";
}

TEST_F(RekeyTest, TheNewKeyLiesUnderThePassphraseOfTheOneBefore) {
  Person("bea");
  Home::AskPassphraseBy([]() -> Result<SecretMemory> { return Text("correct horse"); });
  Good(Must(Home::Open(Path("bea"))).Protect(Text("correct horse")));
  Ask("bea");
  EXPECT_TRUE(Must(Must(Home::OpenAny(Path("bea") + kNextHome)).IsKeyProtected())) << "while it waits too";
  Must(Owner().ApproveRekey("bea", {}));
  EXPECT_TRUE(Must(RekeyHome(Path("bea"), nullptr, kNoWait, {})).approved);
  EXPECT_TRUE(Must(Must(Home::Open(Path("bea"))).IsKeyProtected()));
  Must(As("bea")->VaultStatus());
  Home::AskPassphraseBy([]() -> Result<SecretMemory> { return Text("another one"); });
  EXPECT_EQ(CodeOf(OwnerSession::Open(Path("bea"))), Code::kDenied);
  EXPECT_EQ(CodeOf(RekeyHome(Path("bea"), nullptr, kNoWait, {})), Code::kDenied) << "before anything is made";
}

TEST_F(RekeyTest, WhatWasCutOffIsGoneOnWith) {
  const auto before = Person("bea");
  Ask("bea");
  EXPECT_FALSE(Must(RekeyHome(Path("bea"), nullptr, kNoWait, {})).approved) << "it waits still";
  Must(before->VaultStatus());
  Must(Owner().ApproveRekey("bea", {}));
  // Approved and noted, and cut off before it took the other's place; then before the rest was taken away.
  const std::string next = Path("bea") + kNextHome;
  EXPECT_TRUE(Must(Enrol(next, nullptr, kNoWait, {})).approved);
  std::filesystem::copy(next, Path("left"), std::filesystem::copy_options::recursive);
  EXPECT_TRUE(Must(RekeyHome(Path("bea"), nullptr, kNoWait, {})).approved);
  EXPECT_FALSE(std::filesystem::exists(next));
  const auto id = As("bea")->WhoAmI().id;
  std::filesystem::copy(Path("left"), next, std::filesystem::copy_options::recursive);
  EXPECT_EQ(CodeOf(RekeyHome(Path("bea"), nullptr, kNoWait, {})), Code::kNotFound) << "nothing waits";
  EXPECT_FALSE(std::filesystem::exists(next));
  EXPECT_EQ(As("bea")->WhoAmI().id, id);
  // The same home takes the next one.
  EXPECT_NE(Rekey("bea").id, id);
}

TEST_F(RekeyTest, WhereTwoOwnersSignAnOwnersNewKeyWaitsForTheSecond) {
  for (const char* name : {"bea", "dan"}) {
    Person(name);
    Give(name, Role::kOwner);
  }
  Set("a", "one");
  ApproveOptions at_once;
  at_once.wait = kNoWait;
  for (const std::string& id : Must(Owner().SetTwoOwners(kEnvironment, true, "")))
    Must(As("bea")->ApproveRequest(id, at_once));
  const auto result = Rekey("dan");
  EXPECT_TRUE(result.environments.empty());
  ASSERT_EQ(result.waiting.size(), 1u);
  const auto members = Must(Owner().ListMembers(kEnvironment));
  EXPECT_EQ(members.size(), 2u) << "the key before is out by one owner's word";
  EXPECT_FALSE(As("dan")->GetSecret({kEnvironment, "a"}, {}));
  EXPECT_EQ(CodeOf(Owner().ApproveRequest(result.waiting[0], at_once)), Code::kDenied) << "one is not two";
  Must(As("bea")->ApproveRequest(result.waiting[0], at_once));
  EXPECT_EQ(ValueFor(*As("dan"), "a"), "one");
}

}  // namespace
}  // namespace grantfs::testing

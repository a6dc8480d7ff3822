// A taken vault shows a machine other grants, names, labels and lists than there are.

#include <atomic>

#include "hostile_test.h"

namespace grantfs::testing {
namespace {

class HostileGrantsTest : public HostileTest {
 protected:
  HostileGrantsTest() {
    Set("a", "one");
    Set("b", "two");
    Machine("web-1");
    Grant("web-1", "a");
  }
  using Lie = std::function<void(const api::GrantsRequest&, api::GrantsResponse&)>;
  void LieAboutGrants(Lie lie) {
    vault_.Lie<api::GrantsRequest, api::GrantsResponse>(api::kMachineGrants, std::move(lie));
  }
  /// Something of the machine's changes, so that it looks.
  void Stir() { Grant("web-1", "b"); }
  static bool Says(const MachineSession& session, const std::string& why) {
    for (const std::string& notice : session.CurrentStatus().notices) {
      if (notice.find(why) != std::string::npos) return true;
    }
    return false;
  }
  static std::string Notices(const MachineSession& session) {
    std::string all;
    for (const std::string& notice : session.CurrentStatus().notices) all += notice + "\n";
    return all;
  }
  static void ExpectSays(const MachineSession& session, const std::string& why) {
    EXPECT_TRUE(Eventually([&] { return Says(session, why); })) << Notices(session);
  }
};

TEST_F(HostileGrantsTest, AnOldVersionUnderTheLabel) {
  const auto old = Capture<api::GrantsRequest, api::GrantsResponse>(api::kMachineGrants);
  const auto session = Mount("web-1");
  const std::string version = old->grants.at(0).version;
  const auto lie = [version](const auto&, api::GrantsResponse& answer) {
    for (auto& grant : answer.grants) {
      if (grant.path == "a") grant.version = version;
    }
  };
  LieAboutGrants(lie);
  Set("a", "rotated");
  ExpectSays(*session, "not the one that the secret's label points at");
  EXPECT_TRUE(Lists(*session, "a", 1)) << "it stays listed as it was";
  EXPECT_EQ(CodeOf(Read(*session, "a")), Code::kIntegrity);
}

TEST_F(HostileGrantsTest, OneBadSecretHidesNoOther) {
  Grant("web-1", "b");
  const auto session = Mount("web-1");
  LieAboutGrants([](const auto&, api::GrantsResponse& answer) {
    for (auto& grant : answer.grants) {
      if (grant.path == "a") grant.version.clear();
    }
  });
  Set("a", "rotated");
  ExpectSays(*session, "does not show the version");
  EXPECT_EQ(CodeOf(Read(*session, "a")), Code::kIntegrity);
  EXPECT_EQ(ReadText(*session, "b"), "two");
  vault_.SetRewrite({});
  Set("a", "rotated again");
  ASSERT_TRUE(Eventually([&] { return Lists(*session, "a", 3); })) << "an honest answer mends it";
  EXPECT_EQ(ReadText(*session, "a"), "rotated again");
}

TEST_F(HostileGrantsTest, NamesExchanged) {
  Grant("web-1", "b");
  LieAboutGrants([](const auto&, api::GrantsResponse& answer) {
    for (auto& grant : answer.grants) grant.path = grant.path == "a" ? "b" : "a";
  });
  const auto session = Mount("web-1");
  EXPECT_TRUE(session->CurrentListing()->secrets.empty());
  EXPECT_TRUE(Says(*session, "another secret under this name")) << Notices(*session);
  EXPECT_EQ(CodeOf(Read(*session, "a")), Code::kNotFound);
}

TEST_F(HostileGrantsTest, AForgedGrant) {
  const std::uint64_t number = NumberOf("b");
  MakeHome("eve");
  const auto web1 = Must(Must(Home::Open(Path("web-1"))).LoadIdentity()).identity();
  Forger ann(Path("ann"));
  const SecretList list = ann.Secret(number, "b");
  grantfs::Grant grant;
  grant.grantee = {GranteeKind::kMachine, 1, web1.Id(), web1.name, web1.seal, 0};
  // In the owner's name, signed with another key: eve's, or the server's own.
  Statement said = ann.Next(list, GrantAdd{grant});
  said.state = Must(list.StateAfter(said.act, ann.Upper()));
  const auto eve = Must(Must(Home::Open(Path("eve"))).LoadIdentity());
  Statement by_eve = said;
  by_eve.signer = eve.Id();
  const auto forged = Must(SignedStatement::Sign(by_eve, eve.signing_key()));
  const std::string version = list.Current()->statement->envelope();
  LieAboutGrants([&](const auto&, api::GrantsResponse& answer) {
    api::GrantEvidence evidence;
    evidence.secret = number;
    evidence.environment = "shop/prod";
    evidence.path = "b";
    evidence.first = forged.statement().sequence;
    evidence.statements = {forged.envelope()};
    evidence.grant = forged.envelope();
    evidence.proof = {0, 1, {}};
    evidence.version = version;
    answer.grants.push_back(evidence);
  });
  const auto session = Mount("web-1");
  EXPECT_FALSE(Lists(*session, "b"));
  EXPECT_FALSE(session->CurrentStatus().notices.empty());
  EXPECT_EQ(ReadText(*session, "a"), "one");
}

TEST_F(HostileGrantsTest, AnotherMachinesGrant) {
  Machine("web-2");
  Grant("web-2", "b");
  std::shared_ptr<api::GrantsResponse> theirs =
      Capture<api::GrantsRequest, api::GrantsResponse>(api::kMachineGrants);
  Mount("web-2").reset();
  const auto evidence = theirs->grants.at(0);
  LieAboutGrants([evidence](const auto&, api::GrantsResponse& answer) { answer.grants.push_back(evidence); });
  const auto session = Mount("web-1");
  EXPECT_FALSE(Lists(*session, "b"));
  EXPECT_TRUE(Says(*session, "for another machine")) << Notices(*session);
}

TEST_F(HostileGrantsTest, ARevokedGrantRevived) {
  const auto before = Capture<api::GrantsRequest, api::GrantsResponse>(api::kMachineGrants);
  auto session = Mount("web-1");
  const auto evidence = before->grants.at(0);
  vault_.SetRewrite({});
  Revoke("web-1", "a");
  ASSERT_TRUE(Eventually([&] { return !Lists(*session, "a"); }));
  LieAboutGrants([evidence](const auto&, api::GrantsResponse& answer) { answer.grants.push_back(evidence); });
  session.reset();
  Stir();  // so that there is something to look for
  session = Mount("web-1");
  EXPECT_TRUE(Lists(*session, "b"));
  EXPECT_FALSE(Lists(*session, "a")) << "also to a program that was started anew";
  EXPECT_TRUE(Says(*session, "revived")) << Notices(*session);
}

TEST_F(HostileGrantsTest, AGrantShownOnAfterItsRevocation) {
  const auto before = Capture<api::GrantsRequest, api::GrantsResponse>(api::kMachineGrants);
  const auto session = Mount("web-1");
  auto shown = std::make_shared<api::GrantEvidence>(before->grants.at(0));
  vault_.SetRewrite([shown](const HttpRequest& asked, HttpResponse& answer) {
    if (asked.path == api::kListsAppend.path) {
      const auto append = Must(api::AppendRequest::FromJson(Must(ParseJson(asked.body)))).appends.at(0);
      shown->first = Must(SignedStatement::Parse(append.statements.at(0))).statement().sequence;
      shown->statements = append.statements;
    }
    if (asked.path != api::kMachineGrants.path) return;
    auto grants = Must(api::GrantsResponse::FromJson(Must(ParseJson(answer.body))));
    grants.grants = {*shown};
    answer.body = grants.ToJson().Dump();
  });
  Revoke("web-1", "a");
  EXPECT_FALSE(Read(*session, "a"));  // and looks at it again
  ExpectSays(*session, "it was revoked");
  EXPECT_EQ(CodeOf(Read(*session, "a")), Code::kIntegrity);
}

TEST_F(HostileGrantsTest, ASecretRolledBack) {
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

TEST_F(HostileGrantsTest, TheVaultsListRolledBack) {
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

TEST_F(HostileGrantsTest, AnEnvironmentsListForked) {
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
  const std::string machine = Must(Must(Home::Open(Path("web-1"))).LoadIdentity()).Id().Hex();
  vault_.SetRewrite([&](const HttpRequest& asked, HttpResponse& answer) {
    const std::string* signer = FindHeader(asked.headers, "signature-input");
    if (answer.status != 200 || signer == nullptr || signer->find(machine) == std::string::npos) return;
    if (asked.path == api::kMachineGrants.path) {
      auto grants = *api::GrantsResponse::FromJson(*ParseJson(answer.body));
      for (auto& environment : grants.environments) environment.head = *fork.head();
      answer.body = grants.ToJson().Dump();
    }
    if (asked.path != api::kListsRead.path) return;
    const auto request = *api::ListReadRequest::FromJson(*ParseJson(asked.body));
    if (request.list.kind != ListKind::kEnvironment) return;
    api::ListReadResponse shown{request.list, fork.head(), {}};
    for (auto i = request.from; i < fork.next_sequence(); ++i)
      shown.statements.push_back(fork.At(i)->envelope());
    answer.body = shown.ToJson().Dump();
  });
  Revoke("web-1", "b");
  ExpectSays(*session, "shop/prod is refused");
  EXPECT_EQ(CodeOf(Read(*session, "a")), Code::kIntegrity);
}

TEST_F(HostileGrantsTest, TheListsOfAnotherVault) {
  ServedVault other;
  const VaultList& theirs = other.world.vault;
  InviteOptions invite;
  invite.name = "web-2";
  const auto line = Must(Owner().Invite(invite)).line;
  vault_.Lie<api::ListReadRequest, api::ListReadResponse>(
      api::kListsRead, [&](const api::ListReadRequest& asked, api::ListReadResponse& answer) {
        if (asked.list.kind != ListKind::kVault || asked.from != 0) return;
        answer.head = theirs.head();
        answer.statements.clear();
        for (std::uint64_t i = 0; i < theirs.next_sequence(); ++i)
          answer.statements.push_back(theirs.At(i)->envelope());
      });
  const auto enrolled = Enrol(Path("web-2"), &line, std::chrono::milliseconds(0), {});
  EXPECT_EQ(CodeOf(enrolled), Code::kIntegrity);
  EXPECT_NE(Sentence(enrolled).find("another history"), std::string::npos) << Sentence(enrolled);
}

TEST_F(HostileGrantsTest, AnOlderListThanTheInvitationNames) {
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

TEST_F(HostileGrantsTest, AnEnvironmentsListRolledBack) {
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

TEST_F(HostileGrantsTest, HeadsThatTheirListsDoNotHave) {
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

TEST_F(HostileGrantsTest, AnEnvironmentThatARemovedOwnerMadeAnew) {
  std::optional<Forger> bob;
  AddAndRemoveBob([&] { bob.emplace(Path("bob")); });
  const auto epoch = Must(MakeEpoch({bob->me().identity()}, nullptr, nullptr));
  EnvironmentList fake("shop/prod");
  const auto create = EnvironmentCreate{"shop/prod", bob->me().identity(), epoch.epoch};
  Good(fake.Append(bob->Sign(bob->Next(fake, create)), {&bob->keeper().vault(), nullptr}));
  vault_.SetRewrite([&](const HttpRequest& asked, HttpResponse& answer) {
    if (answer.status != 200) return;
    if (asked.path == api::kMachineGrants.path) {
      auto grants = *api::GrantsResponse::FromJson(*ParseJson(answer.body));
      for (auto& environment : grants.environments) environment.head = *fake.head();
      answer.body = grants.ToJson().Dump();
    }
    if (asked.path != api::kListsRead.path) return;
    const auto request = *api::ListReadRequest::FromJson(*ParseJson(asked.body));
    if (request.list.kind != ListKind::kEnvironment) return;
    answer.body = api::ListReadResponse{request.list, fake.head(), {fake.At(0)->envelope()}}.ToJson().Dump();
  });
  const auto session = Mount("web-1");
  ExpectSays(*session, "does not begin with the statement that the vault's list names");
  EXPECT_TRUE(session->CurrentListing()->secrets.empty());
}

TEST_F(HostileGrantsTest, AnEndThatHasNoEnd) {
  std::atomic<int> asked_for{0};
  LieAboutGrants([&](const api::GrantsRequest& asked, api::GrantsResponse& answer) {
    ++asked_for;
    for (auto& grant : answer.grants) {
      grant.more = asked_for < 1000;
      if (asked.secrets.empty()) continue;
      grant.first = asked.secrets.front().from + 1;
      grant.statements = {grant.grant};
    }
  });
  const auto session = Mount("web-1");
  ExpectSays(*session, "has no end");
  EXPECT_LT(asked_for, 500);
}

TEST_F(HostileGrantsTest, AVersionOfARemovedOwner) {
  std::optional<Forger> bob;
  AddAndRemoveBob([&] { bob.emplace(Path("bob")); });
  const std::uint64_t number = NumberOf("a");
  const auto session = Mount("web-1");
  // He still has his key, and names the heads of when he was an owner.
  const SecretList list = Forger(Path("ann")).Secret(number, "a");
  VersionPublish version;
  version.environment = "shop/prod";
  version.path = "a";
  version.version = list.next_version();
  version.epoch = 1;
  const std::string forged = bob->Forge(list, version);
  LieAboutGrants([&](const auto&, api::GrantsResponse& answer) {
    for (auto& grant : answer.grants) {
      if (grant.path != "a") continue;
      grant.statements.push_back(forged);
      grant.version = forged;
    }
  });
  Stir();
  Set("a", "stir");
  ASSERT_TRUE(Eventually([&] {
    const auto read = Read(*session, "a");
    return !read && read.error().code == Code::kIntegrity;
  }));
  EXPECT_FALSE(session->CurrentStatus().notices.empty());
}

TEST_F(HostileGrantsTest, AGrantOfARemovedOwner) {
  std::optional<Forger> bob;
  AddAndRemoveBob([&] { bob.emplace(Path("bob")); });
  const std::uint64_t number = NumberOf("b");
  const auto web1 = Must(Must(Home::Open(Path("web-1"))).LoadIdentity()).identity();
  const SecretList list = Forger(Path("ann")).Secret(number, "b");
  grantfs::Grant grant;
  grant.grantee = {GranteeKind::kMachine, 2, web1.Id(), web1.name, web1.seal, 0};
  const std::string forged = bob->Forge(list, GrantAdd{grant});
  LieAboutGrants([&](const auto&, api::GrantsResponse& answer) {
    api::GrantEvidence evidence;
    evidence.secret = number;
    evidence.environment = "shop/prod";
    evidence.path = "b";
    evidence.first = list.next_sequence();
    evidence.statements = {forged};
    evidence.grant = forged;
    evidence.proof = {0, 1, {}};
    evidence.version = list.Current()->statement->envelope();
    answer.grants.push_back(evidence);
  });
  const auto session = Mount("web-1");
  EXPECT_FALSE(Lists(*session, "b"));
  EXPECT_TRUE(Says(*session, "does not count")) << Notices(*session);
}

}  // namespace
}  // namespace grantfs::testing

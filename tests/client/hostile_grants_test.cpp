// A taken vault shows a machine other grants, names, labels and versions than there are.

#include <atomic>

#include "hostile_machine_test.h"

namespace grantfs::testing {
namespace {

using HostileGrantsTest = HostileMachineTest;

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

TEST_F(HostileGrantsTest, AnEndOfWhichNothingIsShown) {
  LieAboutGrants([](const auto&, api::GrantsResponse& answer) {
    for (auto& grant : answer.grants) {
      grant.first = 0;
      grant.statements.clear();
      grant.more = true;
    }
  });
  const auto session = Mount("web-1");
  ExpectSays(*session, "does not show it");
  EXPECT_TRUE(session->CurrentListing()->secrets.empty());
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

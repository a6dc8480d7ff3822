// Requests and the two-owner rule over the wire, with a vault that lies about them.

#include <algorithm>

#include "grantfs/api/requests.h"
#include "grantfs/trust/consent.h"
#include "hostile_owner_test.h"

namespace grantfs::testing {
namespace {

constexpr char kShop[] = "shop/prod";
constexpr ApproveOptions kAtOnce{{}, false, std::chrono::milliseconds(0)};
const GroupOptions kQuick{"", std::chrono::milliseconds(0)};

class HostileRequestTest : public HostileOwnerTest {
 protected:
  HostileRequestTest() {
    Machine("web-1");
    Person("ops", Role::kOperator);
    Person("bob", Role::kOwner);
  }
  void Person(const std::string& name, Role role) {
    const Identity one = MakeHome(name);
    Must(Owner().AddVaultOwner(one, ""));  // so that the vault's list knows it
    Must(Owner().AddMember(kShop, one, role, "", ""));
  }
  std::unique_ptr<OwnerSession> As(const std::string& name) { return Must(OwnerSession::Open(Path(name))); }
  std::string AskFor(AnyAsk ask, const std::string& who = "ops") {
    return Must(As(who)->AskFor(kShop, std::move(ask), "please", 3600)).id;
  }
  AskGrant Grant1() const { return {"web-1", {"a"}, {}}; }
  std::vector<std::string> Grant2() {
    GrantOptions options;
    options.wait = std::chrono::milliseconds(0);
    return Must(Owner().GrantTo("web-1", {A()}, options)).waiting;
  }
  void TurnOn() {
    for (const std::string& id : Must(Owner().SetTwoOwners(kShop, true, "the auditors ask")))
      Must(As("bob")->ApproveRequest(id, kAtOnce));
    ASSERT_TRUE(Must(Owner().HasTwoOwners(kShop)));
  }
  /// What the lists of requests are answered with is changed.
  void LieAbout(std::function<void(api::RequestsListResponse::Entry&)> lie) {
    vault_.Lie<api::RequestsListRequest, api::RequestsListResponse>(
        api::kRequestsList, [lie](const auto&, api::RequestsListResponse& answer) {
          for (auto& entry : answer.requests) lie(entry);
        });
  }
  RequestInfo Mine(const std::string& who, const std::string& id) {
    for (const RequestInfo& info :
         Must(As(who)->ListRequests({.environment = {}, .mine = true, .all = true})))
      if (info.id == id) return info;
    ADD_FAILURE() << "there is no such request";
    return {};
  }
};

TEST_F(HostileRequestTest, TheOperatorAsksTheOwnerApprovesTheMachineReads) {
  const std::string id = AskFor(Grant1());
  EXPECT_EQ(CodeOf(As("ops")->ApproveRequest(id, kAtOnce)), Code::kNotFound) << "no owner";
  const auto waiting = Must(Owner().VaultStatus()).requests;
  ASSERT_EQ(waiting.size(), 1u);
  EXPECT_EQ(waiting[0].what, "grant web-1 shop/prod/a");
  const auto shown = Must(Owner().ApproveRequest(id.substr(0, 12), {{}, true, {}}));
  ASSERT_EQ(shown.lines.size(), 1u);
  EXPECT_NE(shown.lines[0].find(Must(Owner().ShowIdentity("web-1")).fingerprint), std::string::npos);
  EXPECT_TRUE(Must(Owner().ListGrants("web-1", {})).empty()) << "nothing was changed";
  Must(Owner().ApproveRequest(id, kAtOnce));
  EXPECT_EQ(ReadText(*Mount("web-1"), "a"), "one");
  EXPECT_EQ(Mine("ops", id).state, RequestState::kFulfilled);
  EXPECT_EQ(Mine("ops", id).settled_by, "ann");
  EXPECT_EQ(CodeOf(Owner().ApproveRequest(id, kAtOnce)), Code::kConflict);
  EXPECT_EQ(Must(Owner().SecretEvents(A())).front().reason, "please");
}

TEST_F(HostileRequestTest, RefusedWithdrawnAndRotatedAreSeenByWhoAsked) {
  const std::string refused = AskFor(Grant1());
  Must(Owner().RefuseRequest(refused, "use web-2"));
  EXPECT_EQ(Mine("ops", refused).settled_reason, "use web-2");
  const std::string withdrawn = AskFor(Grant1());
  Must(As("ops")->WithdrawRequest(withdrawn, ""));
  EXPECT_EQ(Mine("ops", withdrawn).state, RequestState::kWithdrawn);
  const std::string rotated = AskFor(AskRotation{"a", 0, ""});
  EXPECT_EQ(CodeOf(Owner().ApproveRequest(rotated, kAtOnce)), Code::kInvalid) << "a value is to be set";
  Set("a", "new");
  EXPECT_EQ(Mine("ops", rotated).state, RequestState::kFulfilled);
  const std::string generated = AskFor(AskRotation{"a", 20, "hex"});
  Must(Owner().ApproveRequest(generated, kAtOnce));
  EXPECT_EQ(Shown(Must(Owner().GetSecret(A(), kCurrent)).value).size(), 20u);
  EXPECT_EQ(Mine("ops", generated).state, RequestState::kFulfilled);
  const Identity eve = MakeHome("eve");
  Must(Owner().AddVaultOwner(eve, ""));
  Must(Owner().ApproveRequest(AskFor(AskMember{eve, Role::kAuditor, ""}), kAtOnce));
  EXPECT_EQ(Must(Owner().ListMembers(kShop)).size(), 4u);
}

TEST_F(HostileRequestTest, AChangedRequestIsNotActedOn) {
  const std::string id = AskFor(Grant1());
  const Forger eve(Path("bob"));  // another's key, under the operator's name
  LieAbout([&](api::RequestsListResponse::Entry& entry) {
    Request changed = Must(SignedRequest::Parse(entry.request)).request();
    std::get<AskGrant>(changed.ask).paths = {"b"};
    entry.request = Must(SignedRequest::Sign(changed, eve.me().signing_key())).envelope();
  });
  const auto listed = Must(Owner().ListRequests({}));
  ASSERT_EQ(listed.size(), 1u);
  EXPECT_NE(listed[0].problem.find("signature does not match"), std::string::npos);
  EXPECT_EQ(CodeOf(Owner().ApproveRequest(listed[0].id, kAtOnce)), Code::kDenied);
  EXPECT_TRUE(Must(Owner().VaultStatus()).requests.empty());
}

TEST_F(HostileRequestTest, AnOldRequestShownAgainIsNotActedOnTwice) {
  const std::string id = AskFor(Grant1());
  Must(Owner().ApproveRequest(id, kAtOnce));
  Must(Owner().RevokeFrom("web-1", {A()}, "", std::chrono::milliseconds(0)));
  LieAbout([](api::RequestsListResponse::Entry& entry) {
    entry.state = RequestState::kOpen;
    entry.changed = 0;
    entry.by = entry.reason = "";
  });
  const auto again = Owner().ApproveRequest(id, kAtOnce);
  EXPECT_EQ(CodeOf(again), Code::kConflict);
  EXPECT_NE(Sentence(again).find("fulfilled already"), std::string::npos) << Sentence(again);
  EXPECT_TRUE(Must(Owner().ListGrants("web-1", {})).empty());
}

TEST_F(HostileRequestTest, ARequestOfWhoLostTheRoleCountsNoMore) {
  const std::string id = AskFor(Grant1());
  Must(Owner().RemoveMember(kShop, "ops", "left"));
  EXPECT_EQ(CodeOf(Owner().ApproveRequest(id, kAtOnce)), Code::kDenied);
}

TEST_F(HostileRequestTest, TwoOwnersSignAcrossABusyWriter) {
  Grant("web-1", "a");
  Grant("web-1", "b");
  const auto mount = Mount("web-1");
  TurnOn();
  EXPECT_EQ(ReadText(*mount, "a"), "one") << "what stood was signed by both";
  Must(Owner().RevokeFrom("web-1", {A()}, "", std::chrono::milliseconds(0)));
  const auto ids = Grant2();
  ASSERT_EQ(ids.size(), 1u);
  EXPECT_EQ(CodeOf(Owner().ApproveRequest(ids[0], kAtOnce)), Code::kDenied) << "one is not two";
  for (const char* value : {"1", "2", "3"}) Set("a", value);
  Must(As("bob")->ApproveRequest(ids[0], kAtOnce));
  EXPECT_TRUE(Eventually([&] {
    const auto text = ReadText(*Mount("web-1"), "a");
    return text == "3";
  }));
  // Revoked again: the vault shows the old signature as open, and bob would use it.
  Must(Owner().RevokeFrom("web-1", {A()}, "", std::chrono::milliseconds(0)));
  LieAbout([](api::RequestsListResponse::Entry& entry) { entry.state = RequestState::kOpen; });
  EXPECT_FALSE(As("bob")->ApproveRequest(ids[0], kAtOnce));
  EXPECT_TRUE(Must(Owner().ListGrants("web-1", A())).empty());
}

TEST_F(HostileRequestTest, WhatAnOperatorAsksForTwoOwnersAnswer) {
  TurnOn();
  const std::string id = AskFor(Grant1());
  const auto first = Must(Owner().ApproveRequest(id, kAtOnce));
  ASSERT_EQ(first.waiting.size(), 1u);
  EXPECT_EQ(Mine("ops", id).state, RequestState::kOpen);
  EXPECT_EQ(CodeOf(As("bob")->ApproveRequest(id, kAtOnce)), Code::kConflict) << "he signs what ann left";
  Must(As("bob")->ApproveRequest(first.waiting[0], kAtOnce));
  EXPECT_EQ(Mine("ops", id).state, RequestState::kFulfilled);
  EXPECT_EQ(ReadText(*Mount("web-1"), "a"), "one");
}

TEST_F(HostileRequestTest, ANewOwnerAndTheRulesEndNeedTwo) {
  TurnOn();
  const Identity carol = MakeHome("carol");
  Must(Owner().AddVaultOwner(carol, ""));
  const auto ids = Must(Owner().AddMember(kShop, carol, Role::kOwner, "", ""));
  ASSERT_EQ(ids.size(), 1u);
  EXPECT_EQ(Must(Owner().ListMembers(kShop)).size(), 3u);
  Must(As("bob")->ApproveRequest(ids[0], kAtOnce));
  EXPECT_EQ(Shown(Must(As("carol")->GetSecret(A(), kCurrent)).value), "one") << "bob has sealed the key";
  const auto off = Must(As("carol")->SetTwoOwners(kShop, false, ""));
  EXPECT_TRUE(Must(Owner().HasTwoOwners(kShop)));
  Must(Owner().ApproveRequest(off.at(0), kAtOnce));
  EXPECT_FALSE(Must(Owner().HasTwoOwners(kShop)));
  EXPECT_TRUE(Grant2().empty()) << "one is enough";
}

TEST_F(HostileRequestTest, WhatIsDoneToGroupsNeedsTwo) {
  const GroupOptions quick{"", std::chrono::milliseconds(0)};
  GrantOptions options;
  options.wait = std::chrono::milliseconds(0);
  Must(Owner().CreateGroup(kShop, "web", {}, quick));
  TurnOn();
  const auto granted = Must(Owner().GrantPrefix("@web", kShop, "", options));
  const auto added = Must(Owner().AddToGroup(kShop, "web", {"web-1"}, quick));
  ASSERT_EQ(granted.waiting.size(), 1u);
  ASSERT_EQ(added.waiting.size(), 1u);
  EXPECT_TRUE(Must(Owner().ListGrants("@web", {})).empty());
  EXPECT_TRUE(Must(Owner().ListGroups(kShop, "web")).at(0).machines.empty());
  EXPECT_EQ(CodeOf(Owner().ApproveRequest(added.waiting[0], kAtOnce)), Code::kDenied) << "one is not two";
  Must(As("bob")->ApproveRequest(granted.waiting[0], kAtOnce));
  Must(As("bob")->ApproveRequest(added.waiting[0], kAtOnce));
  EXPECT_EQ(Must(Owner().ListGroups(kShop, "web")).at(0).machines, std::vector<std::string>{"web-1"});
  EXPECT_EQ(ReadText(*Mount("web-1"), "a"), "one") << "bob has sealed the keys";
  Must(Owner().RemoveFromGroup(kShop, "web", {"web-1"}, quick));
  LieAbout([](api::RequestsListResponse::Entry& entry) { entry.state = RequestState::kOpen; });
  EXPECT_FALSE(As("bob")->ApproveRequest(added.waiting[0], kAtOnce)) << "an old signature brings nobody back";
}

TEST_F(HostileRequestTest, AGroupIsMadeByOneOwnerAndFilledByTwo) {
  TurnOn();
  Machine("web-2");
  const auto made = Must(Owner().CreateGroup(kShop, "batch", {"web-1", "web-2"}, kQuick));
  ASSERT_EQ(made.waiting.size(), 1u);
  EXPECT_TRUE(Must(Owner().ListGroups(kShop, "batch")).at(0).machines.empty());
  const auto shown = Must(As("bob")->ApproveRequest(made.waiting[0], {{}, true, {}}));
  EXPECT_EQ(shown.lines.size(), 2u);
  EXPECT_TRUE(Must(Owner().ListGroups(kShop, "batch")).at(0).machines.empty()) << "it was looked at alone";
  Must(As("bob")->ApproveRequest(made.waiting[0], kAtOnce));
  EXPECT_EQ(Must(Owner().ListGroups(kShop, "batch")).at(0).machines,
            (std::vector<std::string>{"web-1", "web-2"}));
  EXPECT_TRUE(Must(Owner().CreateGroup(kShop, "empty", {}, kQuick)).waiting.empty()) << "nobody is put in";
}

TEST_F(HostileRequestTest, AStandingInvitationLeadsIntoAGroupWhenTwoHaveSigned) {
  Must(Owner().CreateGroup(kShop, "web", {}, kQuick));
  GrantOptions options;
  options.wait = std::chrono::milliseconds(0);
  Must(Owner().GrantTo("@web", {A()}, options));
  TurnOn();
  EXPECT_EQ(CodeOf(Owner().InviteStanding({.pattern = "web-*", .groups = {"shop/prod@none"}})),
            Code::kNotFound);
  EXPECT_TRUE(Must(Owner().ListInvitations()).empty()) << "nothing is made of it";
  const auto invited =
      Must(Owner().InviteStanding({.pattern = "web-*", .uses = 3, .groups = {"shop/prod@web"}}));
  ASSERT_EQ(invited.waiting.size(), 1u);
  const auto enrol = [&](const std::string& name) {
    EXPECT_TRUE(
        Must(Enrol(Path(name), &invited.line, std::chrono::milliseconds(0), {}, {}, {name, ""})).approved);
  };
  enrol("web-7");
  EXPECT_FALSE(Lists(*Mount("web-7"), "a")) << "it is in, and in no group";
  EXPECT_TRUE(Must(Owner().ListGroups(kShop, "web")).at(0).machines.empty());
  const auto shown = Must(As("bob")->ApproveRequest(invited.waiting[0], {{}, true, {}}));
  ASSERT_EQ(shown.lines.size(), 1u);
  EXPECT_NE(shown.lines[0].find("web-* (3 times until "), std::string::npos) << shown.lines[0];
  EXPECT_NE(shown.lines[0].find("1 came by it so far) into @web of shop/prod"), std::string::npos)
      << shown.lines[0];
  EXPECT_EQ(CodeOf(Owner().ApproveRequest(invited.waiting[0], kAtOnce)), Code::kDenied) << "one is not two";
  Must(As("bob")->ApproveRequest(invited.waiting[0], kAtOnce));
  EXPECT_EQ(ReadText(*Mount("web-7"), "a"), "one") << "the group's next key is for who had come before";
  enrol("web-8");
  EXPECT_EQ(ReadText(*Mount("web-8"), "a"), "one") << "and who comes has it at once";
  EXPECT_TRUE(Must(Owner().VaultStatus()).owed.empty());
  // One that has ended meanwhile leads nowhere, whoever signs.
  const auto late = Must(Owner().InviteStanding({.pattern = "db-*", .groups = {"shop/prod@web"}}));
  Must(Owner().WithdrawInvitations(late.id, ""));
  EXPECT_EQ(CodeOf(As("bob")->ApproveRequest(late.waiting.at(0), kAtOnce)), Code::kExpired);
}

TEST_F(HostileRequestTest, TurnedOnTheRuleHasTwoSignForWhatStandsInGroups) {
  Machine("web-2");
  GrantOptions options;
  options.wait = std::chrono::milliseconds(0);
  Must(Owner().CreateGroup(kShop, "web", {"web-1", "web-2"}, kQuick));
  Must(Owner().GrantPrefix("@web", kShop, "", options));
  Must(Owner().GrantPrefix("@web", kShop, "tls/", options));
  for (const char* machine : {"web-1", "web-2"}) Grant(machine, "b");  // two acts in one secret's list
  const auto invited =
      Must(Owner().InviteStanding({.pattern = "web-*", .uses = 2, .groups = {"shop/prod@web"}}));
  const auto mount = Mount("web-1");
  EXPECT_EQ(ReadText(*mount, "a"), "one");
  const auto ids = Must(Owner().SetTwoOwners(kShop, true, "the auditors ask"));
  ASSERT_EQ(ids.size(), 2u) << "what stands, and the rule";
  const auto early = As("bob")->ApproveRequest(ids[1], kAtOnce);
  EXPECT_EQ(CodeOf(early), Code::kConflict);
  EXPECT_NE(Sentence(early).find("machines in groups"), std::string::npos) << Sentence(early);
  const auto shown = Must(As("bob")->ApproveRequest(ids[0], {{}, true, {}})).lines;
  const auto says = [&](const std::string& what) {
    return std::any_of(shown.begin(), shown.end(), [&](const auto& one) { return one.starts_with(what); });
  };
  EXPECT_TRUE(says("keep web-1 (") && says("keep web-2 (") &&
              says("let the standing invitation web-* (2 times until"));
  for (const std::string& id : ids) Must(As("bob")->ApproveRequest(id, kAtOnce));
  EXPECT_TRUE(Must(Owner().HasTwoOwners(kShop)));
  EXPECT_EQ(Must(Owner().ListGroups(kShop, "web")).at(0).epoch, 2u) << "its key begins anew with the rule";
  EXPECT_TRUE(Eventually([&] {
    const auto got = Read(*mount, "a");
    return got && Shown(got->value) == "one";
  })) << "by the next key";
  Set("a", "two");
  EXPECT_EQ(ReadText(*Mount("web-2"), "a"), "two");
  EXPECT_EQ(ReadText(*Mount("web-2"), "b"), "two") << "what two signed in one list";
  EXPECT_TRUE(Must(Enrol(Path("web-7"), &invited.line, std::chrono::milliseconds(0), {}, {}, {"web-7", ""}))
                  .approved);
  EXPECT_EQ(ReadText(*Mount("web-7"), "a"), "two");
  EXPECT_TRUE(Must(Owner().VaultStatus()).owed.empty());
}

TEST_F(HostileRequestTest, TheRuleIsNotTurnedOnOverWhatOneOwnerPutIntoAGroup) {
  Must(Owner().CreateGroup(kShop, "web", {}, kQuick));
  const auto ids = Must(Owner().SetTwoOwners(kShop, true, ""));
  ASSERT_EQ(ids.size(), 1u) << "nothing stands yet";
  Must(Owner().AddToGroup(kShop, "web", {"web-1"}, kQuick));
  std::filesystem::copy(Path("bob"), Path("bob-2"), std::filesystem::copy_options::recursive);
  EXPECT_EQ(CodeOf(As("bob")->ApproveRequest(ids[0], kAtOnce)), Code::kConflict) << "it came in since";
  // A vault that hides the machine's coming from him takes his signature, and would not if it were honest.
  std::optional<Head> begun;
  vault_.Lie<api::ListReadRequest, api::ListReadResponse>(
      api::kListsRead, [&begun](const api::ListReadRequest& asked, api::ListReadResponse& answer) {
        if (asked.list.kind != ListKind::kGroup) return;
        if (asked.from == 0) begun = Must(SignedStatement::Parse(answer.statements.at(0))).head();
        answer.statements.resize(asked.from == 0 ? 1 : 0);
        answer.head = begun;
      });
  EXPECT_EQ(CodeOf(Must(OwnerSession::Open(Path("bob-2")))->ApproveRequest(ids[0], kAtOnce)),
            Code::kConflict);
  vault_.SetRewrite({});
  EXPECT_FALSE(Must(Owner().HasTwoOwners(kShop)));
}

TEST_F(HostileRequestTest, TheVaultRefusesWhatOneOwnerSignedForAGroup) {
  const GroupOptions quick{"", std::chrono::milliseconds(0)};
  Must(Owner().CreateGroup(kShop, "web", {}, quick));
  TurnOn();
  Forger ann(Path("ann"));
  const EnvironmentList& list = *ann.Upper().environment;
  const auto* group = list.groups().FindByName("web");
  ASSERT_NE(group, nullptr);
  const auto send = [&](const ListId& id, const std::string& envelope) {
    const Home home = Must(Home::Open(Path("ann")));
    ConnectionOptions options;
    options.address = home.profile().address;
    options.pins = home.profile().pins;
    options.vault = home.profile().vault;
    const auto connection =
        Must(VaultConnection::Create(options, ann.me().Id().Hex(), &ann.me().signing_key()));
    return connection->Ask<api::AppendResponse>(api::kListsAppend, api::AppendRequest{{{id, {envelope}}}});
  };
  PrefixGrant prefix;
  prefix.grant.grantee = group->AsGrantee();
  EXPECT_EQ(CodeOf(send(list.id(), ann.Forge(list, prefix))), Code::kDenied);
  Must(ann.keeper().RefreshMachines());
  const auto* machine = ann.keeper().machines().FindByName("web-1");
  const GroupList members = Must(ann.keeper().RefreshGroup(kShop, group->number));
  const Identity& who = machine->identity;
  Statement add = ann.Next(
      members,
      GroupMachinesAdd{1, {{GranteeKind::kMachine, machine->number, who.Id(), who.name, who.seal, 0}}, {}});
  add.heads.environment = list.head();
  EXPECT_EQ(CodeOf(send(members.id(), ann.Sign(add)->envelope())), Code::kDenied);
  Statement lead =
      ann.Next(members, GroupInvitationAdd{1, std::string(32, 'a'), who.seal, 4102444800, 1, {}});
  lead.heads.environment = list.head();
  EXPECT_EQ(CodeOf(send(members.id(), ann.Sign(lead)->envelope())), Code::kDenied);
}

TEST_F(HostileRequestTest, AMountRefusesAGrantThatOneOwnerSigned) {
  Grant("web-1", "a");
  std::filesystem::copy(Path("web-1"), Path("fresh"), std::filesystem::copy_options::recursive);
  const auto captured = Capture<api::GrantsRequest, api::GrantsResponse>(api::kMachineGrants);
  EXPECT_EQ(ReadText(*Mount("web-1"), "a"), "one");
  const auto old = captured->grants;
  vault_.SetRewrite({});
  TurnOn();
  // A home that remembers nothing is shown the grant as it stood with one signature, and the newest lists.
  vault_.Lie<api::GrantsRequest, api::GrantsResponse>(
      api::kMachineGrants, [old](const auto&, api::GrantsResponse& answer) { answer.grants = old; });
  const auto fresh = Mount("fresh");
  const auto says = [&](const std::string& why) {
    for (const std::string& notice : fresh->CurrentStatus().notices)
      if (notice.find(why) != std::string::npos) return true;
    return false;
  };
  EXPECT_TRUE(Eventually([&] { return says("the environment's rule asks for two"); }));
  EXPECT_FALSE(Lists(*fresh, "a"));
  vault_.SetRewrite({});
  Grant2();  // nothing: it waits for bob
  Set("a", "two");
  EXPECT_TRUE(Eventually([&] { return Lists(*fresh, "a", 2); })) << "as both signed it";
}

}  // namespace
}  // namespace grantfs::testing

#include "grantfs/api/requests.h"
#include "grantfs/trust/consent.h"
#include "support/direct_vault.h"

// What is asked of an environment's owners and what fulfils it, and what a vault that is honest lets two
// owners do.

namespace grantfs::testing {
namespace {

constexpr char kEnvironment[] = "shop/prod";

struct RequestTest : ::testing::Test, ClaimedVault {
  RequestTest() {
    Must(world.AddEnvironment("shop/test"));
    Must(world.AddMember(kEnvironment, bob, Role::kOwner));
    Must(world.AddMember(kEnvironment, operating, Role::kOperator));
    Must(world.AddMember(kEnvironment, writer, Role::kWriter));
    machine = world.EnrolMachine("web-1");
    Must(world.Publish(kEnvironment, "a", "one"));
    Must(world.Publish(kEnvironment, "b", "two"));
  }
  std::int64_t Now() { return direct.clock().WallSeconds(); }
  Request Plain(const PrivateIdentity& who, AnyAsk ask) {
    Request request;
    request.vault = world.vault.vault_id();
    request.environment = kEnvironment;
    request.signer = who.Id();
    request.time = Now();
    request.expires = Now() + 3600 + ++asked;  // each is another
    request.vault_head = *world.vault.head();
    request.environment_head = *world.environment(kEnvironment).list.head();
    request.ask = std::move(ask);
    return request;
  }
  Result<Hash> Send(const PrivateIdentity& who, const Request& request) {
    const SignedRequest made = Must(SignedRequest::Sign(request, who.signing_key()));
    const auto answer = Wait<api::RequestAskResponse>(
        [&](auto done) { vault().AskRequest(direct.Caller(who), {made.envelope()}, done); });
    if (!answer) return answer.error();
    EXPECT_EQ(answer->id, made.id());
    return made.id();
  }
  Result<Hash> AskFor(const PrivateIdentity& who, AnyAsk ask) {
    return Send(who, Plain(who, std::move(ask)));
  }
  AskGrant Grant1(const std::string& path = "a") { return {"web-1", {path}, {}}; }
  Status Settle(const PrivateIdentity& who, const Hash& id, RequestState state) {
    const auto done = Wait<api::Nothing>([&](auto answer) {
      vault().SettleRequest(direct.Caller(who), {id, state, "because"}, answer);
    });
    return done ? Status() : Status(done.error());
  }
  api::RequestsListResponse::Entry Entry(const Hash& id) {
    const auto all =
        Must(vault().ListRequests(direct.Caller(world.owner), {kEnvironment, false, true, {}, 200}));
    for (const auto& one : all.requests)
      if (Must(SignedRequest::Parse(one.request)).id() == id) return one;
    ADD_FAILURE() << "there is no such request";
    return {};
  }
  Code Refusal(const Result<api::AppendResponse>& answer) {
    EXPECT_FALSE(answer);
    return answer ? Code::kIo : answer.error().code;
  }
  Result<api::AppendResponse> GrantAs(const PrivateIdentity& who, const std::string& path, const Hash& id) {
    VaultWorld::Secret& secret = world.secret(kEnvironment, path);
    EXPECT_TRUE(world.StageGrantCopies(secret, machine.identity(), machine.number));
    Statement statement = world.NextOf(secret, who, GrantAdd{world.GrantFor(machine)});
    statement.request = id;
    return world.Send(who, VaultWorld::One(statement, who));
  }
  // ---- two owners
  AskConsent::Item Agree(const PrivateIdentity& first, const SignedList& list, Act act,
                         const Request& request) {
    AskConsent::Item item{list.id(), std::move(act), {}, {}};
    item.consent = {first.Id(), request.time, request.expires, *list.head(), {}};
    if (list.id().kind == ListKind::kSecret)
      item.consent.environment = world.environment(kEnvironment).list.head();
    item.signature =
        first.signing_key().Sign(ConsentBytes(world.vault.vault_id(), item.list, item.consent, item.act));
    return item;
  }
  struct Proposal {
    AskConsent::Item item;
    Hash id;
  };
  Proposal Propose(const PrivateIdentity& first, const SignedList& list, Act act,
                   std::optional<Hash> fulfils = {}) {
    Request request = Plain(first, AskConsent{});
    const auto item = Agree(first, list, std::move(act), request);
    request.ask = AskConsent{{item}, fulfils};
    return {item, Must(Send(first, request))};
  }
  api::AppendRequest Second(const PrivateIdentity& who, Statement statement, const Proposal& proposal) {
    statement.consent = proposal.item.consent;
    statement.request = proposal.id;
    const auto made = Must(SignedStatement::Sign(statement, who.signing_key(), &proposal.item.signature));
    return {{{statement.list, {made.envelope()}}}};
  }
  /// Published by ann, whose copies the world stages.
  Result<api::AppendResponse> SecondGrant(const std::string& path, const Proposal& proposal) {
    VaultWorld::Secret& secret = world.secret(kEnvironment, path);
    EXPECT_TRUE(world.StageGrantCopies(secret, machine.identity(), machine.number));
    return world.Send(world.owner,
                      Second(world.owner, world.NextOf(secret, world.owner, proposal.item.act), proposal));
  }
  Result<api::AppendResponse> SetRule(bool on) {
    const SignedList& list = world.environment(kEnvironment).list;
    const Proposal proposal = Propose(bob, list, RulesSet{on});
    return world.Send(world.owner,
                      Second(world.owner, world.Next(list, world.owner, RulesSet{on}), proposal));
  }

  PrivateIdentity bob = NewIdentity("bob"), operating = NewIdentity("ope", IdentityKind::kAgent),
                  writer = NewIdentity("wri");
  VaultWorld::Machine machine;
  int asked = 0;
};

TEST_F(RequestTest, WhoeverAsksAndWithdrawsFillsNoDisk) {
  for (int i = 0; i < 110; ++i) {
    const Hash id = Must(AskFor(operating, Grant1()));
    Must(Settle(operating, id, RequestState::kWithdrawn));
  }
  const Hash open = Must(AskFor(operating, Grant1()));
  const auto all =
      Must(vault().ListRequests(direct.Caller(world.owner), {kEnvironment, false, true, {}, 200}));
  EXPECT_EQ(all.requests.size(), 101u);
  EXPECT_EQ(Entry(open).state, RequestState::kOpen);
}

TEST_F(RequestTest, IsAskedAndFulfilledOnceAndTheRecordsAreJoined) {
  const Hash id = Must(AskFor(operating, Grant1()));
  EXPECT_EQ(Entry(id).state, RequestState::kOpen);
  Must(GrantAs(world.owner, "a", id));
  EXPECT_EQ(Entry(id).state, RequestState::kFulfilled);
  EXPECT_EQ(Entry(id).by, "ann");
  const auto asked_of = Must(ParseJson(*direct.Audit("request.asked").at(0).body));
  EXPECT_EQ(asked_of.Find("request")->AsString(), id.Hex());
  EXPECT_EQ(asked_of.Find("about")->AsString(), "web-1");
  EXPECT_EQ(asked_of.Find("object")->AsString(), "shop/prod/a");
  const auto granted = Must(ParseJson(*direct.Audit("grant.add").at(0).body));
  EXPECT_EQ(granted.Find("request")->AsString(), id.Hex());
  const auto fulfilled = Must(ParseJson(*direct.Audit("request.fulfilled").at(0).body));
  EXPECT_EQ(fulfilled.Find("statements")->Items().at(0).AsString(), granted.Find("statement")->AsString());
  // Approved again, for another secret too: it is settled.
  Must(world.Revoke(machine, kEnvironment, "a"));
  EXPECT_EQ(Refusal(GrantAs(world.owner, "a", id)), Code::kConflict);
  EXPECT_EQ(Refusal(GrantAs(world.owner, "b", id)), Code::kConflict);
  EXPECT_EQ(direct.Audit("request.fulfilled").size(), 1u);
}

TEST_F(RequestTest, OneThatIsSettledIsNotAskedAgain) {
  const Request request = Plain(operating, Grant1());
  const Hash id = Must(Send(operating, request));
  EXPECT_EQ(Must(Send(operating, request)), id) << "the answer was lost";
  EXPECT_EQ(direct.Audit("request.asked").size(), 1u);
  EXPECT_TRUE(Settle(bob, id, RequestState::kRefused));
  EXPECT_EQ(Entry(id).reason, "because");
  EXPECT_EQ(Send(operating, request).error().code, Code::kConflict);
  EXPECT_EQ(Settle(bob, id, RequestState::kRefused).error().code, Code::kConflict);
  EXPECT_EQ(Refusal(GrantAs(world.owner, "a", id)), Code::kConflict);
}

TEST_F(RequestTest, WhoMayNotAskOrLostTheRoleIsNotHeard) {
  EXPECT_EQ(AskFor(writer, Grant1()).error().code, Code::kDenied);
  EXPECT_EQ(Send(NewIdentity("eve"), Plain(operating, Grant1())).error().code, Code::kNotFound);
  EXPECT_EQ(Wait<api::RequestAskResponse>([&](auto done) {
              const auto made =
                  Must(SignedRequest::Sign(Plain(operating, Grant1()), operating.signing_key()));
              vault().AskRequest(direct.Caller(bob), {made.envelope()}, done);
            })
                .error()
                .code,
            Code::kDenied)
      << "another's request";
  const Hash id = Must(AskFor(operating, Grant1()));
  Must(world.Send(world.owner, world.Removal(kEnvironment, operating.Id())));
  EXPECT_EQ(Refusal(GrantAs(world.owner, "a", id)), Code::kDenied);
  Must(world.AddMember(kEnvironment, operating, Role::kOperator));
  EXPECT_EQ(Refusal(GrantAs(world.owner, "a", id)), Code::kDenied) << "returning revives nothing";
}

TEST_F(RequestTest, AnotherVaultsEnvironmentsHistoryAndTimeAreRefused) {
  const auto refused = [&](const std::function<void(Request&)>& change) {
    Request request = Plain(operating, Grant1());
    change(request);
    return !Send(operating, request);
  };
  EXPECT_TRUE(refused([](Request& one) { one.vault.bytes[0] ^= 1; }));
  EXPECT_TRUE(refused([](Request& one) { one.environment = "shop/test"; }));
  EXPECT_TRUE(refused([](Request& one) { one.environment_head.hash.bytes[0] ^= 1; }));
  EXPECT_TRUE(refused([](Request& one) { one.vault_head.sequence += 1; }));
  EXPECT_TRUE(refused([](Request& one) { one.time += 3600, one.expires += 3600; })) << "of the future";
  EXPECT_TRUE(refused([](Request& one) { one.time -= 7200, one.expires -= 7200; })) << "over";
  EXPECT_FALSE(refused([](Request&) {}));
}

TEST_F(RequestTest, AStaleOneExpiresAndLaterOnIsForgotten) {
  const Hash id = Must(AskFor(operating, Grant1()));
  direct.clock().Pass(2 * 3600);
  EXPECT_EQ(Refusal(GrantAs(world.owner, "a", id)), Code::kConflict);
  EXPECT_TRUE(
      Must(vault().ListRequests(direct.Caller(bob), {kEnvironment, false, false, {}, 9})).requests.empty());
  EXPECT_EQ(Entry(id).state, RequestState::kOpen) << "and past its end";
  direct.clock().Pass(91 * 86400);
  Must(AskFor(operating, Grant1()));
  EXPECT_EQ(
      Must(vault().ListRequests(direct.Caller(bob), {kEnvironment, false, true, {}, 9})).requests.size(), 1u);
}

TEST_F(RequestTest, AreBoundedForEachWhoAsks) {
  for (std::uint64_t i = 0; i < api::kMaxOpenRequests; ++i) Must(AskFor(operating, Grant1()));
  EXPECT_EQ(AskFor(operating, Grant1()).error().code, Code::kConflict);
  const Hash id = Must(AskFor(bob, Grant1()));
  EXPECT_EQ(Settle(operating, id, RequestState::kWithdrawn).error().code, Code::kDenied) << "another's";
  EXPECT_TRUE(Settle(bob, id, RequestState::kWithdrawn));
}

TEST_F(RequestTest, IsFulfilledByAnOwnerOfItsEnvironment) {
  const Hash id = Must(AskFor(operating, Grant1()));
  // A writer's version names it: that would end the request and do nothing of it.
  VaultWorld::Secret& secret = world.secret(kEnvironment, "a");
  const VersionPublish version = world.StageVersion(secret, "three", writer);
  Statement statement = world.NextOf(secret, writer, version);
  statement.request = id;
  EXPECT_EQ(Refusal(world.Send(writer, VaultWorld::One(statement, writer))), Code::kDenied);
  Must(world.Publish("shop/test", "c", "value"));
  VaultWorld::Secret& elsewhere = world.secret("shop/test", "c");
  Statement other = world.NextOf(elsewhere, world.owner, GrantAdd{world.GrantFor(machine)});
  EXPECT_TRUE(world.StageGrantCopies(elsewhere, machine.identity(), machine.number));
  other.request = id;
  EXPECT_EQ(Refusal(world.Send(world.owner, VaultWorld::One(other, world.owner))), Code::kInvalid);
  EXPECT_EQ(Entry(id).state, RequestState::kOpen);
}

TEST_F(RequestTest, ANewValueFulfilsARotationWhoeverSetsIt) {
  const Hash id = Must(AskFor(operating, AskRotation{"a", 0, ""}));
  const Hash other = Must(AskFor(operating, AskRotation{"b", 0, ""}));
  Must(world.Publish(kEnvironment, "a", "three", &writer));
  EXPECT_EQ(Entry(id).state, RequestState::kFulfilled);
  EXPECT_EQ(Entry(id).by, "wri");
  EXPECT_EQ(Entry(other).state, RequestState::kOpen);
  EXPECT_EQ(direct.Audit("request.fulfilled").size(), 1u);
}

TEST_F(RequestTest, TwoOwnersSignAndAWriterBetweenThemVoidsNothing) {
  Must(SetRule(true));
  EXPECT_EQ(Refusal(world.GrantTo(machine, kEnvironment, "a")), Code::kDenied) << "one owner";
  const GrantAdd act{world.GrantFor(machine)};
  const Hash asked_for = Must(AskFor(operating, Grant1()));
  const Proposal proposal = Propose(bob, world.secret(kEnvironment, "a").list, act, asked_for);
  Must(world.Publish(kEnvironment, "a", "three", &writer));
  Must(SecondGrant("a", proposal));
  EXPECT_EQ(Entry(proposal.id).state, RequestState::kFulfilled);
  EXPECT_EQ(Entry(asked_for).state, RequestState::kFulfilled) << "and what was asked for with it";
  EXPECT_TRUE(direct.Read(machine.key, NumberOf("a"), "open-1"));
  // Revoked; the old pair is good for nothing, and neither is it under a new request.
  Must(world.Revoke(machine, kEnvironment, "a"));
  EXPECT_FALSE(SecondGrant("a", proposal));
}

TEST_F(RequestTest, ASecondSignatureIsUsedWhileItsRequestIsOpen) {
  Must(SetRule(true));
  const GrantAdd act{world.GrantFor(machine)};
  const SecretList& list = world.secret(kEnvironment, "a").list;
  const Proposal refused = Propose(bob, list, act);
  EXPECT_TRUE(Settle(world.owner, refused.id, RequestState::kRefused));
  EXPECT_EQ(Refusal(SecondGrant("a", refused)), Code::kConflict);
  Proposal loose = Propose(bob, list, act);
  EXPECT_TRUE(Settle(bob, loose.id, RequestState::kWithdrawn));
  const Hash other = Must(AskFor(operating, Grant1()));
  EXPECT_EQ(Refusal(SecondGrant("a", {loose.item, other})), Code::kConflict) << "under another request";
  const Proposal late = Propose(bob, list, act);
  direct.clock().Pass(2 * 3600);
  EXPECT_EQ(Refusal(SecondGrant("a", late)), Code::kConflict) << "expired";
  Must(SecondGrant("a", Propose(bob, world.secret(kEnvironment, "a").list, act)));
}

TEST_F(RequestTest, TheRuleIsTurnedOnWhenAllStandingGrantsHaveTwoSignatures) {
  Must(world.GrantTo(machine, kEnvironment, "a"));
  EXPECT_EQ(Refusal(SetRule(true)), Code::kConflict);
  const GrantAdd act{world.GrantFor(machine)};
  Must(SecondGrant("a", Propose(bob, world.secret(kEnvironment, "a").list, act)));
  Must(SetRule(true));
  EXPECT_TRUE(direct.Read(machine.key, NumberOf("a"), "open-1"));
  const SignedList& list = world.environment(kEnvironment).list;
  EXPECT_EQ(Refusal(world.Send(world.owner,
                               VaultWorld::One(world.Next(list, world.owner, RulesSet{false}), world.owner))),
            Code::kDenied)
      << "one owner does not end it";
  Must(SetRule(false));
  Must(world.GrantTo(machine, kEnvironment, "b"));
}

}  // namespace
}  // namespace grantfs::testing

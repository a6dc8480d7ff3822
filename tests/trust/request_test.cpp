// Requests as they travel: one text for each, read strictly, and judged by the lists alone.

#include "grantfs/trust/request.h"

#include "grantfs/crypto/encoding.h"
#include "grantfs/trust/consent.h"
#include "world.h"

namespace grantfs::testing {
namespace {

constexpr std::int64_t kAskedAt = 1'700'000'000;

class RequestTest : public ::testing::Test {
 protected:
  RequestTest() {
    EXPECT_TRUE(
        world.Add(world.environment, world.owner, MemberAdd{operator_.identity(), Role::kOperator, "", {}}));
  }
  Request Of(const PrivateIdentity& who, AnyAsk ask) const {
    Request request;
    request.vault = world.vault.vault_id();
    request.environment = "shop/prod";
    request.signer = who.Id();
    request.time = kAskedAt;
    request.expires = kAskedAt + 3600;
    request.reason = "please";
    request.vault_head = *world.vault.head();
    request.environment_head = *world.environment.head();
    request.ask = std::move(ask);
    return request;
  }
  AskConsent ConsentAsk(const PrivateIdentity& who) const {
    const GrantAdd act{world.GrantTo(world.web1, 3)};
    Consent consent{who.Id(), kAskedAt, kAskedAt + 3600, *world.secret.head(), world.environment.head()};
    const Signature signature =
        who.signing_key().Sign(ConsentBytes(world.vault.vault_id(), world.secret.id(), consent, act));
    return {{{world.secret.id(), act, consent, signature}}, Hash{}};
  }
  std::vector<AnyAsk> EveryAsk() const {
    return {AskGrant{"web-1", {"a", "b/c"}, {}}, AskRevoke{"web-1", {"a"}},
            AskMember{MakeIdentity("bea").identity(), Role::kReader, ""}, AskRotation{"a", 32, "hex"},
            ConsentAsk(world.owner)};
  }
  Code Judged(const Request& request, const PrivateIdentity& by, std::int64_t now = kAskedAt + 1) const {
    const auto made = Must(SignedRequest::Sign(request, by.signing_key()));
    const Status good = made.Check(world.vault, world.environment, now);
    return good ? Code::kUnsupported : good.error().code;  // never one of its errors
  }
  static constexpr Code kGood = Code::kUnsupported;

  World world;
  PrivateIdentity operator_ = MakeIdentity("ops", IdentityKind::kAgent);
};

TEST_F(RequestTest, EachIsReadBackTheSameAndNothingMoreIsTaken) {
  for (const AnyAsk& ask : EveryAsk()) {
    const auto made = Must(SignedRequest::Sign(Of(world.owner, ask), world.owner.signing_key()));
    const auto again = Must(SignedRequest::Parse(made.envelope()));
    EXPECT_EQ(again.id(), made.id());
    EXPECT_EQ(again.envelope(), made.envelope());
    EXPECT_STREQ(AskName(again.request().ask), AskName(ask));
    Json envelope = Must(ParseJson(made.envelope()));
    Json payload = Must(ParseJson(ToText(Must(Base64Decode(envelope.Find("payload")->AsString(), 1 << 20)))));
    Json inner = *payload.Find("ask");
    inner.Set("surprise", 1);
    payload.Set("ask", std::move(inner));
    envelope.Set("payload", Base64Encode(AsBytes(payload.Dump())));
    EXPECT_FALSE(SignedRequest::Parse(envelope.Dump())) << AskName(ask);
  }
}

TEST_F(RequestTest, IsBounded) {
  const auto taken = [&](const Request& request) {
    return SignedRequest::Sign(request, operator_.signing_key()).has_value();
  };
  Request request = Of(operator_, AskGrant{"web-1", {"a"}, {}});
  EXPECT_TRUE(taken(request));
  request.expires = request.time + kMaxRequestSeconds + 1;
  EXPECT_FALSE(taken(request)) << "for ever";
  request.expires = request.time;
  EXPECT_FALSE(taken(request));
  std::vector<std::string> many;
  for (std::size_t i = 0; i < kMaxAskedSecrets; ++i) many.push_back("s" + std::to_string(100 + i));
  EXPECT_TRUE(taken(Of(operator_, AskGrant{"web-1", many, {}})));
  many.push_back("t");
  const std::vector<std::vector<std::string>> bad{many, {}, {"b", "a"}, {"a", "a"}, {"../a"}, {""}};
  for (const auto& paths : bad) EXPECT_FALSE(taken(Of(operator_, AskGrant{"web-1", paths, {}})));
  EXPECT_FALSE(taken(Of(operator_, AskGrant{"no name", {"a"}, {}})));
  EXPECT_FALSE(taken(Of(operator_, AskRotation{"a", 7, ""})));
  EXPECT_FALSE(taken(Of(operator_, AskMember{operator_.identity(), Role::kOwner, ""}))) << "an agent";
}

TEST_F(RequestTest, AConsentIsOfWhoAsksAndOfItsEnvironment) {
  const auto taken = [&](const AskConsent& ask) {
    return SignedRequest::Sign(Of(world.owner, ask), world.owner.signing_key()).has_value();
  };
  EXPECT_TRUE(taken(ConsentAsk(world.owner)));
  EXPECT_FALSE(taken(ConsentAsk(world.second))) << "another's signature";
  AskConsent ask = ConsentAsk(world.owner);
  ask.items[0].consent.expires += 1;
  EXPECT_FALSE(taken(ask)) << "it outlives the request";
  ask = ConsentAsk(world.owner);
  ask.items[0].list = ListId::Environment("shop/test");
  EXPECT_FALSE(taken(ask));
  ask = ConsentAsk(world.owner);
  ask.items[0].act = Vouch{};
  EXPECT_FALSE(taken(ask)) << "which nobody signs second";
  EXPECT_FALSE(taken(AskConsent{}));
}

TEST_F(RequestTest, CountsWhileItsAskerMayAsk) {
  const AskRotation ask{"a", 0, ""};
  EXPECT_EQ(Judged(Of(operator_, ask), operator_), kGood);
  EXPECT_EQ(Judged(Of(world.owner, ask), world.owner), kGood);
  EXPECT_EQ(Judged(Of(operator_, ask), operator_, kAskedAt + 3600), Code::kExpired);
  EXPECT_EQ(Judged(Of(operator_, ask), operator_, kAskedAt - 3600), Code::kInvalid) << "of the future";
  EXPECT_EQ(Judged(Of(operator_, ask), world.owner), Code::kIntegrity) << "another's signature";
  EXPECT_EQ(Judged(Of(MakeIdentity("eve"), ask), world.owner), Code::kDenied);
  Request other = Of(operator_, ask);
  other.vault.bytes[0] ^= 1;
  EXPECT_EQ(Judged(other, operator_), Code::kIntegrity);
  other = Of(operator_, ask);
  other.environment_head.hash.bytes[0] ^= 1;
  EXPECT_EQ(Judged(other, operator_), Code::kIntegrity);
  const Request before = Of(operator_, ask);
  ASSERT_TRUE(world.Add(world.environment, world.owner, MemberRemove{operator_.Id(), {}}));
  EXPECT_EQ(Judged(before, operator_), Code::kDenied);
  ASSERT_TRUE(
      world.Add(world.environment, world.owner, MemberAdd{operator_.identity(), Role::kOperator, "", {}}));
  EXPECT_EQ(Judged(before, operator_), Code::kDenied) << "returning revives nothing";
  EXPECT_EQ(Judged(Of(operator_, ask), operator_), kGood);
  ASSERT_TRUE(world.Add(world.vault, world.owner, IdentityRemove{operator_.Id(), "ops"}));
  EXPECT_EQ(Judged(Of(operator_, ask), operator_), Code::kDenied);
  EXPECT_EQ(Judged(Of(operator_, ConsentAsk(operator_)), operator_), Code::kDenied) << "no owner";
}

}  // namespace
}  // namespace grantfs::testing

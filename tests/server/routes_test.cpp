#include "grantfs/api/audit.h"
#include "grantfs/api/describe.h"
#include "grantfs/crypto/encoding.h"
#include "served.h"

namespace grantfs::testing {
namespace {

struct RoutesTest : ::testing::Test, ServedSecret {
  RoutesTest() : invite(world.Invite("web-2", 4'000'000'000)) {
    Must(world.AddMember("shop/prod", auditor, Role::kAuditor));
  }
  HttpResponse Ask(const RequestSigner& who, const api::Route& route, const std::string& body) {
    return Must(client().Exchange(who, route, body));
  }
  HttpResponse Ask(const RequestSigner& who, const char* method, const char* path, const std::string& body) {
    return Must(client().Send(client().Signed(who, method, path, body)));
  }
  PrivateIdentity auditor = NewIdentity("aud");
  InviteSecret invite;
};

bool Suits(api::Who who, const std::string& caller) {
  switch (who) {
    case api::Who::kClaim:
      return false;
    case api::Who::kInvite:
      return caller == "invite";
    case api::Who::kIdentity:
      return caller != "invite";
    case api::Who::kReader:
      return true;
    case api::Who::kMachine:
      return caller == "machine";
    case api::Who::kPerson:
    case api::Who::kMember:
    case api::Who::kVaultOwner:
      return caller == "person";
  }
  return false;
}

TEST_F(RoutesTest, AreThereForThoseWhoMayCallThem) {
  const std::pair<std::string, RequestSigner> callers[] = {{"invite", RequestSigner::Of(invite)},
                                                           {"machine", RequestSigner::Of(machine.key)},
                                                           {"person", RequestSigner::Of(auditor)}};
  for (const api::Route* route : api::kRoutes) {
    if (route->path == std::string_view("/v1/watch")) continue;  // does not end: see watch_test
    for (const auto& [kind, signer] : callers) {
      const bool get = route->method == std::string_view("GET");
      const bool below = std::string_view(route->path).ends_with('/');
      const std::string path = std::string(route->path) + (below ? "0/000.p/1" : "");
      const api::Route asked{route->method, path.c_str(), route->who};
      const auto answer = Ask(signer, asked, get ? "" : "{\"no such member\":1}");
      const bool there = Suits(route->who, kind);
      EXPECT_EQ(answer.status, !there ? 404
                               : get  ? 200
                                      : 400)
          << route->path << " for " << kind << answer.body;
      if (answer.status == 200) continue;
      const auto problem = api::Problem::FromJson(Must(ParseJson(answer.body)));
      ASSERT_TRUE(problem) << answer.body;
      EXPECT_EQ(*FindHeader(answer.headers, "content-type"), api::kProblemType);
    }
  }
}

TEST_F(RoutesTest, AMemberWithoutTheRoleIsDeniedAndAStrangerFindsNothing) {
  const std::string body = R"({"environment":"shop/prod","after":"","limit":10})";
  EXPECT_EQ(Ask(RequestSigner::Of(auditor), api::kSecretsList, body).status, 403);
  const std::string other = R"({"environment":"shop/none","after":"","limit":10})";
  EXPECT_EQ(Ask(RequestSigner::Of(auditor), api::kSecretsList, other).status, 404);
  EXPECT_EQ(Ask(RequestSigner::Of(world.recovery), api::kEnrolmentsList, "{}").status, 403);
  EXPECT_EQ(Ask(RequestSigner::Of(world.owner), api::kEnrolmentsList, "{}").status, 200);
}

TEST_F(RoutesTest, TheDescriptionIsServedToWhomTheVaultKnowsAsTheProgramPrintsIt) {
  const auto answer = Ask(RequestSigner::Of(machine.key), api::kDescription, "");
  ASSERT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, api::Description("0").Dump());
  EXPECT_EQ(Ask(RequestSigner::Of(NewIdentity("eve")), api::kDescription, "").status, 401);
}

TEST_F(RoutesTest, WhatIsNoRouteIsNotThere) {
  const auto owner = RequestSigner::Of(world.owner);
  EXPECT_EQ(Ask(owner, "GET", "/", "").status, 404);
  EXPECT_EQ(Ask(owner, "GET", "/v1/status/", "").status, 404);
  EXPECT_EQ(Ask(owner, "POST", "/v1/status", "{}").status, 404);
  EXPECT_EQ(Ask(owner, "GET", "/v1/lists/read", "").status, 404);
}

TEST_F(RoutesTest, BodiesAreReadStrictly) {
  const auto owner = RequestSigner::Of(world.owner);
  for (const char* body :
       {"", "[]", "{", "{}x", R"({"list":"vault","from":0,"limit":0})",
        R"({"list":"vault","from":0,"limit":10,"more":1})", R"({"list":"vault","from":-1,"limit":1})",
        R"({"list":"vault","list":"vault","from":0,"limit":1})", R"({"list":"vaults","from":0,"limit":1})"})
    EXPECT_EQ(Ask(owner, api::kListsRead, body).status, 400) << body;
  EXPECT_EQ(Ask(owner, api::kListsRead, R"({"list":"vault","from":0,"limit":1})").status, 200);
}

TEST_F(RoutesTest, AMachineReadsOverTheWire) {
  const auto answer =
      Must(client().Exchange(RequestSigner::Of(machine.key), api::kMachineRead, ReadBody("x")));
  ASSERT_EQ(answer.status, 200) << answer.body;
  const auto read = Must(api::ReadResponse::FromJson(Must(ParseJson(answer.body))));
  EXPECT_EQ(Must(world.Open(machine, "shop/prod", "a", 1, read.sealed, read.ciphertext)), "one");
}

TEST_F(RoutesTest, TheRecordKeepsWhatTheMachineSigned) {
  const HttpRequest request = SignedRead("x");
  ASSERT_EQ(StatusOf(request), 200);
  api::AuditSearchRequest search;
  search.actor = machine.key.Id().Hex();
  const auto found =
      Must(client().Call<api::AuditSearchResponse>(RequestSigner::Of(auditor), api::kAuditSearch, search));
  ASSERT_EQ(found.records.size(), 1U);
  const Json body = Must(ParseJson(*found.records[0].body));
  const Bytes bytes = Must(HexDecode(body.Find("signature")->AsString(), 64));
  Signature signature;
  std::copy(bytes.begin(), bytes.end(), signature.bytes.begin());
  EXPECT_TRUE(Verify(machine.identity().sign, AsBytes(body.Find("base")->AsString()), signature));
  EXPECT_EQ(body.Find("source")->AsString(), "127.0.0.1");
}

TEST_F(RoutesTest, ALargeValueGoesThrough) {
  const std::string large(kMaxSecretBytes, 'x');
  Must(world.Publish("shop/prod", "a", large));
  const auto read = Must(client().Exchange(RequestSigner::Of(machine.key), api::kMachineRead, ReadBody("x")));
  ASSERT_EQ(read.status, 200);
  const auto answer = Must(api::ReadResponse::FromJson(Must(ParseJson(read.body, {.max_bytes = 4 << 20}))));
  EXPECT_EQ(Must(world.Open(machine, "shop/prod", "a", 2, answer.sealed, answer.ciphertext)), large);
}

TEST_F(RoutesTest, AnInvitationThatIsOverIsGoneAndAMistypedOneUnknown) {
  const auto state = [&](const InviteSecret& secret) {
    return Ask(RequestSigner::Of(secret), api::kEnrolmentState, "{}").status;
  };
  EXPECT_EQ(state(invite), 200);
  EXPECT_EQ(state(world.Invite("web-3", 1'000'000'000)), 410) << "expired";
  EXPECT_EQ(state(Must(InviteSecret::Generate())), 401) << "never issued";
  const InviteSecret other = Must(InviteSecret::Generate());
  EXPECT_EQ(Ask({"invite:" + invite.id(), &other.signing_key()}, api::kEnrolmentState, "{}").status, 401)
      << "410 is for who holds the invitation";
  const InviteSecret withdrawn = world.Invite("web-4", 4'000'000'000);
  Must(world.Send(world.owner,
                  VaultWorld::One(world.Next(world.machines, world.owner, InvitationWithdraw{withdrawn.id()}),
                                  world.owner)));
  EXPECT_EQ(state(withdrawn), 410);
}

}  // namespace
}  // namespace grantfs::testing

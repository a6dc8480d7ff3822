#include "support/direct_vault.h"

// A machine's listing verifies with what a machine holds: vault and environment, and what it is sent.

namespace grantfs::testing {
namespace {

struct GrantsTest : ::testing::Test, ClaimedVault {
  GrantsTest() {
    machine = world.EnrolMachine("web-1");
    other = world.EnrolMachine("web-2");
    for (const char* path : {"a", "b", "c"}) {
      Must(world.Publish("shop/prod", path, path));
      Must(world.GrantTo(other, "shop/prod", path));
      Must(world.GrantTo(machine, "shop/prod", path));
    }
  }
  api::GrantsResponse Ask(const api::GrantsRequest& request) {
    return Must(direct.vault().MachineGrants(direct.Caller(machine.key), request));
  }
  api::GrantsResponse AskFor(const std::string& path, std::uint64_t from) {
    api::GrantsRequest request;
    request.secrets = {{NumberOf(path), from}};
    return Ask(request);
  }
  /// What a machine makes of one grant: its view, or what is wrong.
  Result<SecretList> View(const api::GrantEvidence& evidence) {
    SecretList list = SecretList::Partial(evidence.secret, evidence.first);
    for (const std::string& envelope : evidence.statements) {
      auto statement = std::make_shared<const SignedStatement>(GRANTFS_TRY(SignedStatement::Parse(envelope)));
      GRANTFS_CHECK(list.Receive(statement, world.Upper("shop/prod")));
    }
    const auto grant = GRANTFS_TRY(SignedStatement::Parse(evidence.grant));
    GRANTFS_TRY(list.VerifyGrant(grant, evidence.proof, machine.identity(), world.Upper("shop/prod")));
    const auto version = GRANTFS_TRY(SignedStatement::Parse(evidence.version));
    GRANTFS_TRY(list.VerifyVersion("current", version, world.Upper("shop/prod")));
    return list;
  }
  VaultWorld::Machine machine;
  VaultWorld::Machine other;
};

TEST_F(GrantsTest, EveryGrantOfAPageVerifies) {
  const auto answer = Ask({});
  ASSERT_EQ(answer.grants.size(), 3U);
  EXPECT_FALSE(answer.more);
  ASSERT_EQ(answer.environments.size(), 1U);
  EXPECT_EQ(answer.environments[0].head, *world.environment("shop/prod").list.head());
  for (const auto& evidence : answer.grants) {
    const auto view = View(evidence);
    ASSERT_TRUE(view) << Describe(view.error());
    EXPECT_EQ(view->head(), world.secret("shop/prod", evidence.path).list.head());
  }
}

TEST_F(GrantsTest, PagesFollowOneAnother) {
  api::GrantsRequest request;
  request.limit = 2;
  const auto first = Ask(request);
  ASSERT_EQ(first.grants.size(), 2U);
  EXPECT_TRUE(first.more);
  request.after = first.grants.back().secret;
  const auto second = Ask(request);
  ASSERT_EQ(second.grants.size(), 1U);
  EXPECT_FALSE(second.more);
}

TEST_F(GrantsTest, ATailBeginsAfterTheRememberedHead) {
  const std::uint64_t head = world.secret("shop/prod", "a").list.head()->sequence;
  EXPECT_TRUE(AskFor("a", head).grants.at(0).statements.empty());
  Must(world.Publish("shop/prod", "a", "two"));
  const auto evidence = AskFor("a", head).grants.at(0);
  EXPECT_EQ(evidence.first, head + 1);
  EXPECT_EQ(evidence.statements.size(), 1U);
}

TEST_F(GrantsTest, ATailBeginsWhereTheGrantsChangedLast) {
  Must(world.Publish("shop/prod", "a", "two"));
  const std::uint64_t head = world.secret("shop/prod", "a").list.head()->sequence;
  Must(world.Revoke(other, "shop/prod", "a"));
  Must(world.Publish("shop/prod", "a", "three"));
  for (const std::uint64_t from : {std::uint64_t{0}, head}) {
    const auto evidence = AskFor("a", from).grants.at(0);
    EXPECT_EQ(evidence.first, head + 1) << "from " << from;
    EXPECT_EQ(evidence.statements.size(), 2U);
    EXPECT_TRUE(View(evidence));
  }
}

TEST_F(GrantsTest, WhatIsNotGrantedIsAbsent) {
  Must(world.Revoke(machine, "shop/prod", "a"));
  api::GrantsRequest request;
  request.secrets = {{NumberOf("a"), 0}, {NumberOf("b"), 0}, {4711, 0}};
  const auto answer = Ask(request);
  ASSERT_EQ(answer.grants.size(), 1U);
  EXPECT_EQ(answer.grants[0].path, "b");
  EXPECT_EQ(Ask({}).grants.size(), 2U);
}

TEST_F(GrantsTest, ALongTailComesInPieces) {
  const std::string reason(Statement::kMaxReasonBytes, 'r');
  auto& secret = world.secret("shop/prod", "a");
  for (int i = 0; i < 2; ++i) {
    api::AppendRequest request{{{secret.list.id(), {}}}};
    for (int k = 0; k < 260; ++k) {
      Statement vouch = world.NextOf(secret, world.owner, Vouch{});
      vouch.reason = reason;
      const auto one = VaultWorld::One(vouch, world.owner);
      world.Take(one);
      request.appends[0].statements.push_back(one.appends[0].statements[0]);
    }
    Must(direct.Append(world.owner, request));
  }
  auto evidence = AskFor("a", 0).grants.at(0);
  EXPECT_TRUE(evidence.more);
  std::size_t pieces = 1;
  while (evidence.more) {
    const std::uint64_t last = evidence.first + evidence.statements.size() - 1;
    evidence = AskFor("a", last).grants.at(0);
    EXPECT_EQ(evidence.first, last + 1);
    ++pieces;
  }
  EXPECT_EQ(pieces, 2U);
  EXPECT_EQ(evidence.first + evidence.statements.size(), secret.list.next_sequence());
}

}  // namespace
}  // namespace grantfs::testing

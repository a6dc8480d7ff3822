// contrib/FORMATS.md is true: its examples are read, checked, and written again to the same text.

#include <cstring>
#include <set>

#include "grantfs/crypto/encoding.h"
#include "grantfs/util/file.h"
#include "world.h"

namespace grantfs::testing {
namespace {

std::vector<std::string> Blocks(const std::string& kind) {
  const auto file = Must(ReadFile(GRANTFS_SOURCE_ROOT "/contrib/FORMATS.md", 1 << 20));
  const std::string text = ToText(file);
  const std::string open = "```" + kind + "\n";
  std::vector<std::string> blocks;
  for (std::size_t at = text.find(open); at != std::string::npos; at = text.find(open, at)) {
    at += open.size();
    blocks.push_back(text.substr(at, text.find("```", at) - at));
  }
  return blocks;
}

PrivateIdentity SeededOwner() {
  auto seed = Must(SecretMemory::Allocate(32));
  std::memset(seed.Expose().data(), 1, 32);
  return Must(PrivateIdentity::FromSeed(seed, IdentityKind::kUser, "ann"));
}

TEST(FormatsTest, EveryActStandsThereAndReadsBackTheSame) {
  World world;
  std::set<std::string> shown;
  for (const std::string& block : Blocks("json act")) {
    const Json json = Must(ParseJson(block));
    const auto act = ActFromJson(json);
    ASSERT_TRUE(act) << block << Describe(act.error());
    EXPECT_EQ(ActToJson(*act).DumpPretty(), json.DumpPretty());
    shown.insert(ActName(*act));
  }
  EXPECT_EQ(shown.size(), std::variant_size_v<Act>) << "an act has no example";
}

TEST(FormatsTest, UnknownMembersAndActsAreRefused) {
  for (const std::string& block : Blocks("json act")) {
    Json json = Must(ParseJson(block));
    json.Set("surprise", 1);
    EXPECT_FALSE(ActFromJson(json)) << block;
  }
  EXPECT_EQ(ActFromJson(Json::Object({{"type", "act.of-tomorrow"}})).error().code, Code::kUnsupported);
}

TEST(FormatsTest, WhatASignerWritesControlsNoTerminal) {
  World world;
  Statement statement = world.NextOf(world.secret, world.owner, Vouch{});
  statement.reason = "fine";
  EXPECT_TRUE(SignedStatement::Sign(statement, world.owner.signing_key()));
  statement.reason = "\x1B[2J";
  EXPECT_FALSE(SignedStatement::Sign(statement, world.owner.signing_key()));
  Grant grant = world.GrantTo(world.web1, 3);
  grant.conditions = {"user=app"};
  EXPECT_TRUE(ActFromJson(ActToJson(GrantAdd{grant})));
  grant.conditions = {"user=\x1B[2J"};
  EXPECT_FALSE(ActFromJson(ActToJson(GrantAdd{grant})));
  grant = world.GrantTo(world.web1, 3);
  grant.record = "each\n";
  EXPECT_FALSE(ActFromJson(ActToJson(GrantAdd{grant})));
  EXPECT_EQ(ActFromJson(Json::Object({{"type", "\x1B[2J"}})).error().subject, "?[2J");
}

TEST(FormatsTest, TheGenesisIsWhatTheTextSays) {
  const auto envelopes = Blocks("json envelope");
  ASSERT_EQ(envelopes.size(), 1u);
  const auto statement = Must(SignedStatement::Parse(envelopes[0]));
  const auto owner = SeededOwner();
  EXPECT_TRUE(statement.VerifySignature(owner.identity().sign));
  EXPECT_EQ(statement.statement().signer, owner.Id());
  const std::string text = ToText(Must(ReadFile(GRANTFS_SOURCE_ROOT "/contrib/FORMATS.md", 1 << 20)));
  EXPECT_NE(text.find(statement.hash().Hex()), std::string::npos);
  VaultList list;
  EXPECT_TRUE(list.Append(std::make_shared<const SignedStatement>(statement), {}));
  const ValueContext context{list.vault_id(), "shop/prod", 7, 1, 1};
  const auto shown = Blocks("hex value-context");
  ASSERT_EQ(shown.size(), 1u);
  EXPECT_EQ(HexEncode(context.Encode()) + "\n", shown[0]);
  const auto again = Must(SignedStatement::Sign(statement.statement(), owner.signing_key()));
  EXPECT_EQ(again.hash(), statement.hash()) << "the payload is not written as the text shows it";
}

TEST(FormatsTest, TheStateReadsBack) {
  const auto states = Blocks("json state");
  ASSERT_EQ(states.size(), 1u);
  const Json json = Must(ParseJson(states[0]));
  EXPECT_EQ(Must(SecretState::FromJson(json)).ToJson().DumpPretty(), json.DumpPretty());
}

}  // namespace
}  // namespace grantfs::testing

#include <gtest/gtest.h>

#include "grantfs/api/audit.h"
#include "grantfs/api/lists.h"
#include "grantfs/api/machine.h"
#include "grantfs/api/secrets.h"
#include "grantfs/api/watch.h"
#include "grantfs/trust/names.h"

namespace grantfs::api {
namespace {

template <typename Shape>
bool Reads(const Json& json) {
  return Shape::FromJson(json).has_value();
}

TEST(BoundsTest, AsManyStatementsAsAllowedAndNoMore) {
  ListAppend append{ListId::Vault(), std::vector<std::string>(kMaxStatements, "x")};
  EXPECT_TRUE(Reads<AppendRequest>(AppendRequest{{append}}.ToJson()));
  append.statements.push_back("x");
  EXPECT_FALSE(Reads<AppendRequest>(AppendRequest{{append}}.ToJson()));
  append.statements = {std::string(kMaxEnvelopeBytes, 'x')};
  EXPECT_TRUE(Reads<AppendRequest>(AppendRequest{{append}}.ToJson()));
  append.statements = {std::string(kMaxEnvelopeBytes + 1, 'x')};
  EXPECT_FALSE(Reads<AppendRequest>(AppendRequest{{append}}.ToJson()));
  EXPECT_FALSE(Reads<AppendRequest>(AppendRequest{}.ToJson())) << "nothing to append";
  append.statements.clear();
  EXPECT_FALSE(Reads<AppendRequest>(AppendRequest{{append}}.ToJson()));
}

TEST(BoundsTest, NumbersHaveTheirBounds) {
  EXPECT_FALSE(Reads<ReadRequest>(ReadRequest{.secret = 0, .open = "x", .caller = {}}.ToJson()));
  EXPECT_TRUE(
      Reads<ReadRequest>(ReadRequest{.secret = kMaxSecretNumber, .open = "x", .caller = {}}.ToJson()));
  EXPECT_FALSE(
      Reads<ReadRequest>(ReadRequest{.secret = kMaxSecretNumber + 1, .open = "x", .caller = {}}.ToJson()));
  EXPECT_FALSE(Reads<ReadRequest>(
      ReadRequest{.secret = 1, .version = kMaxVersion + 1, .open = "x", .caller = {}}.ToJson()));
  EXPECT_FALSE(Reads<ListReadRequest>(ListReadRequest{ListId::Vault(), 0, 0}.ToJson()));
  EXPECT_FALSE(Reads<ListReadRequest>(ListReadRequest{ListId::Vault(), 0, kMaxStatements + 1}.ToJson()));
  EXPECT_FALSE(Reads<PresenceRequest>(PresenceRequest{{}, 0, kMaxPresenceWaitMs + 1}.ToJson()));
}

TEST(BoundsTest, AnOpensIdHasItsAlphabet) {
  const auto reads = [](const std::string& open) {
    return Reads<ValueRequest>(ValueRequest{1, 0, open}.ToJson());
  };
  EXPECT_TRUE(reads("0123-abcxyz"));
  EXPECT_TRUE(reads(std::string(kMaxOpenIdBytes, 'a')));
  for (const std::string& bad : {std::string(), std::string(kMaxOpenIdBytes + 1, 'a'), std::string("A"),
                                 std::string("a b"), std::string("a_b"), std::string("\xc3\xa4")})
    EXPECT_FALSE(reads(bad)) << bad;
}

TEST(BoundsTest, ACiphertextHasAtMostItsBound) {
  StageCiphertextRequest request{1, 1, {}, Bytes(kMaxCiphertextBytes)};
  EXPECT_TRUE(Reads<StageCiphertextRequest>(request.ToJson()));
  request.ciphertext.resize(kMaxCiphertextBytes + 1);
  EXPECT_FALSE(Reads<StageCiphertextRequest>(request.ToJson()));
  request.ciphertext.resize(kAeadOverhead - 1);
  EXPECT_FALSE(Reads<StageCiphertextRequest>(request.ToJson())) << "too short to be one";
}

TEST(BoundsTest, NamesAreNames) {
  for (const char* bad : {"", "shop", "shop/prod/x", "/shop", "shop/..", "shop/\x01"})
    EXPECT_FALSE(Reads<EpochCopiesRequest>(EpochCopiesRequest{bad}.ToJson())) << bad;
  for (const char* bad : {"", "/", "a//b", "..", ".grantfs/x"})
    EXPECT_FALSE(Reads<SecretFindRequest>(SecretFindRequest{"shop/prod", bad}.ToJson())) << bad;
}

TEST(BoundsTest, AWatchsLineIsWhatItsKindSays) {
  EXPECT_TRUE(WatchLine::Parse(R"({"type":"beat","change":1,"time":2})"));
  for (const char* bad :
       {R"({"type":"beat","change":1})", R"({"type":"beat","change":1,"time":2,"what":"vault"})",
        R"({"type":"hello","change":1})", R"({"type":"change","change":1,"what":"weather"})",
        R"({"type":"other","change":1})", "[]", "", "{}"})
    EXPECT_FALSE(WatchLine::Parse(bad)) << bad;
  EXPECT_FALSE(WatchLine::Parse(std::string(kMaxWatchLineBytes + 1, ' ')));
}

}  // namespace
}  // namespace grantfs::api

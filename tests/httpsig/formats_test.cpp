// contrib/FORMATS.md is true: its example of a signed request verifies.

#include <gtest/gtest.h>

#include <cstring>

#include "grantfs/crypto/random.h"
#include "grantfs/httpsig/signature.h"
#include "grantfs/util/file.h"
#include "grantfs/util/text.h"

namespace grantfs {
namespace {

std::string Block(const std::string& kind) {
  const auto file = ReadFile(GRANTFS_SOURCE_ROOT "/contrib/FORMATS.md", 1 << 20);
  EXPECT_TRUE(file);
  const std::string text = ToText(*file);
  const std::string open = "```" + kind + "\n";
  const std::size_t at = text.find(open) + open.size();
  return text.substr(at, text.find("\n```", at) - at);
}

TEST(RequestFormatTest, TheExampleVerifies) {
  ASSERT_TRUE(InitCrypto());
  SecretMemory seed = SecretMemory::Allocate(32).value();
  std::memset(seed.Expose().data(), 1, 32);
  const SigningKey key = SigningKey::FromSeed(seed).value();
  const SignedParts parts{"POST", "vault.lan:7843", "/v1/example", "a=b", "{}"};

  const std::string example = Block("http request");
  std::vector<HttpHeader> headers;
  for (const std::string_view line : Split(example, '\n')) {
    const std::size_t colon = line.find(": ");
    ASSERT_NE(colon, std::string_view::npos) << line;
    headers.push_back({std::string(line.substr(0, colon)), std::string(line.substr(colon + 2))});
  }
  const auto info = ParseSignature(parts, headers);
  if (!info) {
    std::string good;
    const auto right = SignRequest(parts, "bf6c", "1f2e", 1'700'000'000, "ba03", key).value();
    for (const auto& [name, value] : right) good += name + ": " + value + "\n";
    FAIL() << info.error().where << "; this would be right:\n" << good;
  }
  EXPECT_EQ(info->base, Block("text base"));
  EXPECT_TRUE(VerifySignature(*info, key.verify_key()));
  EXPECT_EQ(info->created, 1'700'000'000);
}

}  // namespace
}  // namespace grantfs

// The public vectors of C2SP/wycheproof, which try the edges that implementations get wrong.
#include <gtest/gtest.h>
#include <sodium.h>

#include <cstdlib>
#include <functional>
#include <string>

#include "../../src/crypto/aead_internal.h"
#include "grantfs/crypto/keys.h"
#include "grantfs/json/json.h"
#include "grantfs/util/file.h"
#include "test_secret.h"

namespace grantfs {
namespace {

std::string VectorPath(const std::string& name) {
  const char* const set = std::getenv("GRANTFS_TEST_VECTORS");
  const std::string root = set != nullptr ? set : std::string(GRANTFS_SOURCE_ROOT) + "/../shared/vectors";
  return root + "/wycheproof/" + name;
}

using Case = std::function<void(const Json& group, const Json& test)>;

// Runs every test of a file, named in failures; returns how many there were.
int ForEachCase(const Json& file, const Case& run) {
  int count = 0;
  for (const Json& group : file.Find("testGroups")->Items()) {
    for (const Json& test : group.Find("tests")->Items()) {
      SCOPED_TRACE("tcId " + test.Find("tcId")->Dump() + " " + test.Find("comment")->Dump());
      run(group, test);
      ++count;
    }
  }
  return count;
}

void RunFile(const std::string& name, const Case& run) {
  const std::string path = VectorPath(name);
  if (!PathExists(path)) GTEST_SKIP() << "no vectors at " << path << " (set GRANTFS_TEST_VECTORS)";
  const auto text = ReadFile(path, std::size_t{4} << 20);
  ASSERT_TRUE(text) << Describe(text.error());
  const auto file = ParseJson(AsText(*text), {.max_bytes = std::size_t{4} << 20});
  ASSERT_TRUE(file) << Describe(file.error());
  EXPECT_EQ(ForEachCase(*file, run), file->Find("numberOfTests")->AsNumber());
}

Bytes Field(const Json& test, const char* name) { return Unhex(test.Find(name)->AsString()); }

bool HasFlag(const Json& test, std::string_view flag) {
  for (const Json& item : test.Find("flags")->Items()) {
    if (item.AsString() == flag) return true;
  }
  return false;
}

template <std::size_t N>
std::array<std::uint8_t, N> Fixed(const Bytes& bytes) {
  std::array<std::uint8_t, N> fixed{};
  EXPECT_EQ(bytes.size(), N);
  std::copy_n(bytes.begin(), std::min(bytes.size(), N), fixed.begin());
  return fixed;
}

Bytes Concatenate(std::initializer_list<ByteView> parts) {
  Bytes all;
  for (const ByteView part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

TEST(WycheproofTest, Ed25519Verify) {
  RunFile("ed25519.json", [](const Json& group, const Json& test) {
    const VerifyKey key = *VerifyKey::FromHex(group.Find("publicKey")->Find("pk")->AsString());
    const Bytes given = Field(test, "sig");
    const bool valid = given.size() == 64 && Verify(key, Field(test, "msg"), {Fixed<64>(given)});
    EXPECT_EQ(valid, test.Find("result")->AsString() == "valid");
  });
}

// A sealed blob for the owner of `seal_key` as one would make it whose ephemeral key is `ephemeral` and who
// knows the X25519 shared secret: so opening it shows that UnsealKey computes the same secret.
Bytes SealWithSharedSecret(const Bytes& ephemeral, const SealKey& seal_key, const Bytes& shared,
                           ByteView content) {
  std::array<std::uint8_t, crypto_box_BEFORENMBYTES> box_key{};
  const std::array<std::uint8_t, 16> zero{};
  crypto_core_hsalsa20(box_key.data(), zero.data(), shared.data(), nullptr);
  std::array<std::uint8_t, crypto_box_NONCEBYTES> nonce{};
  const Bytes both = Concatenate({ephemeral, seal_key.bytes});
  crypto_generichash(nonce.data(), nonce.size(), both.data(), both.size(), nullptr, 0);
  Bytes box(content.size() + crypto_secretbox_MACBYTES);
  crypto_secretbox_easy(box.data(), content.data(), content.size(), nonce.data(), box_key.data());
  return Concatenate({Bytes{kSuite}, ephemeral, box});
}

TEST(WycheproofTest, X25519Unseal) {
  RunFile("x25519.json", [](const Json&, const Json& test) {
    const auto key = UnsealKey::FromPrivate(SecretOf(Field(test, "private")));
    ASSERT_TRUE(key);
    const Bytes sealed = SealWithSharedSecret(Field(test, "public"), key->seal_key(), Field(test, "shared"),
                                              AsBytes("content"));
    const auto opened = key->Open(sealed);
    // A point of small order gives a secret that everybody knows: refused, though the standard would go on.
    const bool small_order = HasFlag(test, "ZeroSharedSecret");
    ASSERT_EQ(opened.has_value(), !small_order);
    EXPECT_TRUE(small_order || opened->Equals(SecretOf("content")));
    EXPECT_EQ(Seal({Fixed<32>(Field(test, "public"))}, SecretOf("content")).has_value(), !small_order);
  });
}

TEST(WycheproofTest, XChaCha20Poly1305) {
  RunFile("xchacha20_poly1305.json", [](const Json&, const Json& test) {
    const SecretMemory key = SecretOf(Field(test, "key"));
    const Bytes nonce = Field(test, "iv");
    const Bytes context = Field(test, "aad");
    const SecretValue value(SecretOf(Field(test, "msg")));
    const Bytes encrypted = Concatenate({Bytes{kSuite}, nonce, Field(test, "ct"), Field(test, "tag")});
    const auto decrypted = DecryptValue(key, context, encrypted);
    ASSERT_EQ(decrypted.has_value(), test.Find("result")->AsString() == "valid");
    if (!decrypted) return;
    EXPECT_TRUE(decrypted->Equals(value));
    EXPECT_EQ(*EncryptWithNonce(key, context, value, Fixed<24>(nonce)), encrypted);
  });
}

}  // namespace
}  // namespace grantfs

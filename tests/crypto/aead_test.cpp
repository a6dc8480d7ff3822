#include "grantfs/crypto/aead.h"

#include <gtest/gtest.h>

#include "../../src/crypto/aead_internal.h"
#include "grantfs/crypto/random.h"
#include "test_secret.h"

namespace grantfs {
namespace {

const ByteView kContext = AsBytes("context");

SecretValue ValueOf(std::string_view text) { return SecretValue(SecretOf(text)); }

// draft-irtf-cfrg-xchacha-03, appendix A.3.1.
TEST(AeadTest, KnownAnswer) {
  AeadNonce nonce;
  for (std::size_t i = 0; i < nonce.size(); ++i) nonce[i] = static_cast<std::uint8_t>(0x40 + i);
  const auto encrypted = EncryptWithNonce(
      CountingKey(0x80), Unhex("50515253c0c1c2c3c4c5c6c7"),
      ValueOf("Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, "
              "sunscreen would be it."),
      nonce);
  ASSERT_TRUE(encrypted);
  EXPECT_EQ(HexEncode(*encrypted),
            "01404142434445464748494a4b4c4d4e4f5051525354555657"
            "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb731c7f1b0b4aa6440bf3a82f4eda7e39"
            "ae64c6708c"
            "54c216cb96b72e1213b4522f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff921f9664c97"
            "637da97688"
            "12f615c68b13b52ec0875924c1c7987947deafd8780acf49");
}

TEST(AeadTest, DecryptsWhatItEncryptedAtEverySize) {
  const SecretMemory key = CountingKey();
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{257}, kMaxSecretBytes}) {
    const SecretValue value = ValueOf(std::string(size, 'v'));
    const auto encrypted = EncryptValue(key, kContext, value);
    ASSERT_TRUE(encrypted);
    EXPECT_EQ(encrypted->size(), size + kAeadOverhead);
    const auto decrypted = DecryptValue(key, kContext, *encrypted);
    ASSERT_TRUE(decrypted) << Describe(decrypted.error());
    EXPECT_TRUE(decrypted->Equals(value));
  }
}

TEST(AeadTest, NeverUsesANonceTwice) {
  const Bytes one = *EncryptValue(CountingKey(), kContext, ValueOf("v"));
  const Bytes two = *EncryptValue(CountingKey(), kContext, ValueOf("v"));
  EXPECT_NE(Bytes(one.begin() + 1, one.begin() + 25), Bytes(two.begin() + 1, two.begin() + 25));
}

TEST(AeadTest, EveryFlippedBitAndEveryTruncationIsRefused) {
  const SecretMemory key = CountingKey();
  const Bytes encrypted = *EncryptValue(key, kContext, ValueOf("hunter2"));
  for (std::size_t bit = 0; bit < encrypted.size() * 8; ++bit) {
    Bytes bad = encrypted;
    bad[bit / 8] ^= static_cast<std::uint8_t>(1u << (bit % 8));
    const auto decrypted = DecryptValue(key, kContext, bad);
    ASSERT_FALSE(decrypted) << "bit " << bit;
    ASSERT_EQ(decrypted.error().code, bit < 8 ? Code::kUnsupported : Code::kIntegrity) << "bit " << bit;
  }
  for (std::size_t size = 0; size < encrypted.size(); ++size) {
    const auto decrypted = DecryptValue(key, kContext, ByteView(encrypted).first(size));
    ASSERT_FALSE(decrypted) << size;
    EXPECT_EQ(decrypted.error().code, size < kAeadOverhead ? Code::kInvalid : Code::kIntegrity) << size;
  }
}

TEST(AeadTest, AnotherKeyOrContextIsRefused) {
  const Bytes encrypted = *EncryptValue(CountingKey(), kContext, ValueOf("v"));
  EXPECT_EQ(DecryptValue(CountingKey(1), kContext, encrypted).error().code, Code::kIntegrity);
  EXPECT_EQ(DecryptValue(CountingKey(), AsBytes("Context"), encrypted).error().code, Code::kIntegrity);
  EXPECT_EQ(DecryptValue(CountingKey(), {}, encrypted).error().code, Code::kIntegrity);
}

TEST(AeadTest, RefusesOtherSizes) {
  const SecretValue large = ValueOf(std::string(kMaxSecretBytes + 1, 'v'));
  EXPECT_EQ(EncryptValue(CountingKey(), kContext, large).error().code, Code::kInvalid);
  EXPECT_EQ(EncryptValue(SecretOf("short"), kContext, ValueOf("v")).error().code, Code::kInvalid);
  EXPECT_EQ(DecryptValue(SecretOf("short"), kContext, Bytes(100, 1)).error().code, Code::kInvalid);
  EXPECT_EQ(DecryptValue(CountingKey(), kContext, Bytes(kAeadOverhead + kMaxSecretBytes + 1, 1)).error().code,
            Code::kInvalid);
}

// BLAKE2b-256 keyed with 00 01 .. 1f; computed independently.
TEST(CommitToKeyTest, KnownAnswer) {
  EXPECT_EQ(CommitToKey(CountingKey(), kContext)->Hex(),
            "08a51357aa084d5192f75893d4200d0bf9ff8d2b9b909e763d37ea7022336a75");
}

TEST(CommitToKeyTest, BindsKeyAndContext) {
  EXPECT_NE(*CommitToKey(CountingKey(), kContext), *CommitToKey(CountingKey(1), kContext));
  EXPECT_NE(*CommitToKey(CountingKey(), kContext), *CommitToKey(CountingKey(), {}));
  EXPECT_EQ(CommitToKey(SecretOf("short"), kContext).error().code, Code::kInvalid);
}

}  // namespace
}  // namespace grantfs

#include "grantfs/crypto/keys.h"

#include <gtest/gtest.h>

#include "test_secret.h"

namespace grantfs {
namespace {

constexpr const char* kRfc8032Seed = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
constexpr const char* kRfc8032Public = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
constexpr const char* kRfc7748Private = "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a";
constexpr const char* kRfc7748Public = "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a";

// RFC 8032 section 7.1, test 1.
TEST(SigningKeyTest, KnownAnswer) {
  const auto key = SigningKey::FromSeed(SecretOf(Unhex(kRfc8032Seed)));
  ASSERT_TRUE(key);
  EXPECT_EQ(key->verify_key().Hex(), kRfc8032Public);
  EXPECT_EQ(HexEncode(key->Sign({}).bytes),
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
            "d25bf5f0"
            "595bbe24655141438e7a100b");
  EXPECT_EQ(HexOf(*key->Seed()), kRfc8032Seed);
}

TEST(SigningKeyTest, VerifiesItsOwnAndNothingElse) {
  const auto key = SigningKey::Generate();
  const auto other = SigningKey::Generate();
  ASSERT_TRUE(key && other);
  const ByteView message = AsBytes("statement");
  const Signature signature = key->Sign(message);
  EXPECT_TRUE(Verify(key->verify_key(), message, signature));
  EXPECT_FALSE(Verify(key->verify_key(), AsBytes("statemenT"), signature));
  EXPECT_FALSE(Verify(other->verify_key(), message, signature));
  for (std::size_t bit = 0; bit < 512; ++bit) {
    Signature bad = signature;
    bad.bytes[bit / 8] ^= static_cast<std::uint8_t>(1u << (bit % 8));
    ASSERT_FALSE(Verify(key->verify_key(), message, bad)) << "bit " << bit;
  }
}

TEST(SigningKeyTest, RefusesAKeyOfSmallOrder) {
  // Under the neutral element a signature of zeros over anything would verify.
  VerifyKey neutral;
  neutral.bytes[0] = 1;
  Signature zero;
  zero.bytes[0] = 1;
  EXPECT_FALSE(Verify(neutral, AsBytes("anything"), zero));
}

TEST(SigningKeyTest, RefusesSeedsOfOtherSizes) {
  for (const std::size_t size : {0u, 31u, 33u, 64u}) {
    EXPECT_EQ(SigningKey::FromSeed(*SecretMemory::Allocate(size)).error().code, Code::kInvalid);
    EXPECT_EQ(UnsealKey::FromSeed(*SecretMemory::Allocate(size)).error().code, Code::kInvalid);
    EXPECT_EQ(UnsealKey::FromPrivate(*SecretMemory::Allocate(size)).error().code, Code::kInvalid);
  }
}

TEST(SigningKeyDeathTest, AbortsWhenUsedAfterAMove) {
  SigningKey key = *SigningKey::Generate();
  const SigningKey moved = std::move(key);
  EXPECT_DEATH((void)key.Sign(AsBytes("x")), "");
}

TEST(PublicKeyTest, ReadsItsOwnHexAndNothingElse) {
  EXPECT_EQ(VerifyKey::FromHex(kRfc8032Public)->Hex(), kRfc8032Public);
  EXPECT_EQ(SealKey::FromHex(kRfc7748Public)->Hex(), kRfc7748Public);
  for (const std::string& bad :
       {std::string(), std::string(62, '0'), std::string(66, '0'), std::string(64, 'A')}) {
    EXPECT_FALSE(VerifyKey::FromHex(bad)) << bad;
    EXPECT_FALSE(SealKey::FromHex(bad)) << bad;
  }
}

// RFC 7748 section 6.1.
TEST(UnsealKeyTest, PublicHalfKnownAnswer) {
  const auto key = UnsealKey::FromPrivate(SecretOf(Unhex(kRfc7748Private)));
  ASSERT_TRUE(key);
  EXPECT_EQ(key->seal_key().Hex(), kRfc7748Public);
}

TEST(UnsealKeyTest, SameSeedSamePair) {
  const auto one = UnsealKey::FromSeed(CountingKey());
  const auto two = UnsealKey::FromSeed(CountingKey());
  const auto third = UnsealKey::FromPrivate(*one->private_bytes().Clone());
  EXPECT_EQ(one->seal_key(), two->seal_key());
  EXPECT_EQ(one->seal_key(), third->seal_key());
  EXPECT_NE(one->seal_key(), UnsealKey::FromSeed(CountingKey(1))->seal_key());
}

TEST(SealTest, OpensForItsOwnerOnly) {
  const auto owner = UnsealKey::Generate();
  const auto other = UnsealKey::Generate();
  for (const std::size_t size : {0u, 1u, 32u, 70'000u}) {
    const SecretMemory content = SecretOf(std::string(size, 's'));
    const auto sealed = Seal(owner->seal_key(), content);
    ASSERT_TRUE(sealed);
    EXPECT_EQ(sealed->size(), size + kSealOverhead);
    const auto opened = owner->Open(*sealed);
    ASSERT_TRUE(opened) << Describe(opened.error());
    EXPECT_TRUE(opened->Equals(content));
    EXPECT_EQ(other->Open(*sealed).error().code, Code::kIntegrity);
  }
  EXPECT_NE(*Seal(owner->seal_key(), CountingKey()), *Seal(owner->seal_key(), CountingKey()));
}

TEST(SealTest, EveryFlippedBitAndEveryTruncationIsRefused) {
  const auto owner = UnsealKey::Generate();
  const Bytes sealed = *Seal(owner->seal_key(), SecretOf("key"));
  for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
    Bytes bad = sealed;
    bad[bit / 8] ^= static_cast<std::uint8_t>(1u << (bit % 8));
    const auto opened = owner->Open(bad);
    ASSERT_FALSE(opened) << "bit " << bit;
    // The top bit of an X25519 key is ignored, but the nonce is a hash that covers it.
    ASSERT_EQ(opened.error().code, bit < 8 ? Code::kUnsupported : Code::kIntegrity) << "bit " << bit;
  }
  for (std::size_t size = 0; size < sealed.size(); ++size) {
    EXPECT_FALSE(owner->Open(ByteView(sealed).first(size))) << size;
  }
}

TEST(SealTest, RefusesKeysOfSmallOrder) {
  for (const char* point : {"0000000000000000000000000000000000000000000000000000000000000000",
                            "0100000000000000000000000000000000000000000000000000000000000000",
                            "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
                            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"}) {
    const auto sealed = Seal(*SealKey::FromHex(point), CountingKey());
    ASSERT_FALSE(sealed) << point;
    EXPECT_EQ(sealed.error().code, Code::kInvalid);
  }
}

// BLAKE2b with salt and personalisation, as crypto_kdf defines it; computed independently.
TEST(DeriveKeyTest, KnownAnswers) {
  EXPECT_EQ(HexOf(*DeriveKey(CountingKey(), 1, "grantfs1")),
            "df8833ce95226bbcd2a3dd08b60ba57500bf72eeee8ee9e0a1bbd550ecc7bb8e");
  EXPECT_EQ(HexOf(*DeriveKey(CountingKey(), 2, "grantfs1")),
            "4757f06b3de714cd03f9ffbce68e79c97a0ab187ae6bf966fae9ff877067096d");
  EXPECT_EQ(DeriveKey(CountingKey(), 1, "grantfs1", 64)->size(), 64u);
}

TEST(DeriveKeyTest, RefusesOtherSizes) {
  EXPECT_EQ(DeriveKey(SecretOf("short"), 1, "grantfs1").error().code, Code::kInvalid);
  EXPECT_EQ(DeriveKey(CountingKey(), 1, "grantfs").error().code, Code::kInvalid);
  EXPECT_EQ(DeriveKey(CountingKey(), 1, "grantfs12").error().code, Code::kInvalid);
  EXPECT_EQ(DeriveKey(CountingKey(), 1, "grantfs1", 15).error().code, Code::kInvalid);
  EXPECT_EQ(DeriveKey(CountingKey(), 1, "grantfs1", 65).error().code, Code::kInvalid);
}

TEST(RandomKeyTest, NeverRepeats) {
  const auto one = RandomKey();
  EXPECT_EQ(one->size(), 32u);
  EXPECT_FALSE(one->Equals(*RandomKey()));
  EXPECT_NE(SigningKey::Generate()->verify_key(), SigningKey::Generate()->verify_key());
}

}  // namespace
}  // namespace grantfs

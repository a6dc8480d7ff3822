#include "grantfs/crypto/passphrase.h"

#include <gtest/gtest.h>

#include "test_secret.h"

namespace grantfs {
namespace {

constexpr PassphraseCost kCheap{1, kMinPassphraseMemoryKib};

PassphraseSalt SaltOf(std::string_view hex) {
  PassphraseSalt salt;
  const Bytes bytes = Unhex(hex);
  std::copy(bytes.begin(), bytes.end(), salt.begin());
  return salt;
}

// Made with the reference implementation of Argon2 (phc-winner-argon2 20190702).
TEST(PassphraseTest, IsStretchedAsTheReferenceImplementationDoes) {
  const auto stretched = [](std::string_view text, std::string_view salt, PassphraseCost cost,
                            std::size_t size) {
    return HexOf(*StretchPassphrase(SecretOf(text), SaltOf(salt), cost, size));
  };
  EXPECT_EQ(stretched("correct horse battery staple", "000102030405060708090a0b0c0d0e0f", {3, 8192}, 32),
            "947312f62e4ac86f63c9b622f147b0061846739f53dd00f2d2236cd03db413ac");
  EXPECT_EQ(stretched("", "ffffffffffffffffffffffffffffffff", {1, 8192}, 32),
            "d8b38a8f8ac6c3cfd8ffdc72db3e2748fbfac59c193765f42fc08671578f4229");
  EXPECT_EQ(stretched("p\xc3\xa4sswort", "6772616e7466732d7465737473616c74", {2, 65536}, 64),
            "ca34bf2a69f59b439cf3fd3675026ef96414cff0989a874e9465df03a653ed5ea1d8219419cbe92601540709d29f6321"
            "2b2265ba975a"
            "c51cd91533e63effb195");
}

TEST(PassphraseTest, AKeyComesBackUnderItsPassphraseAlone) {
  const SecretMemory key = CountingKey(7);
  const Bytes made = *ProtectKey(key, SecretOf("a good passphrase"), kCheap);
  EXPECT_EQ(made.size(), kProtectedKeyBytes);
  EXPECT_TRUE(IsProtectedKey(made));
  EXPECT_TRUE(UnprotectKey(made, SecretOf("a good passphrase"))->Equals(key));
  for (const char* wrong : {"a good passphras", "a good passphrase ", "A good passphrase", ""})
    EXPECT_EQ(UnprotectKey(made, SecretOf(wrong)).error().code, Code::kDenied) << wrong;
  EXPECT_NE(*ProtectKey(key, SecretOf("a good passphrase"), kCheap), made) << "a salt of its own";
}

TEST(PassphraseTest, EveryByteCounts) {
  const Bytes made = *ProtectKey(CountingKey(), SecretOf("a good passphrase"), kCheap);
  for (std::size_t i = 0; i < made.size(); ++i) {
    if (i >= 8 && i < 16) continue;  // how much work it is: below
    Bytes altered = made;
    altered[i] ^= 1;
    EXPECT_FALSE(UnprotectKey(altered, SecretOf("a good passphrase"))) << i;
  }
  for (const std::size_t size : {std::size_t{0}, std::size_t{32}, made.size() - 1}) {
    EXPECT_FALSE(IsProtectedKey(ByteView(made).first(size)));
    EXPECT_EQ(UnprotectKey(ByteView(made).first(size), SecretOf("a good passphrase")).error().code,
              Code::kInvalid);
  }
}

TEST(PassphraseTest, AFileCannotAskForAllMemoryOrNone) {
  const Bytes made = *ProtectKey(CountingKey(), SecretOf("a good passphrase"), kCheap);
  const auto with = [&](std::size_t at, std::uint32_t number) {
    Bytes altered = made;
    for (std::size_t i = 0; i < 4; ++i) altered[at + i] = static_cast<std::uint8_t>(number >> (24 - 8 * i));
    return UnprotectKey(altered, SecretOf("a good passphrase")).error().code;
  };
  EXPECT_EQ(with(8, 0), Code::kUnsupported);
  EXPECT_EQ(with(8, kMaxPassphrasePasses + 1), Code::kUnsupported);
  EXPECT_EQ(with(8, 0xffffffff), Code::kUnsupported);
  EXPECT_EQ(with(12, 0xffffffff), Code::kUnsupported);
  EXPECT_EQ(with(12, kMaxPassphraseMemoryKib + 1), Code::kUnsupported);
  EXPECT_EQ(with(12, kMinPassphraseMemoryKib - 1), Code::kUnsupported);
  EXPECT_EQ(with(8, 2), Code::kDenied) << "within the bounds, and not what was written";
}

TEST(PassphraseTest, HasBounds) {
  EXPECT_EQ(ProtectKey(CountingKey(), SecretOf("seven77"), kCheap).error().code, Code::kInvalid);
  EXPECT_EQ(ProtectKey(CountingKey(), SecretOf(std::string(1025, 'x')), kCheap).error().code, Code::kInvalid);
  EXPECT_TRUE(ProtectKey(CountingKey(), SecretOf(std::string(1024, 'x')), kCheap));
  EXPECT_EQ(ProtectKey(SecretOf("short"), SecretOf("a good passphrase"), kCheap).error().code,
            Code::kInvalid);
}

}  // namespace
}  // namespace grantfs

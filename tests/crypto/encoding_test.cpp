#include "grantfs/crypto/encoding.h"

#include <gtest/gtest.h>

#include "grantfs/crypto/random.h"

namespace grantfs {
namespace {

TEST(HexTest, WritesAndReadsLowerCase) {
  EXPECT_EQ(HexEncode(Bytes{0x00, 0x1f, 0xff}), "001fff");
  EXPECT_EQ(*HexDecode("001fff", 3), (Bytes{0x00, 0x1f, 0xff}));
  EXPECT_EQ(*HexDecode("", 0), Bytes{});
}

TEST(HexTest, RefusesEveryOtherForm) {
  for (const char* bad : {"0", "0F", "0g", "0x", " 0", "0\n", "001fff00"}) {
    const auto result = HexDecode(bad, 3);
    ASSERT_FALSE(result) << bad;
    EXPECT_EQ(result.error().code, Code::kInvalid) << bad;
  }
  EXPECT_FALSE(HexDecode(std::string_view("0\0", 2), 3));
}

// RFC 4648 section 10.
TEST(Base64Test, KnownAnswers) {
  const std::pair<const char*, const char*> answers[] = {{"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, encoded] : answers) {
    EXPECT_EQ(Base64Encode(AsBytes(plain)), encoded);
    EXPECT_EQ(*Base64Decode(encoded, 6), ToBytes(AsBytes(plain)));
    std::string unpadded = encoded;
    std::erase(unpadded, '=');
    EXPECT_EQ(Base64UrlEncode(AsBytes(plain)), unpadded);
    EXPECT_EQ(*Base64UrlDecode(unpadded, 6), ToBytes(AsBytes(plain)));
  }
  EXPECT_EQ(Base64Encode(Bytes{0xfb, 0xff, 0xfe}), "+//+");
  EXPECT_EQ(Base64UrlEncode(Bytes{0xfb, 0xff, 0xfe}), "-__-");
}

TEST(Base64Test, RefusesWhatIsNotCanonical) {
  for (const char* bad : {"Zg", "Zg=", "Zh==", "Zm9=", "Zg== ", "Z g=", "Zg==Zg==", "====", "A===", "=",
                          "==", "Zm9v\n", "Zm9v====", "Zm-v", "Zm_v", "Z=g=", "Zm9\x80"}) {
    EXPECT_FALSE(Base64Decode(bad, 64)) << bad;
  }
  for (const char* bad : {"Zg==", "Z", "Zh", "Zm9", "Zm8=", "Zm+v", "Zm/v", "Zm9vY"}) {
    EXPECT_FALSE(Base64UrlDecode(bad, 64)) << bad;
  }
}

TEST(Base64Test, EveryTextHasOneFormOnly) {
  // All two- and three-digit tails: what decodes encodes back to the same text.
  const std::string digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=- ";
  int accepted = 0;
  for (const char a : digits) {
    for (const char b : digits) {
      for (const char c : digits) {
        const std::string text = {'Z', a, b, c};
        const auto bytes = Base64Decode(text, 3);
        if (!bytes) continue;
        ++accepted;
        ASSERT_EQ(Base64Encode(*bytes), text);
      }
    }
  }
  EXPECT_EQ(accepted, 64 * 64 * 64 + 64 * 16 + 4);
}

TEST(Base64Test, HoldsTheBoundAndLargeInput) {
  const Bytes large = RandomBytes(1'100'001);
  EXPECT_EQ(*Base64Decode(Base64Encode(large), large.size()), large);
  EXPECT_EQ(*Base64UrlDecode(Base64UrlEncode(large), large.size()), large);
  EXPECT_FALSE(Base64Decode(Base64Encode(large), large.size() - 1));
  EXPECT_FALSE(Base64UrlDecode(Base64UrlEncode(large), large.size() - 1));
}

}  // namespace
}  // namespace grantfs

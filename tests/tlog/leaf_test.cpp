#include "grantfs/tlog/leaf.h"

#include <gtest/gtest.h>

#include "grantfs/crypto/merkle.h"
#include "grantfs/tlog/tree.h"

namespace grantfs {
namespace {

// Made with another implementation of SHA-256.
constexpr char kKnownLine[] =
    "grantfs-audit-leaf-v1 41 1700000000123 notice secret.read "
    "27d8bf413ca8bdd57877a604d184b230da305c2e0b3816f34d5cf9bed9f80ae3";

Bytes CountingSalt() {
  Bytes salt(kBodySaltBytes);
  for (std::size_t i = 0; i < salt.size(); ++i) salt[i] = static_cast<std::uint8_t>(i);
  return salt;
}

LeafHeader KnownHeader() {
  return {41, 1'700'000'000'123, AuditSeverity::kNotice, "secret.read",
          *SaltedBodyHash(CountingSalt(), AsBytes(R"({"actor":"web-1"})"))};
}

TEST(LeafTest, KnownAnswer) {
  const auto leaf = EncodeLeaf(KnownHeader());
  ASSERT_TRUE(leaf);
  EXPECT_EQ(AsText(*leaf), kKnownLine);
  EXPECT_EQ(MerkleLeafHash(*leaf).Hex(), "2a9131e7a92795ca4e6c818c94e59ca0ac85b5b87453b48d15f06b32219da4a9");
  const auto parsed = ParseLeaf(*leaf);
  ASSERT_TRUE(parsed) << Describe(parsed.error());
  EXPECT_EQ(*parsed, KnownHeader());
}

TEST(LeafTest, ReadsWhatItWritesAtTheEndsOfTheRange) {
  for (const LeafHeader& header :
       {LeafHeader{0, 0, AuditSeverity::kInfo, "a", Hash{}},
        LeafHeader{kMaxTreeSize - 1, kMaxLeafTimeMs, AuditSeverity::kCritical, std::string(64, 'z'), Hash{}},
        LeafHeader{1, 1, AuditSeverity::kWarning, "-.9", Hash{}}}) {
    const auto leaf = EncodeLeaf(header);
    ASSERT_TRUE(leaf) << header.type;
    EXPECT_EQ(*ParseLeaf(*leaf), header);
  }
}

TEST(LeafTest, WritesNothingThatCannotBeRead) {
  const auto refused = [](auto change) {
    LeafHeader header = KnownHeader();
    change(header);
    const auto leaf = EncodeLeaf(header);
    return !leaf && leaf.error().code == Code::kInvalid;
  };
  EXPECT_TRUE(refused([](LeafHeader& h) { h.sequence = kMaxTreeSize; }));
  EXPECT_TRUE(refused([](LeafHeader& h) { h.time_ms = -1; }));
  EXPECT_TRUE(refused([](LeafHeader& h) { h.time_ms = kMaxLeafTimeMs + 1; }));
  for (const std::string& type :
       {std::string(), std::string(65, 'a'), std::string("a b"), std::string("Secret"), std::string("a\n"),
        std::string("a_b"), std::string("\xC3\xBC")}) {
    EXPECT_TRUE(refused([&](LeafHeader& h) { h.type = type; })) << type;
    EXPECT_FALSE(IsAuditType(type)) << type;
  }
}

TEST(LeafTest, RefusesEveryOtherForm) {
  const std::string good = kKnownLine;
  const auto with = [&](std::string_view from, std::string_view to) {
    std::string text = good;
    const auto at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
  };
  for (const std::string& bad : {std::string(),
                                 good + "\n",
                                 good + " ",
                                 " " + good,
                                 good + " x",
                                 good.substr(0, good.size() - 2),
                                 good + "00",
                                 with("leaf-v1", "leaf-v2"),
                                 with(" 41 ", " 041 "),
                                 with(" 41 ", " +41 "),
                                 with(" 41 ", " -1 "),
                                 with(" 41 ", "  "),
                                 with(" 41 ", " 9223372036854775807 "),
                                 with("1700000000123", "253402300800000"),
                                 with("1700000000123", "1.5"),
                                 with("notice", "Notice"),
                                 with("notice", "debug"),
                                 with("notice", ""),
                                 with("secret.read", "secret_read"),
                                 with("secret.read", ""),
                                 with("27d8", "27D8"),
                                 with(" 41 ", "\t41 "),
                                 with(" 41 ", "  41 "),
                                 std::string(100'000, ' ')}) {
    const auto parsed = ParseLeaf(AsBytes(bad));
    ASSERT_FALSE(parsed) << bad;
    EXPECT_EQ(parsed.error().code, Code::kInvalid);
  }
}

TEST(LeafTest, EveryChangedByteIsRefusedOrReadsAsAnotherHeader) {
  const std::string good = kKnownLine;
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (int byte = 0; byte < 256; ++byte) {
      std::string other = good;
      other[at] = static_cast<char>(byte);
      if (other == good) continue;
      const auto parsed = ParseLeaf(AsBytes(other));
      if (!parsed) continue;
      ASSERT_NE(*parsed, KnownHeader()) << other;
      ASSERT_EQ(AsText(*EncodeLeaf(*parsed)), other);
    }
  }
}

TEST(SeverityTest, NamesReadBack) {
  for (const auto severity :
       {AuditSeverity::kInfo, AuditSeverity::kNotice, AuditSeverity::kWarning, AuditSeverity::kCritical}) {
    EXPECT_EQ(*ParseAuditSeverity(AuditSeverityName(severity)), severity);
  }
  EXPECT_FALSE(ParseAuditSeverity(""));
  EXPECT_FALSE(ParseAuditSeverity("INFO"));
}

TEST(SaltedBodyHashTest, BindsSaltAndBody) {
  const Bytes salt = CountingSalt();
  Bytes other_salt = salt;
  other_salt[15] ^= 1;
  const auto hash = SaltedBodyHash(salt, AsBytes("body"));
  ASSERT_TRUE(hash);
  EXPECT_NE(*hash, *SaltedBodyHash(other_salt, AsBytes("body")));
  EXPECT_NE(*hash, *SaltedBodyHash(salt, AsBytes("bodY")));
  EXPECT_FALSE(SaltedBodyHash(ByteView(salt).first(15), AsBytes("body")));
  EXPECT_FALSE(SaltedBodyHash({}, AsBytes("body")));
}

}  // namespace
}  // namespace grantfs

#include "grantfs/tlog/checkpoint.h"

#include <gtest/gtest.h>

#include "../../src/tlog/note_internal.h"
#include "grantfs/crypto/encoding.h"
#include "grantfs/crypto/merkle.h"
#include "grantfs/tlog/tree.h"

namespace grantfs {
namespace {

constexpr char kOrigin[] = "vault.lan/0123abcd";
// Made with another implementation of Ed25519 and SHA-256.
constexpr char kSigned[] =
    "vault.lan/0123abcd\n1234567\nSBNJTRN+FjG7owHVrKtue7eqdM4RhdRWVl71HXN2d7I=\n\n"
    "\xE2\x80\x94 vault.lan/0123abcd "
    "RC9ZxeqKFmDy75WcikNlxCwUCt/Q0gJqkwOqFuK0TzGJOAGHU49mr/MgUY+IQRk7XIErL7B+kImTFAIAtOgQntijKgU=\n";
constexpr char kVerifier[] = "vault.lan/0123abcd+442f59c5+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4";
// What a witness adds: a line under a key that we do not know.
constexpr char kWitness[] =
    "\xE2\x80\x94 sum.golang.org "
    "Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n";

SigningKey CountingSigningKey() {
  SecretMemory seed = *SecretMemory::Allocate(32);
  std::uint8_t next = 0;
  for (std::uint8_t& byte : seed.Expose()) byte = next++;
  return *SigningKey::FromSeed(seed);
}

const SigningKey& Key() {
  static const SigningKey key = CountingSigningKey();
  return key;
}

Checkpoint KnownCheckpoint() { return {kOrigin, 1234567, Sha256({AsBytes("root")})}; }

Result<Checkpoint> Open(std::string_view text) { return OpenCheckpoint(text, Key().verify_key(), kOrigin); }

// A note with this text, rightly signed, and what comes of opening it.
Result<Checkpoint> OpenSigned(std::string_view text) { return Open(SignNote(Key(), kOrigin, text)); }

std::string Replaced(std::string text, std::string_view from, std::string_view to) {
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(CheckpointTest, WithoutStrangersSignaturesItIsTheSame) {
  EXPECT_EQ(*StripCheckpoint(std::string(kSigned) + kWitness, Key().verify_key(), kOrigin), kSigned);
  EXPECT_EQ(*StripCheckpoint(kSigned, Key().verify_key(), kOrigin), kSigned);
  EXPECT_FALSE(StripCheckpoint(kSigned, Key().verify_key(), "another.log"));
}

// Test data of Go's package for such notes.
TEST(NoteTest, OpensANoteOfAnotherImplementation) {
  const auto log = ParseVerifierKey("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW");
  ASSERT_TRUE(log) << Describe(log.error());
  const std::string text =
      "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
  const std::string note =
      text +
      "\n\xE2\x80\x94 PeterNeumann "
      "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
  const auto opened = OpenNote(note, log->origin, log->key);
  ASSERT_TRUE(opened) << Describe(opened.error());
  EXPECT_EQ(*opened, text);
}

// A tree head of Go's checksum database: its name for the log differs from that of the key, as ours never
// does.
TEST(NoteTest, OpensATreeHeadOfAPublicLog) {
  const auto log = ParseVerifierKey("sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8");
  ASSERT_TRUE(log);
  const std::string text = "go.sum database tree\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
  EXPECT_TRUE(OpenNote(text + "\n" + kWitness, log->origin, log->key));
  EXPECT_FALSE(OpenCheckpoint(text + "\n" + kWitness, log->key, log->origin));
}

TEST(NoteTest, ATextMayHaveEmptyLines) {
  const std::string text = "first\n\nthird\n\n\nlast\n";
  const std::string note = SignNote(Key(), "name", text) + kWitness;
  const auto opened = OpenNote(note, "name", Key().verify_key());
  ASSERT_TRUE(opened) << Describe(opened.error());
  EXPECT_EQ(*opened, text);
}

TEST(CheckpointTest, KnownAnswer) {
  EXPECT_EQ(*SignCheckpoint(Key(), KnownCheckpoint()), kSigned);
  const auto opened = Open(kSigned);
  ASSERT_TRUE(opened) << Describe(opened.error());
  EXPECT_EQ(*opened, KnownCheckpoint());
  EXPECT_EQ(VerifierKeyText(kOrigin, Key().verify_key()), kVerifier);
}

TEST(CheckpointTest, OpensWhatItSignsAtTheEndsOfTheRange) {
  for (const Checkpoint& checkpoint :
       {Checkpoint{kOrigin, 0, MerkleRoot({})}, Checkpoint{kOrigin, kMaxTreeSize, Hash{}},
        Checkpoint{kOrigin, 1, Hash{}}}) {
    const auto text = SignCheckpoint(Key(), checkpoint);
    ASSERT_TRUE(text) << checkpoint.size;
    EXPECT_EQ(*Open(*text), checkpoint);
  }
}

TEST(CheckpointTest, EveryChangedByteIsRefused) {
  const std::string good = kSigned;
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (const int flip : {1, 2, 32}) {
      std::string bad = good;
      bad[at] = static_cast<char>(bad[at] ^ flip);
      EXPECT_FALSE(Open(bad)) << "byte " << at << " of " << bad;
    }
  }
  for (std::size_t size = 0; size < good.size(); ++size) EXPECT_FALSE(Open(good.substr(0, size))) << size;
}

TEST(CheckpointTest, AnotherKeyOrLogIsRefused) {
  const SigningKey other = *SigningKey::Generate();
  const auto by_other = Open(*SignCheckpoint(other, KnownCheckpoint()));
  ASSERT_FALSE(by_other);
  EXPECT_EQ(by_other.error().code, Code::kIntegrity);
  const auto of_other = Open(*SignCheckpoint(Key(), {"vault.lan/other", 1, Hash{}}));
  ASSERT_FALSE(of_other);
  EXPECT_EQ(of_other.error().code, Code::kIntegrity);
  // The right key's name over the text of another log.
  const auto borrowed = OpenSigned("vault.lan/other\n1\nSBNJTRN+FjG7owHVrKtue7eqdM4RhdRWVl71HXN2d7I=\n");
  ASSERT_FALSE(borrowed);
  EXPECT_EQ(borrowed.error().code, Code::kIntegrity);
}

TEST(CheckpointTest, SignaturesOfOtherKeysAreIgnored) {
  const std::string line = std::string(kSigned).substr(std::string(kSigned).find("\n\n") + 2);
  const std::string text = std::string(kSigned).substr(0, std::string(kSigned).find("\n\n") + 2);
  // Our name with another key id, and our key id with another name.
  const std::string same_name = Replaced(kWitness, "sum.golang.org", kOrigin);
  const std::string same_id = Replaced(line, kOrigin, "vault.lan/other");
  EXPECT_TRUE(Open(text + line + kWitness));
  EXPECT_TRUE(Open(text + kWitness + same_name + same_id + line));
  EXPECT_EQ(Open(text + kWitness).error().code, Code::kIntegrity);
  EXPECT_EQ(Open(text + same_name + same_id).error().code, Code::kIntegrity);
}

TEST(CheckpointTest, AWrongSignatureOfOursIsNeverExcusedByAGoodOne) {
  const std::string wrong = SignNote(Key(), kOrigin, "other text\n").substr(sizeof "other text\n");
  EXPECT_EQ(Open(kSigned + wrong).error().code, Code::kIntegrity);
  const NoteKeyId id = MakeNoteKeyId(kOrigin, Key().verify_key());
  Bytes shortened(id.begin(), id.end());
  shortened.resize(20);
  EXPECT_EQ(Open(std::string(kSigned) + "\xE2\x80\x94 " + kOrigin + " " + Base64Encode(shortened) + "\n")
                .error()
                .code,
            Code::kIntegrity);
}

TEST(CheckpointTest, HoldsTheBoundsOfSignaturesAndBytes) {
  std::string text = kSigned;
  for (int i = 0; i < 15; ++i) text += kWitness;
  EXPECT_TRUE(Open(text));
  EXPECT_EQ(Open(text + kWitness).error().code, Code::kInvalid);
  EXPECT_EQ(Open(kSigned + std::string(kMaxCheckpointBytes, '\n')).error().code, Code::kInvalid);
}

TEST(CheckpointTest, RefusesMalformedSignatureLines) {
  for (const char* line : {"\n", "x\n", "- vault.lan YWJjZGU=\n", "\xE2\x80\x94 vault.lan\n",
                           "\xE2\x80\x94  YWJjZGU=\n", "\xE2\x80\x94 vault.lan YWJjZA==\n",
                           "\xE2\x80\x94 vault.lan YWJjZGU\n", "\xE2\x80\x94 vault.lan  YWJjZGU=\n",
                           "\xE2\x80\x94 a+b YWJjZGU=\n", "\xE2\x80\x94 vault.lan YWJjZGU= \n",
                           "\xE2\x80\x94 vault.lan YWJjZGU=", "\xE2\x80\x94 vault.lan YWJjZGU=\r\n",
                           "\xE2\x80\x94 v\xFF YWJjZGU=\n", "\xE2\x80\x94 v\x01 YWJjZGU=\n"}) {
    const auto opened = Open(std::string(kSigned) + line);
    ASSERT_FALSE(opened) << line;
    EXPECT_EQ(opened.error().code, Code::kInvalid) << line;
  }
  EXPECT_TRUE(Open(kSigned + std::string("\xE2\x80\x94 vault.lan YWJjZGU=\n")));
}

TEST(CheckpointTest, RefusesMalformedTextsThoughTheyAreSigned) {
  const std::string root = "SBNJTRN+FjG7owHVrKtue7eqdM4RhdRWVl71HXN2d7I=";
  const std::string origin = kOrigin;
  EXPECT_TRUE(OpenSigned(origin + "\n7\n" + root + "\n"));
  for (const std::string& text :
       {origin + "\n07\n" + root + "\n", origin + "\n+7\n" + root + "\n", origin + "\n-7\n" + root + "\n",
        origin + "\n7 \n" + root + "\n", origin + "\n\n" + root + "\n", origin + "\n0x7\n" + root + "\n",
        origin + "\n9223372036854775808\n" + root + "\n", origin + "\n18446744073709551623\n" + root + "\n",
        origin + "\n0\n" + root + "\n", origin + "\n7\n" + root.substr(4) + "\n",
        origin + "\n7\n" + root + "=\n", origin + "\n7\n" + root + "AAAA\n", origin + "\n7\n\n",
        origin + "\n7\n", origin + "\n7\n" + root + "\nextension\n", origin + "\n7\n" + root + "\n\n",
        "\n" + origin + "\n7\n" + root + "\n", std::string("\n")}) {
    const auto opened = OpenSigned(text);
    ASSERT_FALSE(opened) << text;
    EXPECT_EQ(opened.error().code, Code::kInvalid) << text;
  }
}

TEST(CheckpointTest, SignsNothingThatCannotBeRead) {
  for (const std::string& origin :
       {std::string(), std::string("a b"), std::string("a+b"), std::string("a\nb"), std::string("a\tb"),
        std::string("gr\xC3\xBC"), std::string(256, 'a')}) {
    EXPECT_FALSE(SignCheckpoint(Key(), {origin, 1, Hash{}})) << origin;
    EXPECT_FALSE(IsOrigin(origin)) << origin;
  }
  EXPECT_FALSE(SignCheckpoint(Key(), {kOrigin, kMaxTreeSize + 1, Hash{}}));
  EXPECT_FALSE(SignCheckpoint(Key(), {kOrigin, 0, Hash{}}));
  EXPECT_TRUE(SignCheckpoint(Key(), {std::string(255, 'a'), 1, Hash{}}));
}

TEST(VerifierKeyTest, ReadsItsOwnTextAndNothingElse) {
  const auto log = ParseVerifierKey(kVerifier);
  ASSERT_TRUE(log) << Describe(log.error());
  EXPECT_EQ(log->origin, kOrigin);
  EXPECT_EQ(log->key, Key().verify_key());
  const std::string good = kVerifier;
  for (const std::string& bad :
       {std::string(), good.substr(0, good.size() - 4), good + "AAAA", good + "\n",
        Replaced(good, "442f59c5", "442f59c6"), Replaced(good, "442f59c5", "442F59C5"),
        Replaced(good, "442f59c5+", ""), Replaced(good, "vault.lan", "vault lan"),
        Replaced(good, "+AQ", "+Ag"), good.substr(good.find('+')), std::string("++"), std::string("a+b")}) {
    EXPECT_FALSE(ParseVerifierKey(bad)) << bad;
  }
}

}  // namespace
}  // namespace grantfs

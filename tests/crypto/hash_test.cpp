#include "grantfs/crypto/hash.h"

#include <gtest/gtest.h>

#include "grantfs/crypto/encoding.h"

namespace grantfs {
namespace {

TEST(HashTest, KnownAnswers) {
  const ByteView abc = AsBytes("abc");
  EXPECT_EQ(Blake2b256({abc}).Hex(), "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
  EXPECT_EQ(Blake2b256({}).Hex(), "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8");
  EXPECT_EQ(Sha256({abc}).Hex(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(Sha256({}).Hex(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(HexEncode(Sha512(abc)),
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
            "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
}

TEST(HashTest, PartsAreConcatenated) {
  EXPECT_EQ(Blake2b256({AsBytes("a"), AsBytes(""), AsBytes("bc")}), Blake2b256({AsBytes("abc")}));
  EXPECT_EQ(Sha256({AsBytes("a"), AsBytes(""), AsBytes("bc")}), Sha256({AsBytes("abc")}));
}

TEST(HashTest, ReadsItsOwnHexAndNothingElse) {
  const Hash hash = Sha256({AsBytes("x")});
  EXPECT_EQ(*Hash::FromHex(hash.Hex()), hash);
  EXPECT_EQ(*Hash::FromBytes(hash.View()), hash);
  EXPECT_FALSE(Hash::FromHex(hash.Hex().substr(2)));
  EXPECT_FALSE(Hash::FromHex(hash.Hex() + "00"));
  EXPECT_FALSE(Hash::FromHex(std::string(64, 'A')));
  EXPECT_FALSE(Hash::FromBytes(hash.View().first(31)));
}

TEST(EncodeContextTest, KnownAnswer) {
  EXPECT_EQ(HexEncode(EncodeContext({AsBytes("vault"), AsBytes(""), AsBytes("shop/prod")})),
            "05000000000000007661756c740000000000000000090000000000000073686f702f70726f64");
}

TEST(EncodeContextTest, DifferentListsNeverEncodeAlike) {
  EXPECT_NE(EncodeContext({AsBytes("ab"), AsBytes("c")}), EncodeContext({AsBytes("a"), AsBytes("bc")}));
  EXPECT_NE(EncodeContext({AsBytes("a")}), EncodeContext({AsBytes("a"), AsBytes("")}));
  EXPECT_NE(EncodeContext({}), EncodeContext({AsBytes("")}));
}

}  // namespace
}  // namespace grantfs

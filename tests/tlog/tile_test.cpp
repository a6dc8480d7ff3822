#include "grantfs/tlog/tile.h"

#include <gtest/gtest.h>

#include "grantfs/crypto/merkle.h"
#include "grantfs/util/bytes.h"

namespace grantfs {
namespace {

TEST(TileNameTest, PathsAreThoseOfTheSpecification) {
  EXPECT_EQ((TileName{false, 0, 0, 256}.Path()), "tile/0/000");
  EXPECT_EQ((TileName{false, 1, 1234067, 256}.Path()), "tile/1/x001/x234/067");
  EXPECT_EQ((TileName{false, 2, 5, 17}.Path()), "tile/2/005.p/17");
  EXPECT_EQ((TileName{true, 0, 1000, 1}.Path()), "tile/entries/x001/000.p/1");
  for (const TileName& name : {TileName{false, 0, 0, 256}, TileName{false, 7, 1234067, 255},
                               TileName{true, 0, 999, 1}, TileName{true, 0, 1000000, 256}}) {
    const auto again = TileName::Parse(name.Path());
    ASSERT_TRUE(again) << name.Path();
    EXPECT_EQ(*again, name);
  }
}

TEST(TileNameTest, WhatIsNoPathIsRefused) {
  for (const char* bad : {"",
                          "tile",
                          "tile/0",
                          "tile/0/",
                          "tile/8/000",
                          "tile/00/000",
                          "tile/-1/000",
                          "tile/0/00",
                          "tile/0/0000",
                          "tile/0/x000/001",
                          "tile/0/001/002",
                          "tile/0/x001",
                          "tile/0/000.p",
                          "tile/0/000.p/0",
                          "tile/0/000.p/256",
                          "tile/0/000.p/01",
                          "tile/0/000.p/1/2",
                          "tile/entries",
                          "tile/Entries/000",
                          "tile/0/000/",
                          "/tile/0/000",
                          "tile/0/x00a/000",
                          "checkpoint",
                          "tile/0/x999/x999/x999/x999/x999/x999/x999/999"})
    EXPECT_FALSE(TileName::Parse(bad)) << bad;
}

/// A log of which a prover is given the tiles that it asks for.
class TileProverTest : public ::testing::Test {
 protected:
  static std::vector<Hash> Leaves(std::uint64_t size) {
    std::vector<Hash> leaves;
    for (std::uint64_t i = 0; i < size; ++i) leaves.push_back(MerkleLeafHash(AsBytes(std::to_string(i))));
    return leaves;
  }
  static TileProver Prover(const std::vector<Hash>& leaves, std::size_t* fetched = nullptr) {
    return TileProver(leaves.size(), [&leaves, fetched](const TileName& name) -> Result<std::vector<Hash>> {
      if (fetched != nullptr) ++*fetched;
      std::uint64_t span = 1;
      for (unsigned i = 0; i < name.level; ++i) span *= kTileWidth;
      std::vector<Hash> hashes;
      for (std::uint64_t i = name.number * kTileWidth; hashes.size() < name.width; ++i)
        hashes.push_back(MerkleRoot(std::span(leaves).subspan(i * span, span)));
      return hashes;
    });
  }
};

TEST_F(TileProverTest, ProofsAreThoseOfTheRfc) {
  for (const std::uint64_t size : {1, 2, 3, 7, 8, 255, 256, 257, 300, 512, 777}) {
    const auto leaves = Leaves(size);
    TileProver prover = Prover(leaves);
    for (std::uint64_t leaf = 0; leaf < size; leaf += 1 + size / 40)
      EXPECT_EQ(*prover.Inclusion(leaf), MerkleInclusionProof(leaves, leaf)) << leaf << " of " << size;
    for (std::uint64_t old = 1; old <= size; old += 1 + size / 40)
      EXPECT_EQ(*prover.Consistency(old), MerkleConsistencyProof(leaves, old)) << old << " of " << size;
    EXPECT_FALSE(prover.Inclusion(size));
    EXPECT_FALSE(prover.Consistency(0));
    EXPECT_FALSE(prover.Consistency(size + 1));
  }
}

TEST_F(TileProverTest, ALargeTreeTakesFewTiles) {
  const auto leaves = Leaves(70'000);
  std::size_t fetched = 0;
  TileProver prover = Prover(leaves, &fetched);
  const Hash root = MerkleRoot(leaves);
  EXPECT_TRUE(VerifyInclusion(leaves[4711], 4711, leaves.size(), *prover.Inclusion(4711), root));
  EXPECT_LE(fetched, 5U);
  const Hash old = MerkleRoot(std::span(leaves).first(65'537));
  EXPECT_TRUE(VerifyConsistency(65'537, old, leaves.size(), root, *prover.Consistency(65'537)));
  EXPECT_FALSE(VerifyConsistency(65'537, leaves[0], leaves.size(), root, *prover.Consistency(65'537)));
}

}  // namespace
}  // namespace grantfs

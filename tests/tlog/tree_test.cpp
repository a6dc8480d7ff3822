#include "grantfs/tlog/tree.h"

#include <gtest/gtest.h>

#include <string>

#include "grantfs/crypto/encoding.h"
#include "grantfs/crypto/merkle.h"

namespace grantfs {
namespace {

Hash LeafAt(std::uint64_t index) { return MerkleLeafHash(AsBytes("leaf " + std::to_string(index))); }

CompactTree TreeOf(std::uint64_t size) {
  CompactTree tree;
  for (std::uint64_t i = 0; i < size; ++i) tree.Append(LeafAt(i));
  return tree;
}

Bytes SizeBytes(std::uint64_t size) {
  Bytes bytes;
  for (int shift = 0; shift < 64; shift += 8) bytes.push_back(static_cast<std::uint8_t>(size >> shift));
  return bytes;
}

TEST(CompactTreeTest, HasTheRootOfTheWholeTreeAtEverySize) {
  CompactTree tree;
  std::vector<Hash> leaves;
  for (std::uint64_t size = 0; size <= 300; ++size) {
    ASSERT_EQ(tree.size(), size);
    ASSERT_EQ(tree.Root(), MerkleRoot(leaves)) << size;
    leaves.push_back(LeafAt(size));
    tree.Append(leaves.back());
  }
}

TEST(CompactTreeTest, KnownRoots) {
  CompactTree tree;
  EXPECT_EQ(tree.Root().Hex(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  for (const char* leaf : {"", "00", "10", "2021", "3031"}) tree.Append(MerkleLeafHash(*HexDecode(leaf, 8)));
  EXPECT_EQ(tree.Root().Hex(), "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4");
}

TEST(CompactTreeTest, GoesOnFromItsStoredBytes) {
  for (std::uint64_t size = 0; size <= 40; ++size) {
    const Bytes stored = TreeOf(size).Serialize();
    auto tree = CompactTree::Parse(stored);
    ASSERT_TRUE(tree) << Describe(tree.error());
    EXPECT_EQ(*tree, TreeOf(size));
    EXPECT_EQ(tree->Serialize(), stored);
    for (std::uint64_t i = size; i < size + 9; ++i) tree->Append(LeafAt(i));
    EXPECT_EQ(tree->Root(), TreeOf(size + 9).Root()) << size;
  }
}

TEST(CompactTreeTest, StoredBytesAreTheSizeAndTheSubtreesFromTheLargest) {
  const std::vector<Hash> leaves = {LeafAt(0), LeafAt(1), LeafAt(2)};
  Bytes expected = SizeBytes(3);
  const Hash left = MerkleNodeHash(leaves[0], leaves[1]);
  expected.insert(expected.end(), left.bytes.begin(), left.bytes.end());
  expected.insert(expected.end(), leaves[2].bytes.begin(), leaves[2].bytes.end());
  EXPECT_EQ(TreeOf(3).Serialize(), expected);
}

TEST(CompactTreeTest, RefusesMalformedBytes) {
  const Bytes good = TreeOf(11).Serialize();
  for (std::size_t size = 0; size < good.size(); ++size) {
    EXPECT_FALSE(CompactTree::Parse(ByteView(good).first(size))) << size;
  }
  Bytes longer = good;
  longer.push_back(0);
  EXPECT_FALSE(CompactTree::Parse(longer));
  longer.resize(good.size() + 32);
  EXPECT_FALSE(CompactTree::Parse(longer));
  Bytes too_large = SizeBytes(std::uint64_t{1} << 63);
  too_large.resize(8 + 32);
  EXPECT_FALSE(CompactTree::Parse(too_large));
}

TEST(CompactTreeDeathTest, AbortsWhenFull) {
  Bytes full = SizeBytes(kMaxTreeSize);
  full.resize(8 + 63 * 32);
  auto tree = CompactTree::Parse(full);
  ASSERT_TRUE(tree);
  EXPECT_DEATH(tree->Append(LeafAt(0)), "");
}

}  // namespace
}  // namespace grantfs

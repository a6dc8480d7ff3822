#include "grantfs/crypto/merkle_tree.h"

#include <gtest/gtest.h>

#include <string>

#include "grantfs/crypto/merkle.h"
#include "grantfs/crypto/random.h"

namespace grantfs {
namespace {

Hash NewLeaf() { return MerkleLeafHash(RandomBytes(8)); }

void ExpectSame(const MerkleTree& tree, const std::vector<Hash>& leaves) {
  ASSERT_EQ(tree.size(), leaves.size());
  ASSERT_EQ(tree.Root(), MerkleRoot(leaves)) << leaves.size();
  for (std::size_t i = 0; i < leaves.size(); ++i)
    ASSERT_EQ(tree.InclusionProof(i), MerkleInclusionProof(leaves, i)) << i << " of " << leaves.size();
}

TEST(MerkleTreeTest, GrowsAtItsEndAndShrinksToNothing) {
  MerkleTree tree;
  std::vector<Hash> leaves;
  ExpectSame(tree, leaves);
  for (int i = 0; i < 40; ++i) {
    leaves.push_back(NewLeaf());
    tree.Insert(tree.size(), leaves.back());
    ExpectSame(tree, leaves);
  }
  while (!leaves.empty()) {
    leaves.pop_back();
    tree.Erase(tree.size() - 1);
    ExpectSame(tree, leaves);
  }
}

TEST(MerkleTreeTest, IsAlwaysTheTreeOfItsLeavesHoweverTheyChange) {
  MerkleTree tree;
  std::vector<Hash> leaves;
  for (int step = 0; step < 600; ++step) {
    SCOPED_TRACE(step);
    const std::uint64_t random = RandomNumber();
    const bool grows = leaves.empty() || (step / 40 % 2 == 0 ? random % 4 != 0 : random % 4 == 0);
    const std::size_t at = random / 4 % (leaves.size() + (grows ? 1 : 0));
    const auto place = leaves.begin() + static_cast<std::ptrdiff_t>(at);
    if (grows) {
      tree.Insert(at, *leaves.insert(place, NewLeaf()));
    } else if (random % 2 == 0) {
      tree.Replace(at, *place = NewLeaf());
    } else {
      leaves.erase(place);
      tree.Erase(at);
    }
    ExpectSame(tree, leaves);
  }
  MerkleTree other = tree;
  other.Insert(0, NewLeaf());
  ExpectSame(tree, leaves);  // a copy is one
  tree.Clear();
  ExpectSame(tree, {});
}

}  // namespace
}  // namespace grantfs

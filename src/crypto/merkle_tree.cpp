#include "grantfs/crypto/merkle_tree.h"

#include <algorithm>
#include <bit>
#include <cstdlib>

#include "grantfs/crypto/merkle.h"

namespace grantfs {

/// The whole subtrees in which a leaf from `from` to `to` (exclusive) has changed.
void MerkleTree::HashAgain(std::size_t from, std::size_t to) {
  for (std::size_t level = 1; level < levels_.size() || levels_[level - 1].size() > 1; ++level) {
    if (level == levels_.size()) levels_.emplace_back();
    const std::vector<Hash>& below = levels_[level - 1];
    std::vector<Hash>& nodes = levels_[level];
    nodes.resize(below.size() / 2);
    from /= 2;
    to = std::min((to + 1) / 2, nodes.size());
    for (std::size_t i = from; i < to; ++i) nodes[i] = MerkleNodeHash(below[2 * i], below[2 * i + 1]);
  }
  while (!levels_.empty() && levels_.back().empty()) levels_.pop_back();
}

void MerkleTree::Insert(std::size_t index, const Hash& leaf_hash) {
  if (index > size()) std::abort();
  if (levels_.empty()) levels_.emplace_back();
  levels_[0].insert(levels_[0].begin() + static_cast<std::ptrdiff_t>(index), leaf_hash);
  HashAgain(index, size());
}

void MerkleTree::Replace(std::size_t index, const Hash& leaf_hash) {
  levels_.at(0).at(index) = leaf_hash;
  HashAgain(index, index + 1);
}

void MerkleTree::Erase(std::size_t index) {
  if (index >= size()) std::abort();
  levels_[0].erase(levels_[0].begin() + static_cast<std::ptrdiff_t>(index));
  HashAgain(index, size());
}

// What a tree is split into on its left side is whole, and begins at a multiple of its size.
Hash MerkleTree::RootOf(std::size_t from, std::size_t to) const {
  const std::size_t count = to - from;
  if (count == 0) return MerkleRoot({});
  if (std::has_single_bit(count))
    return levels_[static_cast<std::size_t>(std::countr_zero(count))][from / count];
  const std::size_t split = std::bit_floor(count);
  return MerkleNodeHash(RootOf(from, from + split), RootOf(from + split, to));
}

Hash MerkleTree::Root() const { return RootOf(0, size()); }

std::vector<Hash> MerkleTree::InclusionProof(std::size_t index) const {
  if (index >= size()) std::abort();
  std::vector<Hash> proof;
  std::size_t from = 0;
  for (std::size_t to = size(); to - from > 1;) {
    const std::size_t middle = from + std::bit_floor(to - from - 1);
    const bool left = index < middle;
    proof.push_back(left ? RootOf(middle, to) : RootOf(from, middle));
    (left ? to : from) = middle;
  }
  std::reverse(proof.begin(), proof.end());
  return proof;
}

}  // namespace grantfs

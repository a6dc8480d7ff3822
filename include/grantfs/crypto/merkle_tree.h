#pragma once

#include <cstddef>
#include <vector>

#include "grantfs/crypto/hash.h"

namespace grantfs {

/// The tree of merkle.h, kept with the roots of its whole subtrees: twice the room of its leaves. A leaf that
/// is changed, or added at the end, costs O(log n); one that is put in or taken out costs what is behind it.
/// Threads: none; copy it, or guard it.
class MerkleTree {
 public:
  std::size_t size() const { return levels_.empty() ? 0 : levels_[0].size(); }
  void Clear() { levels_.clear(); }
  /// Before the leaf `index`, or at the end. `index` must not be above the size; below it in the other two.
  void Insert(std::size_t index, const Hash& leaf_hash);
  void Replace(std::size_t index, const Hash& leaf_hash);
  void Erase(std::size_t index);

  /// As MerkleRoot of the leaves.
  Hash Root() const;
  /// As MerkleInclusionProof of the leaves. `index` must be below the size.
  std::vector<Hash> InclusionProof(std::size_t index) const;

 private:
  void HashAgain(std::size_t from, std::size_t to);
  Hash RootOf(std::size_t from, std::size_t to) const;
  std::vector<std::vector<Hash>> levels_;  // [l][i]: of the leaves i * 2^l to (i + 1) * 2^l
};

}  // namespace grantfs

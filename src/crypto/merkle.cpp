#include "grantfs/crypto/merkle.h"

#include <bit>
#include <cstdlib>

namespace grantfs {
namespace {

constexpr std::uint8_t kLeafPrefix[] = {0};
constexpr std::uint8_t kNodePrefix[] = {1};

bool IsOdd(std::uint64_t number) { return (number & 1) != 0; }

// The largest power of two below `size` (RFC 6962's k): how many leaves the left subtree has. `size` >= 2.
std::size_t SplitPoint(std::size_t size) { return std::bit_floor(size - 1); }

// RFC 6962 section 2.1.2, SUBPROOF. `whole`: the verifier knows the root of the old subtree already.
void AppendSubproof(std::span<const Hash> leaves, std::size_t old_size, bool whole,
                    std::vector<Hash>* proof) {
  if (old_size == leaves.size()) {
    if (!whole) proof->push_back(MerkleRoot(leaves));
    return;
  }
  const std::size_t split = SplitPoint(leaves.size());
  if (old_size <= split) {
    AppendSubproof(leaves.first(split), old_size, whole, proof);
    proof->push_back(MerkleRoot(leaves.subspan(split)));
  } else {
    AppendSubproof(leaves.subspan(split), old_size - split, false, proof);
    proof->push_back(MerkleRoot(leaves.first(split)));
  }
}

void AppendPath(std::span<const Hash> leaves, std::size_t index, std::vector<Hash>* proof) {
  if (leaves.size() == 1) return;
  const std::size_t split = SplitPoint(leaves.size());
  if (index < split) {
    AppendPath(leaves.first(split), index, proof);
    proof->push_back(MerkleRoot(leaves.subspan(split)));
  } else {
    AppendPath(leaves.subspan(split), index - split, proof);
    proof->push_back(MerkleRoot(leaves.first(split)));
  }
}

// Where a verifier stands on its way up: a node's position in its level, and that of the level's last node.
struct Climb {
  std::uint64_t node;
  std::uint64_t last;

  void Up() { node >>= 1, last >>= 1; }
  // Which side the next sibling of the proof is on; levels where a right edge has none are climbed over.
  bool TakesLeftSibling() {
    if (!IsOdd(node) && node != last) return false;
    while (!IsOdd(node) && node != 0) Up();
    return true;
  }
};

}  // namespace

Hash MerkleLeafHash(ByteView leaf) { return Sha256({kLeafPrefix, leaf}); }

Hash MerkleNodeHash(const Hash& left, const Hash& right) {
  return Sha256({kNodePrefix, left.View(), right.View()});
}

Hash MerkleRoot(std::span<const Hash> leaf_hashes) {
  if (leaf_hashes.empty()) return Sha256({});
  if (leaf_hashes.size() == 1) return leaf_hashes[0];
  const std::size_t split = SplitPoint(leaf_hashes.size());
  return MerkleNodeHash(MerkleRoot(leaf_hashes.first(split)), MerkleRoot(leaf_hashes.subspan(split)));
}

std::vector<Hash> MerkleInclusionProof(std::span<const Hash> leaf_hashes, std::uint64_t index) {
  if (index >= leaf_hashes.size()) std::abort();
  std::vector<Hash> proof;
  AppendPath(leaf_hashes, index, &proof);
  return proof;
}

bool VerifyInclusion(const Hash& leaf_hash, std::uint64_t index, std::uint64_t size,
                     std::span<const Hash> proof, const Hash& root) {
  if (index >= size) return false;
  Climb climb{index, size - 1};
  Hash hash = leaf_hash;
  for (const Hash& sibling : proof) {
    if (climb.last == 0) return false;
    hash = climb.TakesLeftSibling() ? MerkleNodeHash(sibling, hash) : MerkleNodeHash(hash, sibling);
    climb.Up();
  }
  return climb.last == 0 && hash == root;
}

std::vector<Hash> MerkleConsistencyProof(std::span<const Hash> leaf_hashes, std::uint64_t old_size) {
  if (old_size > leaf_hashes.size()) std::abort();
  std::vector<Hash> proof;
  if (old_size != 0) AppendSubproof(leaf_hashes, old_size, true, &proof);
  return proof;
}

bool VerifyConsistency(std::uint64_t old_size, const Hash& old_root, std::uint64_t new_size,
                       const Hash& new_root, std::span<const Hash> proof) {
  if (old_size > new_size) return false;
  if (old_size == new_size) return proof.empty() && old_root == new_root;
  if (old_size == 0)
    return proof.empty() && old_root == MerkleRoot({});  // everything follows from an empty tree
  // A whole old tree is a node of the new one: then the proof leaves out the root that the verifier knows.
  const bool whole = std::has_single_bit(old_size);
  if (proof.empty()) return false;
  Climb climb{old_size - 1, new_size - 1};
  while (IsOdd(climb.node)) climb.Up();
  Hash old_hash = whole ? old_root : proof[0];
  Hash new_hash = old_hash;
  for (const Hash& sibling : whole ? proof : proof.subspan(1)) {
    if (climb.last == 0) return false;
    if (climb.TakesLeftSibling()) {
      old_hash = MerkleNodeHash(sibling, old_hash);
      new_hash = MerkleNodeHash(sibling, new_hash);
    } else {
      new_hash = MerkleNodeHash(new_hash, sibling);
    }
    climb.Up();
  }
  return climb.last == 0 && old_hash == old_root && new_hash == new_root;
}

}  // namespace grantfs

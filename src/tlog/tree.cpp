#include "grantfs/tlog/tree.h"

#include <bit>
#include <cstdlib>

#include "grantfs/crypto/merkle.h"

namespace grantfs {

void CompactTree::Append(const Hash& leaf_hash) {
  if (size_ == kMaxTreeSize) std::abort();
  Hash hash = leaf_hash;
  // As in a binary counter: two subtrees of one size become one of twice that.
  for (std::uint64_t rest = size_; (rest & 1) != 0; rest >>= 1) {
    hash = MerkleNodeHash(roots_.back(), hash);
    roots_.pop_back();
  }
  roots_.push_back(hash);
  ++size_;
}

Hash CompactTree::Root() const {
  if (roots_.empty()) return MerkleRoot({});
  Hash root = roots_.back();
  for (std::size_t i = roots_.size() - 1; i-- > 0;) root = MerkleNodeHash(roots_[i], root);
  return root;
}

Bytes CompactTree::Serialize() const {
  Bytes bytes;
  bytes.reserve(8 + roots_.size() * 32);
  for (int shift = 0; shift < 64; shift += 8) bytes.push_back(static_cast<std::uint8_t>(size_ >> shift));
  for (const Hash& root : roots_) bytes.insert(bytes.end(), root.bytes.begin(), root.bytes.end());
  return bytes;
}

Result<CompactTree> CompactTree::Parse(ByteView bytes) {
  const Error malformed{Code::kInvalid, "a stored tree is malformed"};
  if (bytes.size() < 8) return malformed;
  CompactTree tree;
  for (std::size_t i = 0; i < 8; ++i) tree.size_ |= std::uint64_t{bytes[i]} << (8 * i);
  const ByteView roots = bytes.subspan(8);
  const auto count = static_cast<std::size_t>(std::popcount(tree.size_));
  if (tree.size_ > kMaxTreeSize || roots.size() != count * 32) return malformed;
  for (std::size_t i = 0; i < count; ++i) {
    tree.roots_.push_back(GRANTFS_TRY(Hash::FromBytes(roots.subspan(i * 32, 32))));
  }
  return tree;
}

}  // namespace grantfs

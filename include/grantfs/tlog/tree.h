#pragma once

#include <cstdint>
#include <vector>

#include "grantfs/crypto/hash.h"
#include "grantfs/util/bytes.h"
#include "grantfs/util/result.h"

namespace grantfs {

/// The most leaves that a log may have.
inline constexpr std::uint64_t kMaxTreeSize = (std::uint64_t{1} << 63) - 1;

/// An append-only RFC 6962 tree that keeps only its right edge: the roots of its whole subtrees, one for each
/// bit that is set in its size. So a log of any length appends in O(log n) and is carried in at most 8 + 63 *
/// 32 bytes. Threads: one at a time.
class CompactTree {
 public:
  /// Adds the leaf with this MerkleLeafHash. Aborts at kMaxTreeSize.
  void Append(const Hash& leaf_hash);
  std::uint64_t size() const { return size_; }
  /// The root that MerkleRoot computes over all the leaves.
  Hash Root() const;

  /// The size (8 bytes, little-endian), then the subtrees' roots, the largest first.
  Bytes Serialize() const;
  /// Accepts exactly what Serialize writes. It cannot tell whether the hashes are the right ones: compare
  /// Root() with a signed checkpoint. Errors: kInvalid.
  static Result<CompactTree> Parse(ByteView bytes);

  bool operator==(const CompactTree&) const = default;

 private:
  std::uint64_t size_ = 0;
  std::vector<Hash> roots_;  // largest subtree first
};

}  // namespace grantfs

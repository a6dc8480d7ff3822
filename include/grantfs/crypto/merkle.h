#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "grantfs/crypto/hash.h"

namespace grantfs {

/// The Merkle tree hash of RFC 6962 section 2.1 (SHA-256, leaves prefixed 0x00, nodes 0x01), as used by the audit log,
/// by a secret's set of grants and by an epoch's sealed copies.
Hash MerkleLeafHash(ByteView leaf);
Hash MerkleNodeHash(const Hash& left, const Hash& right);

/// The root over leaf hashes; the hash of the empty string for none.
Hash MerkleRoot(std::span<const Hash> leaf_hashes);

/// The audit path of leaf `index` (RFC 6962 section 2.1.1). `index` must be below the number of leaves.
std::vector<Hash> MerkleInclusionProof(std::span<const Hash> leaf_hashes, std::uint64_t index);

/// RFC 9162 section 2.1.3.2. True if `leaf_hash` is leaf `index` of the tree of `size` leaves with that root.
bool VerifyInclusion(const Hash& leaf_hash, std::uint64_t index, std::uint64_t size, std::span<const Hash> proof,
                     const Hash& root);

/// The proof that the tree of `old_size` is a prefix of that of all the leaves (RFC 6962 section 2.1.2).
std::vector<Hash> MerkleConsistencyProof(std::span<const Hash> leaf_hashes, std::uint64_t old_size);

/// RFC 9162 section 2.1.4.2.
bool VerifyConsistency(std::uint64_t old_size, const Hash& old_root, std::uint64_t new_size, const Hash& new_root,
                       std::span<const Hash> proof);

}  // namespace grantfs

#include "grantfs/crypto/merkle.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "test_secret.h"

namespace grantfs {
namespace {

constexpr std::uint64_t kMostLeaves = 40;
constexpr std::uint64_t kMostLeavesOfClaims = 17;

// The leaves and roots that implementations of RFC 6962 have in common.
const char* const kLeaves[] = {
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"};
const char* const kRoots[] = {"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
                              "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
                              "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
                              "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
                              "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
                              "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
                              "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
                              "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
                              "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};

std::vector<Hash> KnownLeaves() {
  std::vector<Hash> hashes;
  for (const char* leaf : kLeaves) hashes.push_back(MerkleLeafHash(Unhex(leaf)));
  return hashes;
}

std::vector<Hash> ManyLeaves(std::uint64_t count) {
  std::vector<Hash> hashes;
  for (std::uint64_t i = 0; i < count; ++i)
    hashes.push_back(MerkleLeafHash(AsBytes("leaf " + std::to_string(i))));
  return hashes;
}

std::span<const Hash> First(const std::vector<Hash>& leaves, std::uint64_t size) {
  return std::span(leaves).first(static_cast<std::size_t>(size));
}

// Every proof that differs from `proof` in one place, lacks its end or has one hash more.
std::vector<std::vector<Hash>> Forgeries(const std::vector<Hash>& proof) {
  std::vector<std::vector<Hash>> forged;
  for (std::size_t i = 0; i < proof.size(); ++i) {
    forged.push_back(proof);
    forged.back()[i].bytes[i % 32] ^= 1;
  }
  if (!proof.empty()) {
    forged.emplace_back(proof.begin(), proof.end() - 1);
    forged.emplace_back(proof.begin() + 1, proof.end());
  }
  forged.push_back(proof);
  forged.back().push_back(Hash{});
  forged.push_back(proof);
  forged.back().insert(forged.back().begin(), Hash{});
  return forged;
}

// The verifiers a second time, from the recursive definitions in RFC 6962 instead of the loops in RFC 9162.
// `proof` is eaten from its end, where the topmost sibling stands.
std::uint64_t Split(std::uint64_t size) {
  std::uint64_t split = 1;
  while (split * 2 < size) split *= 2;
  return split;
}

std::optional<Hash> PopBack(std::span<const Hash>* proof) {
  if (proof->empty()) return std::nullopt;
  const Hash last = proof->back();
  *proof = proof->first(proof->size() - 1);
  return last;
}

std::optional<Hash> ReferenceRoot(const Hash& leaf, std::uint64_t index, std::uint64_t size,
                                  std::span<const Hash> proof) {
  if (size == 1) return proof.empty() ? std::optional(leaf) : std::nullopt;
  const auto sibling = PopBack(&proof);
  if (!sibling) return std::nullopt;
  const bool left = index < Split(size);
  const auto inner = left ? ReferenceRoot(leaf, index, Split(size), proof)
                          : ReferenceRoot(leaf, index - Split(size), size - Split(size), proof);
  if (!inner) return std::nullopt;
  return left ? MerkleNodeHash(*inner, *sibling) : MerkleNodeHash(*sibling, *inner);
}

struct OldAndNew {
  Hash old_root, new_root;
};

std::optional<OldAndNew> ReferenceRoots(std::uint64_t old_size, std::uint64_t size, const Hash* known,
                                        std::span<const Hash> proof) {
  if (old_size == size) {
    const auto same = known != nullptr ? std::optional(*known) : PopBack(&proof);
    if (!same || !proof.empty()) return std::nullopt;
    return OldAndNew{*same, *same};
  }
  const auto sibling = PopBack(&proof);
  if (!sibling) return std::nullopt;
  if (old_size <= Split(size)) {
    const auto inner = ReferenceRoots(old_size, Split(size), known, proof);
    if (!inner) return std::nullopt;
    return OldAndNew{inner->old_root, MerkleNodeHash(inner->new_root, *sibling)};
  }
  const auto inner = ReferenceRoots(old_size - Split(size), size - Split(size), nullptr, proof);
  if (!inner) return std::nullopt;
  return OldAndNew{MerkleNodeHash(*sibling, inner->old_root), MerkleNodeHash(*sibling, inner->new_root)};
}

TEST(MerkleTest, RootsOfTheKnownLeaves) {
  const auto leaves = KnownLeaves();
  for (std::size_t size = 0; size <= leaves.size(); ++size) {
    EXPECT_EQ(MerkleRoot(First(leaves, size)).Hex(), kRoots[size]) << size;
  }
}

TEST(MerkleTest, KnownInclusionProof) {
  const auto proof = MerkleInclusionProof(KnownLeaves(), 5);
  ASSERT_EQ(proof.size(), 3u);
  EXPECT_EQ(proof[0].Hex(), "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b");
  EXPECT_EQ(proof[1].Hex(), "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0");
  EXPECT_EQ(proof[2].Hex(), "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7");
}

TEST(MerkleTest, LeafAndNodeHashesDiffer) {
  const Hash one = MerkleLeafHash(AsBytes("1"));
  const Hash two = MerkleLeafHash(AsBytes("2"));
  Bytes both = ToBytes(one.View());
  both.insert(both.end(), two.bytes.begin(), two.bytes.end());
  EXPECT_NE(MerkleLeafHash(both), MerkleNodeHash(one, two));
}

TEST(MerkleInclusionTest, EveryLeafOfEverySizeAndNoForgery) {
  const auto leaves = ManyLeaves(kMostLeaves);
  for (std::uint64_t size = 1; size <= kMostLeaves; ++size) {
    const Hash root = MerkleRoot(First(leaves, size));
    for (std::uint64_t index = 0; index < size; ++index) {
      SCOPED_TRACE(std::to_string(index) + " of " + std::to_string(size));
      const auto proof = MerkleInclusionProof(First(leaves, size), index);
      ASSERT_TRUE(VerifyInclusion(leaves[index], index, size, proof, root));
      for (const auto& forged : Forgeries(proof)) {
        ASSERT_FALSE(VerifyInclusion(leaves[index], index, size, forged, root));
      }
      ASSERT_FALSE(VerifyInclusion(MerkleLeafHash(AsBytes("other")), index, size, proof, root));
      for (std::uint64_t other = 0; other <= size; ++other) {
        ASSERT_EQ(VerifyInclusion(leaves[index], other, size, proof, root), other == index) << other;
      }
    }
  }
}

// A root says nothing about the size, so some other claims hold by right; which ones, the recursive
// definition tells.
TEST(MerkleInclusionTest, EveryOtherClaimIsJudgedAsTheDefinitionSays) {
  const auto leaves = ManyLeaves(kMostLeavesOfClaims);
  int refused = 0;
  for (std::uint64_t size = 1; size <= leaves.size(); ++size) {
    const Hash root = MerkleRoot(First(leaves, size));
    for (std::uint64_t index = 0; index < size; ++index) {
      const auto proof = MerkleInclusionProof(First(leaves, size), index);
      for (std::uint64_t claimed = 1; claimed <= leaves.size() + 9; ++claimed) {
        for (std::uint64_t at = 0; at < claimed; ++at) {
          const bool expected = ReferenceRoot(leaves[index], at, claimed, proof) == root;
          ASSERT_EQ(VerifyInclusion(leaves[index], at, claimed, proof, root), expected)
              << index << " of " << size << " claimed as " << at << " of " << claimed;
          refused += !expected;
        }
      }
    }
  }
  EXPECT_GT(refused, 1000);
}

TEST(MerkleInclusionTest, HoldsAtTheEndsOfTheRange) {
  EXPECT_FALSE(VerifyInclusion(Hash{}, 0, 0, {}, Hash{}));
  const std::vector<Hash> long_proof(70, Hash{});
  EXPECT_FALSE(VerifyInclusion(Hash{}, ~0ull - 1, ~0ull, long_proof, Hash{}));
  EXPECT_FALSE(VerifyConsistency(~0ull - 1, Hash{}, ~0ull, Hash{}, long_proof));
}

TEST(MerkleConsistencyTest, EveryPairOfSizesAndNoForgery) {
  const auto leaves = ManyLeaves(kMostLeaves);
  for (std::uint64_t size = 0; size <= kMostLeaves; ++size) {
    const Hash root = MerkleRoot(First(leaves, size));
    for (std::uint64_t old_size = 0; old_size <= size; ++old_size) {
      SCOPED_TRACE(std::to_string(old_size) + " in " + std::to_string(size));
      const Hash old_root = MerkleRoot(First(leaves, old_size));
      const auto proof = MerkleConsistencyProof(First(leaves, size), old_size);
      ASSERT_TRUE(VerifyConsistency(old_size, old_root, size, root, proof));
      ASSERT_FALSE(VerifyConsistency(old_size, Hash{}, size, root, proof));
      for (const auto& forged : Forgeries(proof)) {
        ASSERT_FALSE(VerifyConsistency(old_size, old_root, size, root, forged));
      }
      if (old_size == 0) continue;  // whatever comes later follows from nothing
      ASSERT_FALSE(VerifyConsistency(old_size, old_root, size, Hash{}, proof));
      ASSERT_EQ(VerifyConsistency(size, root, old_size, old_root, proof), old_size == size);
    }
  }
}

TEST(MerkleConsistencyTest, EveryOtherClaimIsJudgedAsTheDefinitionSays) {
  const auto leaves = ManyLeaves(kMostLeavesOfClaims);
  int refused = 0;
  for (std::uint64_t size = 2; size <= leaves.size(); ++size) {
    const Hash root = MerkleRoot(First(leaves, size));
    for (std::uint64_t old_size = 1; old_size < size; ++old_size) {
      const Hash old_root = MerkleRoot(First(leaves, old_size));
      const auto proof = MerkleConsistencyProof(First(leaves, size), old_size);
      for (std::uint64_t claimed = 2; claimed <= leaves.size() + 9; ++claimed) {
        for (std::uint64_t old_claimed = 1; old_claimed < claimed; ++old_claimed) {
          const auto roots = ReferenceRoots(old_claimed, claimed, &old_root, proof);
          const bool expected = roots && roots->old_root == old_root && roots->new_root == root;
          ASSERT_EQ(VerifyConsistency(old_claimed, old_root, claimed, root, proof), expected)
              << old_size << " in " << size << " claimed as " << old_claimed << " in " << claimed;
          refused += !expected;
        }
      }
    }
  }
  EXPECT_GT(refused, 1000);
}

TEST(MerkleConsistencyTest, ARewrittenHistoryIsRefused) {
  const auto leaves = ManyLeaves(kMostLeaves);
  for (std::uint64_t old_size = 1; old_size < kMostLeaves; ++old_size) {
    auto rewritten = leaves;
    rewritten[static_cast<std::size_t>(old_size) / 2] = Hash{};
    const auto proof = MerkleConsistencyProof(rewritten, old_size);
    EXPECT_FALSE(VerifyConsistency(old_size, MerkleRoot(First(leaves, old_size)), kMostLeaves,
                                   MerkleRoot(rewritten), proof));
  }
}

TEST(MerkleDeathTest, AbortsOnAnIndexOutOfRange) {
  const auto leaves = ManyLeaves(3);
  EXPECT_DEATH((void)MerkleInclusionProof(leaves, 3), "");
  EXPECT_DEATH((void)MerkleConsistencyProof(leaves, 4), "");
}

}  // namespace
}  // namespace grantfs

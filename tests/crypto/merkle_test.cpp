#include "grantfs/crypto/merkle.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "test_secret.h"

namespace grantfs {
namespace {

constexpr std::uint64_t kMostLeaves = 40;

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

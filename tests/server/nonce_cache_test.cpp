#include <gtest/gtest.h>

#include "server/nonce_cache_internal.h"

namespace grantfs {
namespace {

using Verdict = NonceCache::Verdict;

std::string Nonce(int number) {
  std::string text = std::to_string(number);
  return std::string(22 - text.size(), 'A') + text;
}

TEST(NonceCacheTest, KnowsWhatItSawUntilTheWindowIsOver) {
  NonceCache cache(10, 100, 60);
  EXPECT_EQ(cache.Remember("a", Nonce(1), 1000, 1000), Verdict::kNew);
  EXPECT_EQ(cache.Remember("a", Nonce(1), 1000, 1060), Verdict::kSeen) << "created may still be accepted";
  EXPECT_EQ(cache.Remember("b", Nonce(1), 1000, 1000), Verdict::kNew) << "of another identity";
  EXPECT_EQ(cache.Remember("a", Nonce(2), 1121, 1121), Verdict::kNew);
  EXPECT_EQ(cache.size(), 1U) << "what is out of the window takes no room";
}

TEST(NonceCacheTest, ARequestFromAheadIsKnownUntilItsOwnWindowIsOver) {
  NonceCache cache(10, 100, 60);
  EXPECT_EQ(cache.Remember("a", Nonce(1), 1030, 1000), Verdict::kNew);
  EXPECT_EQ(cache.Remember("a", Nonce(1), 1030, 1090), Verdict::kSeen);
}

TEST(NonceCacheTest, IsFullBeforeItForgets) {
  NonceCache cache(3, 4, 60);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(cache.Remember("a", Nonce(i), 1000, 1000), Verdict::kNew);
  EXPECT_EQ(cache.Remember("a", Nonce(3), 1000, 1000), Verdict::kFull);
  EXPECT_EQ(cache.Remember("a", Nonce(0), 1000, 1000), Verdict::kSeen);
  EXPECT_EQ(cache.Remember("b", Nonce(0), 1000, 1000), Verdict::kNew);
  EXPECT_EQ(cache.Remember("c", Nonce(0), 1000, 1000), Verdict::kFull) << "all together are bounded too";
  EXPECT_EQ(cache.Remember("c", Nonce(0), 1061, 1061), Verdict::kNew);
  EXPECT_EQ(cache.size(), 1U);
}

}  // namespace
}  // namespace grantfs

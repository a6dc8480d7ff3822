#include "client/machine/held_versions_internal.h"
#include "client_test.h"

namespace grantfs::testing {
namespace {

HeldVersion Holding(std::uint64_t number, std::uint32_t version = 1) {
  HeldVersion held;
  held.response.secret = number;
  held.response.version = version;
  held.response.ciphertext = Bytes(100, 7);
  held.publish.version = version;
  return held;
}

TEST(HeldVersionsTest, AnOpenedKeyIsKeptWithTheVersionThatItIsOf) {
  HeldVersions held;
  held.Put(Holding(1));
  const auto first = held.Find(1);
  ASSERT_EQ(first->key.size(), 0u);
  held.PutKey(first, Must(SecretMemory::Allocate(32)));
  const auto keyed = held.Find(1);
  EXPECT_EQ(keyed->key.size(), 32u);
  EXPECT_EQ(keyed->response.ciphertext, first->response.ciphertext);
  EXPECT_EQ(keyed->publish.version, 1u);
}

TEST(HeldVersionsTest, AKeyThatWasOpenedLateDoesNotBringBackWhatIsHeldNoMore) {
  HeldVersions held;
  held.Put(Holding(1));
  const auto first = held.Find(1);
  held.Put(Holding(1, 2));
  held.PutKey(first, Must(SecretMemory::Allocate(32)));
  EXPECT_EQ(held.Find(1)->publish.version, 2u) << "there is a newer one";
  EXPECT_EQ(held.Find(1)->key.size(), 0u);
  const auto second = held.Find(1);
  held.Erase(1);
  held.PutKey(second, Must(SecretMemory::Allocate(32)));
  EXPECT_EQ(held.Find(1), nullptr) << "it was revoked, say";
}

TEST(HeldVersionsTest, WhatGoesWithAKeyIsKeptWithItAndTakesTheRoomOfNoOtherKey) {
  HeldVersions held;
  held.Put(Holding(1));
  for (int i = 0; i < 4096; ++i)  // as many as keys may be held
    held.PutKey(held.Find(1), Must(SecretMemory::Allocate(32)), Bytes(8, 1), "evidence");
  EXPECT_EQ(held.Find(1)->context, Bytes(8, 1));
  EXPECT_EQ(held.Find(1)->evidence, "evidence");
  held.Put(Holding(2));
  held.PutKey(held.Find(2), Must(SecretMemory::Allocate(32)));
  EXPECT_EQ(held.Find(2)->key.size(), 32u);
  EXPECT_TRUE(held.Find(2)->context.empty());
  held.Put(Holding(1, 2));
  EXPECT_TRUE(held.Find(1)->context.empty()) << "it was another version's";
}

}  // namespace
}  // namespace grantfs::testing

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "mount/tree/open_rules_internal.h"

namespace grantfs {
namespace {

constexpr std::uint64_t kSecret = 7;
constexpr std::uint32_t kThread = 100;
using std::chrono::seconds;

NodeId Version(std::uint32_t version) { return SecretNode(kSecret, version); }

class OpenRulesTest : public ::testing::Test {
 protected:
  OpenVerdict Open(std::uint32_t thread, std::uint32_t version, std::uint32_t current) {
    return rules_.Decide(thread, Version(version), current, now_).verdict;
  }
  bool Grace(std::uint32_t thread, std::uint32_t version, std::uint32_t current) {
    return rules_.Decide(thread, Version(version), current, now_).grace;
  }
  void Looked(std::uint32_t thread, std::uint32_t version) { rules_.Looked(thread, Version(version), now_); }

  OpenRules rules_;
  OpenRules::Time now_ = seconds(1000);
};

TEST_F(OpenRulesTest, TheCurrentVersionIsServed) {
  EXPECT_EQ(Open(kThread, 3, 3), OpenVerdict::kCurrent);
  EXPECT_FALSE(Grace(kThread, 3, 3));
}

TEST_F(OpenRulesTest, AnOutdatedOneIsLookedUpAgain) {
  EXPECT_EQ(Open(kThread, 2, 3), OpenVerdict::kStale);
  Looked(kThread, 3);
  EXPECT_EQ(Open(kThread, 3, 3), OpenVerdict::kCurrent);
}

TEST_F(OpenRulesTest, WhoJustLookedAVersionUpMayOpenIt) {
  EXPECT_EQ(Open(kThread, 1, 2), OpenVerdict::kStale);
  Looked(kThread, 2);
  EXPECT_EQ(Open(kThread, 2, 3), OpenVerdict::kGrace);
  EXPECT_EQ(Open(kThread, 2, 3), OpenVerdict::kStale) << "grace is for one open";
}

TEST_F(OpenRulesTest, WhatWasLookedUpLongAgoIsNoGrace) {
  Looked(kThread, 2);
  now_ += seconds(11);
  EXPECT_EQ(Open(kThread, 2, 3), OpenVerdict::kStale);
}

TEST_F(OpenRulesTest, AVersionThatTheVaultSupersededMeanwhileIsServedAfterALookUp) {
  EXPECT_FALSE(Grace(kThread, 1, 1));
  rules_.Refused(kThread, Version(1), now_);
  Looked(kThread, 2);
  EXPECT_TRUE(Grace(kThread, 2, 2));
  Looked(kThread, 2);
  EXPECT_FALSE(Grace(kThread, 2, 2)) << "a first open must see what the vault knows";
}

TEST_F(OpenRulesTest, ARepeatIsABindMount) {
  EXPECT_EQ(Open(kThread, 1, 2), OpenVerdict::kStale);
  EXPECT_FALSE(rules_.IsBound(Version(1)));
  EXPECT_EQ(Open(kThread, 1, 2), OpenVerdict::kNewlyBound);
  EXPECT_TRUE(rules_.IsBound(Version(1)));
  EXPECT_EQ(Open(200, 1, 3), OpenVerdict::kBound) << "for everybody";
  EXPECT_EQ(rules_.BoundNodes(kSecret), std::vector<NodeId>{Version(1)});
}

TEST_F(OpenRulesTest, OnlyAnOpenOfTheCurrentVersionEndsARepeat) {
  EXPECT_EQ(Open(kThread, 1, 2), OpenVerdict::kStale);
  Looked(kThread, 2);
  EXPECT_EQ(Open(kThread, 2, 2), OpenVerdict::kCurrent);
  EXPECT_EQ(Open(kThread, 1, 2), OpenVerdict::kStale);
  EXPECT_EQ(Open(200, 1, 2), OpenVerdict::kStale);
  Looked(200, 2);
  EXPECT_EQ(Open(200, 1, 2), OpenVerdict::kNewlyBound) << "a look-up alone does not";
}

TEST_F(OpenRulesTest, TwoThreadsAreNoRepeat) {
  EXPECT_EQ(Open(kThread, 1, 2), OpenVerdict::kStale);
  EXPECT_EQ(Open(kThread + 1, 1, 2), OpenVerdict::kStale);
  EXPECT_FALSE(rules_.IsBound(Version(1)));
}

TEST_F(OpenRulesTest, AThreadsIdThatWasUsedAgainIsNoRepeat) {
  EXPECT_EQ(Open(kThread, 1, 2), OpenVerdict::kStale);
  now_ += seconds(11);
  EXPECT_EQ(Open(kThread, 1, 2), OpenVerdict::kStale);
}

TEST_F(OpenRulesTest, AThreadWithoutAVisibleIdIsNeverOne) {
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Open(0, 1, 2), OpenVerdict::kStale);
  Looked(0, 1);
  EXPECT_EQ(Open(0, 1, 2), OpenVerdict::kStale);
  rules_.Refused(0, Version(1), now_);
  EXPECT_EQ(Open(0, 1, 2), OpenVerdict::kStale);
}

TEST_F(OpenRulesTest, ASecretThatIsGoneIsLookedUpOnce) {
  EXPECT_EQ(rules_.Decide(kThread, Version(1), std::nullopt, now_).verdict, OpenVerdict::kStale);
  EXPECT_EQ(rules_.Decide(kThread, Version(1), std::nullopt, now_).verdict, OpenVerdict::kGone);
  EXPECT_FALSE(rules_.IsBound(Version(1)));
}

TEST_F(OpenRulesTest, ANodeCanBeUnbound) {
  Open(kThread, 1, 2);
  Open(kThread, 1, 2);
  rules_.Unbind(Version(1));
  EXPECT_FALSE(rules_.IsBound(Version(1)));
  EXPECT_TRUE(rules_.BoundNodes(kSecret).empty());
}

TEST_F(OpenRulesTest, WhatIsRememberedIsBounded) {
  OpenRules rules(2, 2);
  for (std::uint32_t thread = 1; thread <= 3; ++thread) rules.Decide(thread, Version(1), 2, now_);
  EXPECT_EQ(rules.Decide(1, Version(1), 2, now_).verdict, OpenVerdict::kStale) << "forgotten";
  EXPECT_EQ(rules.Decide(3, Version(1), 2, now_).verdict, OpenVerdict::kNewlyBound) << "remembered";
}

TEST_F(OpenRulesTest, ManyThreadsMayAskAtOnce) {
  std::vector<std::thread> threads;
  for (std::uint32_t id = 1; id <= 4; ++id) {
    threads.emplace_back([this, id] {
      for (std::uint32_t i = 1; i < 2000; ++i) {
        Looked(id, i);
        Open(id, i, i + 1);
        Open(id, 1, i + 1);
        Open(id, 1, i + 1);
        rules_.IsBound(Version(1));
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_TRUE(rules_.IsBound(Version(1)));
}

}  // namespace
}  // namespace grantfs

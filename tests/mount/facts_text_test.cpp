#include <gtest/gtest.h>

#include <functional>
#include <random>

#include "mount/callers/facts_text_internal.h"

namespace grantfs {
namespace {

ProcessQuestion SomeQuestion() {
  ProcessQuestion question{.thread = 4711, .uid = 0xffffffff, .gid = 33, .wanted = {}};
  question.wanted.groups = question.wanted.account = true;
  question.wanted.executables = {{"/usr/bin/cat", true}, {std::string("/a\0b", 4), false}, {"", false}};
  return question;
}

ProcessFacts SomeFacts() {
  ProcessFacts facts;
  facts.caller = {4711, 33, 34, std::string("/opt/x\0 \n(deleted)", 18), "/system.slice"};
  facts.seen = facts.same_pid_namespace = true;
  facts.groups = {1, 2, 0xffffffff};
  facts.capabilities = ~std::uint64_t{0};
  facts.file_uid = 5;
  facts.file_gid = 6;
  facts.executables = {{true, false, true, std::string(64, 'f')}, {false, true, false, ""}};
  return facts;
}

TEST(FactsTextTest, AQuestionIsWhatWasAsked) {
  const auto question = UnpackQuestion(PackQuestion(SomeQuestion()));
  ASSERT_TRUE(question);
  EXPECT_EQ(question->thread, 4711U);
  EXPECT_EQ(question->uid, 0xffffffffU);
  EXPECT_EQ(question->gid, 33U);
  EXPECT_TRUE(question->wanted.groups && question->wanted.account);
  EXPECT_FALSE(question->wanted.executable || question->wanted.cgroup || question->wanted.rights);
  ASSERT_EQ(question->wanted.executables.size(), 3U);
  EXPECT_EQ(question->wanted.executables[0].path, "/usr/bin/cat");
  EXPECT_TRUE(question->wanted.executables[0].content);
  EXPECT_EQ(question->wanted.executables[1].path, std::string("/a\0b", 4));
  EXPECT_EQ(PackQuestion(*question), PackQuestion(SomeQuestion()));
}

TEST(FactsTextTest, AnAnswerIsWhatWasFound) {
  const auto facts = UnpackFacts(PackFacts(SomeFacts()));
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->caller.pid, 4711U);
  EXPECT_EQ(facts->caller.executable, SomeFacts().caller.executable);
  EXPECT_EQ(facts->caller.cgroup, "/system.slice");
  EXPECT_EQ(facts->groups, SomeFacts().groups);
  EXPECT_EQ(facts->capabilities, ~std::uint64_t{0});
  EXPECT_EQ(facts->file_uid, 5U);
  EXPECT_EQ(facts->file_gid, 6U);
  EXPECT_TRUE(facts->seen && facts->same_pid_namespace);
  EXPECT_FALSE(facts->same_user_namespace || facts->same_mount_namespace);
  ASSERT_EQ(facts->executables.size(), 2U);
  EXPECT_TRUE(facts->executables[0].named && facts->executables[0].same && facts->executables[1].deleted);
  EXPECT_EQ(facts->executables[0].content, std::string(64, 'f'));
  EXPECT_EQ(PackFacts(*facts), PackFacts(SomeFacts()));
}

/// Each side takes the other's bytes, and the other side may be in a stranger's hands.
class HostileFactsTest : public ::testing::TestWithParam<bool> {
 protected:
  std::string Good() const { return GetParam() ? PackQuestion(SomeQuestion()) : PackFacts(SomeFacts()); }
  /// What comes of it, packed again; none if it is refused.
  std::optional<std::string> Again(const std::string& text) const {
    if (GetParam()) {
      const auto question = UnpackQuestion(text);
      return question ? std::optional(PackQuestion(*question)) : std::nullopt;
    }
    const auto facts = UnpackFacts(text);
    return facts ? std::optional(PackFacts(*facts)) : std::nullopt;
  }
};

TEST_P(HostileFactsTest, WhatIsCutOffOrGoesOnIsRefused) {
  const std::string good = Good();
  ASSERT_TRUE(Again(good));
  for (std::size_t size = 0; size < good.size(); ++size) EXPECT_FALSE(Again(good.substr(0, size))) << size;
  EXPECT_FALSE(Again(good + '\0'));
  EXPECT_FALSE(Again(good + good));
}

TEST_P(HostileFactsTest, CountsThatAreNotThereTakeNoMemory) {
  const std::string good = Good();
  for (const std::uint64_t count :
       {~std::uint64_t{0}, std::uint64_t{1} << 63, std::uint64_t{1} << 32, std::uint64_t{1} << 20}) {
    for (std::size_t at = 0; at + sizeof count <= good.size(); ++at) {
      std::string bad = good;
      bad.replace(at, sizeof count, reinterpret_cast<const char*>(&count), sizeof count);
      const auto again = Again(bad);
      EXPECT_TRUE(!again || again->size() <= good.size()) << at;
    }
  }
}

TEST_P(HostileFactsTest, NoiseIsRefusedOrHarmless) {
  std::mt19937 noise(1);
  const std::string good = Good();
  for (int turn = 0; turn < 20000; ++turn) {
    std::string bad = good;
    for (unsigned i = noise() % 8 + 1; i > 0; --i) bad[noise() % bad.size()] = static_cast<char>(noise());
    const auto again = Again(bad);
    EXPECT_TRUE(!again || *again == bad) << turn;
  }
}

INSTANTIATE_TEST_SUITE_P(BothWays, HostileFactsTest, ::testing::Bool());

}  // namespace
}  // namespace grantfs

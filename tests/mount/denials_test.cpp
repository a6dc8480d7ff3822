#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "mount/tree/denials_internal.h"

namespace grantfs {
namespace {

class DenialsTest : public ::testing::Test {
 protected:
  bool Add(std::int64_t now, const std::string& executable = "/usr/bin/cat", std::uint64_t number = 1,
           std::uint32_t pid = 1) {
    RefusedRead one;
    one.number = number;
    one.version = 1;
    one.reason = "why";
    one.caller.executable = executable;
    one.caller.pid = pid;
    return denials_.Add("shop/prod/a", one, now);
  }
  std::vector<RefusedRead> Take(std::int64_t now, bool all) { return TakeFrom(&denials_, now, all); }
  static std::vector<RefusedRead> TakeFrom(Denials* denials, std::int64_t now, bool all) {
    std::vector<RefusedRead> taken;
    denials->TakeDue(now, all, [&](std::vector<RefusedRead> due) { taken = std::move(due); });
    return taken;
  }

  Denials denials_;
};

TEST_F(DenialsTest, OfAProgramInALoopAreCountedTogether) {
  EXPECT_TRUE(Add(600, "/usr/bin/cat", 1, 1));
  ASSERT_EQ(Take(600, false).size(), 1U) << "the first is told at once";
  for (std::uint32_t i = 2; i <= 1000; ++i) EXPECT_FALSE(Add(601, "/usr/bin/cat", 1, i));
  EXPECT_TRUE(Take(659, false).empty()) << "the minute is not over";
  const auto rest = Take(660, false);
  ASSERT_EQ(rest.size(), 1U);
  EXPECT_EQ(rest[0].count, 999U);
  EXPECT_EQ(rest[0].first, 601);
  EXPECT_EQ(rest[0].last, 601);
  EXPECT_TRUE(Take(720, true).empty());
  const auto recent = denials_.Recent();
  ASSERT_EQ(recent.size(), 1U);
  EXPECT_EQ(recent[0].read.count, 1000U);
  EXPECT_EQ(recent[0].read.caller.pid, 1U);
  EXPECT_TRUE(Add(660)) << "the next minute";
}

TEST_F(DenialsTest, OutliveTheProcess) {
  const UniqueFd memory = *KeptMemory::Make(std::size_t{1} << 20);
  RefusedRead read;
  read.number = 7;
  read.version = 3;
  read.reason = "only for root";
  read.caller = {4711, 33, 34, "/usr/bin/cat", "/system.slice"};
  {
    const auto kept = *KeptMemory::Attach(memory.get());
    Denials before(kept.get());
    before.Add("shop/prod/a", read, 600);
    EXPECT_EQ(TakeFrom(&before, 600, false).size(), 1U);
    for (int i = 0; i < 4; ++i) before.Add("shop/prod/a", read, 601);
    read.caller.executable = std::string(5000, 'x');
    before.Add("shop/prod/a", read, 602);
  }
  const auto kept = *KeptMemory::Attach(memory.get());
  Denials after(kept.get());
  const auto due = TakeFrom(&after, 610, false);
  ASSERT_EQ(due.size(), 2U) << "at once, though their minute is not over";
  EXPECT_EQ(due[0].count, 4U);
  EXPECT_EQ(due[0].first, 601);
  EXPECT_EQ(due[0].version, 3U);
  EXPECT_EQ(due[0].caller.executable, "/usr/bin/cat");
  EXPECT_EQ(due[0].caller.cgroup, "/system.slice");
  EXPECT_EQ(due[1].caller.executable.size(), 1000U) << "bounded";
  ASSERT_EQ(after.Recent().size(), 2U);
  EXPECT_EQ(after.Recent()[0].read.count, 5U) << "for those who look at the report";
  EXPECT_EQ(after.Recent()[0].name, "shop/prod/a");
  EXPECT_TRUE(TakeFrom(&after, 700, true).empty());
  const auto again = *KeptMemory::Attach(memory.get());
  Denials third(again.get());
  EXPECT_TRUE(TakeFrom(&third, 700, true).empty()) << "they were taken";
}

TEST_F(DenialsTest, ARowIsFoundAgainInTheNextProcessThoughItsTextsWereCutOrAreNobodys) {
  const UniqueFd memory = *KeptMemory::Make(std::size_t{1} << 20);
  RefusedRead read;
  read.number = 7;
  read.reason = std::string(5000, 'y');
  const auto refuse = [&](Denials* denials) {
    for (std::size_t i = 0; i <= Denials::kMaxPrograms; ++i) {
      read.caller.executable = std::string(5000, 'x') + std::to_string(i);
      denials->Add("shop/prod/a", read, 600);
    }
  };
  {
    const auto kept = *KeptMemory::Attach(memory.get());
    Denials before(kept.get());
    refuse(&before);
    EXPECT_EQ(before.Recent().size(), Denials::kMaxPrograms + 1) << "the last one is that of all others";
  }
  const auto kept = *KeptMemory::Attach(memory.get());
  Denials after(kept.get());
  refuse(&after);
  const auto rows = after.Recent();
  EXPECT_EQ(rows.size(), Denials::kMaxPrograms + 1);
  for (const Denial& row : rows) EXPECT_EQ(row.read.count, 2U);
}

TEST_F(DenialsTest, WhatAReportDoesNotReturnFromIsDueInTheNextProcess) {
  const UniqueFd memory = *KeptMemory::Make(std::size_t{1} << 20);
  const auto kept = *KeptMemory::Attach(memory.get());
  Denials before(kept.get());
  before.Add("shop/prod/a", {}, 600);
  before.TakeDue(600, true, [&](const std::vector<RefusedRead>& due) {
    EXPECT_EQ(due.size(), 1U);
    const auto meanwhile = *KeptMemory::Attach(memory.get());
    Denials next(meanwhile.get());
    EXPECT_EQ(TakeFrom(&next, 600, false).size(), 1U);
  });
}

TEST_F(DenialsTest, AReportThatTheNextProcessMakesAgainIsTheSameOne) {
  const UniqueFd memory = *KeptMemory::Make(std::size_t{1} << 20);
  const auto kept = *KeptMemory::Attach(memory.get());
  Denials before(kept.get());
  for (int i = 0; i < 3; ++i) before.Add("shop/prod/a", {}, 600 + i);
  before.TakeDue(602, true, [&](const std::vector<RefusedRead>& due) {
    ASSERT_EQ(due.size(), 1U);
    EXPECT_FALSE(due[0].id.empty());
    // Here the first process ends, and so does the next, before it makes a report.
    {
      const auto meanwhile = *KeptMemory::Attach(memory.get());
      Denials(meanwhile.get()).Add("shop/prod/a", {}, 603);
    }
    const auto meanwhile = *KeptMemory::Attach(memory.get());
    Denials next(meanwhile.get());
    next.Add("shop/prod/a", {}, 604);
    const auto again = TakeFrom(&next, 604, false);
    ASSERT_EQ(again.size(), 1U);
    EXPECT_EQ(again[0].id, due[0].id);
    EXPECT_EQ(again[0].count, 3U) << "and none that came after it";
    EXPECT_EQ(again[0].last, 602);
    const auto rest = TakeFrom(&next, 604, true);
    ASSERT_EQ(rest.size(), 1U);
    EXPECT_EQ(rest[0].count, 2U);
    EXPECT_NE(rest[0].id, due[0].id);
  });
}

TEST_F(DenialsTest, AReportThatWasTakenIsNotMadeAgain) {
  const UniqueFd memory = *KeptMemory::Make(std::size_t{1} << 20);
  {
    const auto kept = *KeptMemory::Attach(memory.get());
    Denials before(kept.get());
    before.Add("shop/prod/a", {}, 600);
    EXPECT_EQ(TakeFrom(&before, 600, true).size(), 1U);
    before.Add("shop/prod/a", {}, 601);
  }
  const auto kept = *KeptMemory::Attach(memory.get());
  Denials after(kept.get());
  const auto due = TakeFrom(&after, 601, true);
  ASSERT_EQ(due.size(), 1U);
  EXPECT_EQ(due[0].count, 1U);
}

TEST_F(DenialsTest, AtTheEndAreAllTold) {
  Add(600);
  Take(600, false);
  Add(601);
  EXPECT_TRUE(Take(602, false).empty());
  EXPECT_EQ(Take(602, true).size(), 1U);
}

TEST_F(DenialsTest, OfEverNewProgramsAreBounded) {
  for (int i = 0; i < 10000; ++i)
    Add(600, "/tmp/" + std::to_string(i), 1 + static_cast<std::uint64_t>(i % 500));
  const auto due = Take(600, false);
  EXPECT_EQ(due.size(), 2 * Denials::kMaxPrograms);
  std::uint64_t unnamed = 0;
  for (const RefusedRead& one : due) unnamed += one.caller.executable.empty() ? one.count : 0;
  EXPECT_GT(unnamed, 0U);
  EXPECT_TRUE(Add(660, "/tmp/new")) << "the next minute";
}

TEST_F(DenialsTest, AreForgottenBeyondTheBound) {
  for (std::int64_t minute = 10; minute < 1200; ++minute) {
    Add(minute * 60);
    Take(minute * 60, false);
  }
  const auto recent = denials_.Recent();
  ASSERT_EQ(recent.size(), Denials::kMaxKept);
  EXPECT_EQ(recent.back().read.first, 1199 * 60);
}

}  // namespace
}  // namespace grantfs

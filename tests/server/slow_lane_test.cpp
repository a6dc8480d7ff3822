#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <mutex>
#include <new>
#include <vector>

#include "server/slow_lane_internal.h"
#include "support/eventually.h"

namespace grantfs::testing {
namespace {

Hash Who(std::uint8_t number) {
  Hash who;
  who.bytes.fill(number);
  return who;
}

/// Works that wait until they are let go.
struct SlowLaneTest : ::testing::Test {
  SlowLane::Work Held() {
    return [this] {
      ++begun;
      gate.wait();
      ++ended;
    };
  }
  void LetGo() { open.set_value(); }
  std::promise<void> open;
  std::shared_future<void> gate = open.get_future().share();
  std::atomic<int> begun{0}, ended{0};
};

TEST_F(SlowLaneTest, WhoAsksForMuchKeepsAThreadForOthers) {
  SlowLane lane(2);
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(lane.Add(Who(1), Held()));
  ASSERT_TRUE(Eventually([&] { return begun == 1; }));
  for (const int other : {2, 3, 4}) {
    std::promise<void> done;
    ASSERT_TRUE(lane.Add(Who(static_cast<std::uint8_t>(other)), [&] { done.set_value(); }));
    ASSERT_EQ(done.get_future().wait_for(std::chrono::seconds(20)), std::future_status::ready) << other;
  }
  EXPECT_EQ(begun, 1) << "of one identity one is under way";
  LetGo();
  EXPECT_TRUE(Eventually([&] { return ended == 50; }));
}

TEST_F(SlowLaneTest, AllThatAskHaveTheirTurns) {
  SlowLane lane(1);
  ASSERT_TRUE(lane.Add(Who(9), Held()));
  ASSERT_TRUE(Eventually([&] { return begun == 1; }));
  std::mutex mutex;
  std::vector<int> order;
  for (const int who : {1, 1, 1, 1, 2, 3, 2}) {
    ASSERT_TRUE(lane.Add(Who(static_cast<std::uint8_t>(who)), [&, who] {
      const std::lock_guard lock(mutex);
      order.push_back(who);
    }));
  }
  LetGo();
  ASSERT_TRUE(Eventually([&] {
    const std::lock_guard lock(mutex);
    return order.size() == 7;
  }));
  EXPECT_EQ(order, (std::vector<int>{1, 2, 3, 1, 2, 1, 1}));
}

TEST_F(SlowLaneTest, TooManyAreRefused) {
  SlowLane lane(1);
  ASSERT_TRUE(lane.Add(Who(1), Held()));
  ASSERT_TRUE(Eventually([&] { return begun == 1; }));
  for (std::size_t i = 0; i < SlowLane::kMaxWaiting; ++i) ASSERT_TRUE(lane.Add(Who(2), [] {}));
  EXPECT_FALSE(lane.Add(Who(3), [] {}));
  LetGo();
  EXPECT_TRUE(Eventually([&] { return lane.Add(Who(3), [] {}); }));
}

TEST_F(SlowLaneTest, WhatWaitsAtTheEndNeverRuns) {
  SlowLane lane(1);
  ASSERT_TRUE(lane.Add(Who(1), Held()));
  ASSERT_TRUE(Eventually([&] { return begun == 1; }));
  ASSERT_TRUE(lane.Add(Who(1), Held()));
  auto closed = std::async(std::launch::async, [&] { lane.Close(); });
  ASSERT_TRUE(Eventually([&] { return !lane.Add(Who(2), Held()); }));
  LetGo();
  closed.get();
  EXPECT_EQ(begun, 1);
  EXPECT_EQ(ended, 1);
}

TEST_F(SlowLaneTest, OneThatThrowsEndsNoThread) {
  SlowLane lane(1);
  ASSERT_TRUE(lane.Add(Who(1), [] { throw std::bad_alloc(); }));
  std::promise<void> done;
  ASSERT_TRUE(lane.Add(Who(1), [&] { done.set_value(); }));
  EXPECT_EQ(done.get_future().wait_for(std::chrono::seconds(20)), std::future_status::ready);
}

}  // namespace
}  // namespace grantfs::testing

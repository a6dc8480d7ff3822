#include <thread>

#include "client/machine/forward_clock_internal.h"
#include "client/machine/kept_leases_internal.h"
#include "client_test.h"
#include "support/test_clock.h"

namespace grantfs::testing {
namespace {

constexpr std::uint32_t kVersions = 16;
constexpr std::uint32_t kContact = 17;

api::ReadResponse Version(std::uint64_t number, std::size_t bytes = 100) {
  api::ReadResponse version;
  version.secret = number;
  version.version = 3;
  version.statement.bytes.fill(9);
  version.ciphertext = Bytes(bytes, 7);
  version.sealed = Bytes(80, 8);
  return version;
}

class KeptLeasesTest : public ::testing::Test {
 protected:
  void Restart() {
    kept_.reset();
    kept_ = Must(KeptMemory::Attach(memory_.get()));
  }
  std::vector<std::uint64_t> Numbers() {
    std::vector<std::uint64_t> numbers;
    for (const auto& version : KeptLeases(kept_.get()).Load()) numbers.push_back(version.secret);
    std::sort(numbers.begin(), numbers.end());
    return numbers;
  }
  std::size_t Kept() const {
    std::size_t count = 0;
    kept_->ForEach(kVersions, [&](ByteView, ByteView) { ++count; });
    return count;
  }
  static ByteView Key(const std::uint64_t& number) {
    return {reinterpret_cast<const std::uint8_t*>(&number), sizeof number};
  }

  const UniqueFd memory_ = Must(KeptMemory::Make(std::size_t{32} << 20));
  std::unique_ptr<KeptMemory> kept_ = Must(KeptMemory::Attach(memory_.get()));
};

TEST_F(KeptLeasesTest, TheNextProcessFindsWhatWasHeldAndWhenTheVaultWasHeard) {
  {
    KeptLeases leases(kept_.get());
    EXPECT_TRUE(leases.Load().empty());
    EXPECT_FALSE(leases.LastHeard());
    for (const std::uint64_t number : {1, 2, 3}) leases.Put(Version(number));
    leases.Put(Version(2, 200));
    leases.Erase(3);
    leases.Erase(4);
    leases.Heard({123, 456});
  }
  Restart();
  KeptLeases leases(kept_.get());
  const auto loaded = leases.Load();
  ASSERT_EQ(loaded.size(), 2U);
  const auto& second = loaded[loaded[0].secret == 2 ? 0 : 1];
  EXPECT_EQ(second.ToJson().Dump(), Version(2, 200).ToJson().Dump());
  ASSERT_TRUE(leases.LastHeard());
  EXPECT_EQ(leases.LastHeard()->boot_ns, 123);
  EXPECT_EQ(leases.LastHeard()->wall, 456);
  leases.Unsettled();
  Restart();
  EXPECT_FALSE(KeptLeases(kept_.get()).LastHeard()) << "something was told and not settled";
  EXPECT_EQ(Numbers(), (std::vector<std::uint64_t>{1, 2}));
}

TEST_F(KeptLeasesTest, TheNextProcessKnowsHowLateItWas) {
  using std::chrono::milliseconds;
  {
    KeptLeases leases(kept_.get());
    EXPECT_FALSE(leases.KeptAhead());
    leases.KeepAhead(milliseconds(5000));
    leases.KeepAhead(milliseconds(5999));
    EXPECT_EQ(leases.KeptAhead(), milliseconds(5000)) << "not for each little";
    leases.KeepAhead(milliseconds(6000));
    leases.KeepAhead(milliseconds(1000));
  }
  Restart();
  EXPECT_EQ(KeptLeases(kept_.get()).KeptAhead(), milliseconds(6000));
  EXPECT_FALSE(KeptLeases(nullptr).KeptAhead());
}

TEST(ForwardClockTest, GoesOnWhereTheClockIsSetBackAndNeverBack) {
  TestClock clock;
  const ForwardClock latest(&clock);
  const std::int64_t start = latest.Seconds();
  EXPECT_LE(start - clock.WallSeconds(), 1);
  clock.SetBy(-86400);
  clock.Pass(100);
  EXPECT_GE(latest.Seconds(), start + 100);
  EXPECT_LE(latest.Seconds(), start + 102);
  clock.SetBy(2 * 86400);
  EXPECT_GE(latest.Seconds(), start + 86400);
  const ForwardClock next(&clock);
  clock.SetBy(-3 * 86400);
  next.Raise(latest.ahead());
  EXPECT_GE(next.Seconds(), start + 86400) << "of the process before";
  next.Saw(start + 10 * 86400, clock.Boot());
  clock.Pass(7);
  EXPECT_GE(next.Seconds(), start + 10 * 86400 + 7);
}

TEST_F(KeptLeasesTest, WhatIsDamagedIsForgotten) {
  KeptLeases(kept_.get()).Put(Version(1));
  const std::string text = Version(2).ToJson().Dump();
  const auto put = [&](std::uint64_t number, const std::string& value) {
    EXPECT_TRUE(kept_->Put(kVersions, Key(number), AsBytes(value)));
  };
  put(2, text.substr(0, text.size() / 2));
  put(3, "");
  put(4, text);  // another secret's
  put(5, std::string(100, '\0'));
  put(6, "{\"secret\":6}");
  EXPECT_TRUE(kept_->Put(kVersions, AsBytes("abc"), AsBytes(text)));
  EXPECT_TRUE(kept_->Put(kContact, {}, AsBytes("short")));
  Restart();
  EXPECT_EQ(Numbers(), std::vector<std::uint64_t>{1});
  EXPECT_FALSE(KeptLeases(kept_.get()).LastHeard());
  EXPECT_EQ(Numbers(), std::vector<std::uint64_t>{1});
  for (const std::uint64_t number : {2, 3, 4, 5, 6})
    EXPECT_FALSE(kept_->Get(kVersions, Key(number))) << number;
}

TEST_F(KeptLeasesTest, WhatFindsNoRoomIsNotKeptAndLeavesRoomForTheRest) {
  KeptLeases leases(kept_.get());
  for (std::uint64_t number = 1; number <= 40; ++number) leases.Put(Version(number, std::size_t{1} << 19));
  const std::size_t kept = Kept();
  EXPECT_GT(kept, 10U);
  EXPECT_LT(kept, 40U);
  EXPECT_TRUE(kept_->Put(1, AsBytes("an open file"), Bytes(std::size_t{1} << 20)));
  leases.Erase(1);
  leases.Put(Version(99, std::size_t{1} << 19));
  EXPECT_EQ(Kept(), kept);
  const std::uint64_t last = 99;
  EXPECT_TRUE(kept_->Get(kVersions, Key(last)));
  leases.Put(Version(2, std::size_t{20} << 20));
  EXPECT_EQ(Kept(), kept - 1) << "what was replaced by what has no room is gone too";
}

TEST_F(KeptLeasesTest, ThreadsThatHoldAndDropTheSameLeaveAsMuchRoomAsThereWas) {
  KeptLeases leases(kept_.get());
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < 4; ++i) {
    threads.emplace_back([&leases, i] {
      for (int turn = 0; turn < 25; ++turn) {
        leases.Put(Version(1, (std::size_t{1} << 17) + i));
        if (turn % 4 == 0) leases.Erase(1);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  leases.Erase(1);
  EXPECT_EQ(Kept(), 0U);
  const auto fill = [](KeptLeases* some) {
    for (std::uint64_t number = 1; number <= 40; ++number) some->Put(Version(number, std::size_t{1} << 19));
  };
  fill(&leases);
  const std::size_t kept = Kept();
  const UniqueFd fresh = Must(KeptMemory::Make(std::size_t{32} << 20));
  kept_ = Must(KeptMemory::Attach(fresh.get()));
  KeptLeases anew(kept_.get());
  fill(&anew);
  EXPECT_EQ(kept, Kept()) << "as many as where nothing was held before";
}

TEST_F(KeptLeasesTest, WhatTheMemoryHasOfOthersStays) {
  EXPECT_TRUE(kept_->Put(15, AsBytes("x"), AsBytes("of another kind")));
  KeptLeases leases(kept_.get());
  leases.Put(Version(1));
  leases.Erase(1);
  leases.Unsettled();
  EXPECT_TRUE(leases.Load().empty());
  EXPECT_TRUE(kept_->Get(15, AsBytes("x")));
  KeptLeases none(nullptr);
  none.Put(Version(1));
  none.Heard({1, 2});
  EXPECT_TRUE(none.Load().empty());
  EXPECT_FALSE(none.LastHeard());
}

}  // namespace
}  // namespace grantfs::testing

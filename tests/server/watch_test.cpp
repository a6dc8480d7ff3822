#include "grantfs/api/watch.h"

#include <dirent.h>
#include <sys/resource.h>

#include <atomic>
#include <mutex>

#include "grantfs/api/freezes.h"
#include "grantfs/api/problem.h"
#include "served.h"
#include "support/eventually.h"

namespace grantfs::testing {
namespace {

/// One watch over the wire.
class WireWatch {
 public:
  WireWatch(RawClient& client, const PrivateIdentity& who) {
    StreamEvents events;
    events.head = [this](HttpResponse head) { status_ = head.status; };
    events.chunk = [this](std::string_view bytes) { Take(bytes); };
    events.end = [this](Status) { ended_ = true; };
    stream_ =
        client.http().OpenStream(client.Signed(RequestSigner::Of(who), api::kWatch, ""), std::move(events));
  }
  ~WireWatch() {
    stream_->Cancel();
    EXPECT_TRUE(Eventually([this] { return ended_.load(); })) << "its functions would outlive it";
  }
  WireWatch(const WireWatch&) = delete;
  int status() const { return status_; }
  bool ended() const { return ended_; }
  std::size_t lines() const { return lines_; }
  std::vector<std::string> Kinds() {
    const std::lock_guard lock(mutex_);
    return kinds_;
  }

 private:
  void Take(std::string_view bytes) {
    const std::lock_guard lock(mutex_);
    for (const char c : bytes) {
      if (c != '\n') {
        line_ += c;
        continue;
      }
      const auto line = Must(api::WatchLine::Parse(line_));
      if (line.kind == api::WatchKind::kChange) kinds_.push_back(api::ChangeKindName(line.what));
      line_.clear();
      ++lines_;
    }
  }
  std::mutex mutex_;
  std::string line_;
  std::vector<std::string> kinds_;
  std::atomic<int> status_{0};
  std::atomic<bool> ended_{false};
  std::atomic<std::size_t> lines_{0};
  std::shared_ptr<PendingRequest> stream_;
};

std::size_t Threads() {
  std::size_t count = 0;
  DIR* tasks = ::opendir("/proc/self/task");
  while (::readdir(tasks) != nullptr) ++count;
  ::closedir(tasks);
  return count - 2;
}

TEST(WireWatchTest, CarriesChangesBeatsAndPresence) {
  ServedSecret served;
  WireWatch watch(served.client(), served.machine.key);
  ASSERT_TRUE(Eventually([&] { return watch.lines() >= 2; })) << watch.status();
  const auto change = Must(served.world.Publish("shop/prod", "a", "two")).change;
  EXPECT_TRUE(Eventually([&] { return watch.Kinds() == std::vector<std::string>{"version"}; }));
  const api::PresenceRequest ask{served.machine.key.Id(), change, 0};
  const auto presence = [&] {
    return Must(served.client().Call<api::PresenceResponse>(RequestSigner::Of(served.world.owner),
                                                            api::kPresence, ask));
  };
  EXPECT_TRUE(presence().online);
  EXPECT_LT(presence().acknowledged, change);
  Must(served.client().Call<api::Nothing>(RequestSigner::Of(served.machine.key), api::kWatchAck,
                                          api::AckRequest{change}));
  EXPECT_EQ(presence().acknowledged, change);
}

TEST(WireWatchTest, AFreezeIsToldAndAnsweredAsSuch) {
  ServedSecret served;
  WireWatch watch(served.client(), served.machine.key);
  ASSERT_TRUE(Eventually([&] { return watch.lines() >= 1; }));
  const RequestSigner machine = RequestSigner::Of(served.machine.key);
  const RequestSigner owner = RequestSigner::Of(served.world.owner);
  const api::FreezeRequest freeze{{{FrozenKind::kEnvironment, "shop/prod"}}, "a leak"};
  Must(served.client().Call<api::FreezeResponse>(owner, api::kFreezesSet, freeze));
  EXPECT_TRUE(Eventually([&] { return watch.Kinds() == std::vector<std::string>{"freeze"}; }));
  const auto refused = Must(served.client().Exchange(machine, api::kMachineRead, served.ReadBody("one")));
  EXPECT_EQ(refused.status, 403);
  const auto problem = Must(api::Problem::FromJson(Must(ParseJson(refused.body))));
  EXPECT_EQ(problem.code, api::ProblemCode::kFrozen);
  EXPECT_NE(problem.detail.find("frozen by ann at "), std::string::npos) << problem.detail;
  EXPECT_EQ(Must(served.client().Exchange(machine, api::kFreezesList, "{}")).status, 404) << "for people";
  EXPECT_EQ(Must(served.client().Exchange(owner, api::kFreezesSet, R"({"objects":[],"x":1})")).status, 400);
  const auto listed = Must(
      served.client().Call<api::FreezesListResponse>(owner, api::kFreezesList, api::FreezesListRequest{}));
  ASSERT_EQ(listed.freezes.size(), 1U);
  EXPECT_EQ(listed.freezes[0].reason, "a leak");
  Must(served.client().Call<api::FreezeResponse>(owner, api::kFreezesLift, freeze));
  EXPECT_EQ(Must(served.client().Exchange(machine, api::kMachineRead, served.ReadBody("two"))).status, 200);
}

TEST(WireWatchTest, EndsWhenTheMachineIsRemoved) {
  ServedSecret served;
  WireWatch watch(served.client(), served.machine.key);
  ASSERT_TRUE(Eventually([&] { return watch.lines() >= 1; }));
  Must(served.world.RemoveMachine(served.machine));
  EXPECT_TRUE(Eventually([&] { return watch.ended(); }));
}

TEST(WireWatchTest, TooManyOfOneAreRefusedAsAProblem) {
  ServedSecret served;
  std::vector<std::unique_ptr<WireWatch>> watches;
  for (int i = 0; i < 16; ++i) {
    watches.push_back(std::make_unique<WireWatch>(served.client(), served.machine.key));
    ASSERT_TRUE(Eventually([&] { return watches.back()->lines() >= 1; }));
  }
  const auto refused = Must(
      served.client().Send(served.client().Signed(RequestSigner::Of(served.machine.key), api::kWatch, "")));
  EXPECT_EQ(refused.status, 429) << refused.body;
}

TEST(WireWatchTest, TwoThousandIdleOnesCostNoThread) {
  constexpr std::size_t kWatches = 2000;
  constexpr std::size_t kOfOne = 16;
  rlimit files{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &files), 0);
  files.rlim_cur = files.rlim_max;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &files), 0);
  ASSERT_GT(files.rlim_max, 2 * kWatches + 200) << "raise the limit of open files";
  ServedVault served;
  std::vector<VaultWorld::Machine> machines;
  for (std::size_t i = 0; i < kWatches / kOfOne; ++i)
    machines.push_back(served.world.EnrolMachine("web-" + std::to_string(i)));
  const std::size_t before = Threads();
  std::vector<std::unique_ptr<WireWatch>> watches;
  for (const auto& machine : machines) {
    for (std::size_t i = 0; i < kOfOne; ++i)
      watches.push_back(std::make_unique<WireWatch>(served.door.client, machine.key));
    ASSERT_TRUE(Eventually([&] { return watches.back()->lines() >= 1; })) << watches.size();
  }
  EXPECT_TRUE(Eventually([&] {
    return std::all_of(watches.begin(), watches.end(), [](const auto& watch) { return watch->lines() >= 2; });
  })) << "each has its hello and a beat";
  EXPECT_EQ(Threads(), before);
}

}  // namespace
}  // namespace grantfs::testing

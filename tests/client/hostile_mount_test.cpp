// What a mount's session does with a vault that wears it out, or does not take what it is told.

#include "grantfs/api/problem.h"
#include "grantfs/api/watch.h"
#include "hostile_machine_test.h"
#include "support/test_clock.h"

namespace grantfs::testing {
namespace {

class HostileMountTest : public HostileMachineTest {
 protected:
  std::unique_ptr<MachineSession> Start() {
    MachineOptions options;
    options.clock = &clock_;
    options.pausing = [this](std::chrono::milliseconds pause) {
      const std::lock_guard guard(mutex_);
      pauses_.push_back(pause);
    };
    auto session = Must(MachineSession::Start(Path("web-1"), std::move(options)));
    Good(session->WaitUntilCurrent(kLong));
    EXPECT_TRUE(Eventually([&] { return session->HeardWithin(std::chrono::seconds(1)); }));
    return session;
  }
  /// A read that the vault is not asked for.
  static bool Leased(MachineSession& session) {
    const auto opened = Read(session, "a");
    return opened && opened->record == 0;
  }
  std::size_t Told() {
    AuditFilter filter;
    filter.object = "shop/prod/a";
    filter.actor = "web-1";
    const auto lines = Must(Owner().ListAudit(filter));
    return static_cast<std::size_t>(std::count_if(lines.begin(), lines.end(), [](const AuditLine& line) {
      return line.action == "secret.read" && line.lease;
    }));
  }
  std::vector<std::chrono::milliseconds> Pauses() {
    const std::lock_guard guard(mutex_);
    return pauses_;
  }
  TestClock clock_;

 private:
  std::mutex mutex_;
  std::vector<std::chrono::milliseconds> pauses_;
};

TEST_F(HostileMountTest, WatchesThatEndAfterTheirHelloAreAskedForMoreAndMoreRarely) {
  const auto session = Start();
  Forger forger(Path("ann"));
  api::WatchLine hello;
  hello.kind = api::WatchKind::kHello;
  hello.change = 1;
  hello.vault_head = *forger.keeper().vault().head();
  vault_.EndWatches(hello.Text());
  ASSERT_TRUE(Eventually([&] { return Pauses().size() >= 6 && vault_.watches_ended() >= 6; }));
  const auto pauses = Pauses();
  std::chrono::milliseconds usual(100);
  for (std::size_t i = 0; i < 6; ++i, usual *= 2) {
    EXPECT_GE(pauses[i], usual / 2) << i;
    EXPECT_LT(pauses[i], usual * 3 / 2) << i;
  }
}

TEST_F(HostileMountTest, WhatTheVaultWillNotTakeNowIsKeptAndToldLaterOnce) {
  GrantOptions leased;
  leased.terms.lease = 600;
  Grant("web-1", "a", leased);
  const auto session = Start();
  ASSERT_TRUE(Read(*session, "a"));
  std::atomic<int> asked{0};
  vault_.SetRewrite([&asked](const HttpRequest& request, HttpResponse& answer) {
    if (request.path != api::kMachineJournal.path) return;
    ++asked;
    const api::Problem problem = api::ToProblem(Error{Code::kThrottled, "keep them and tell later"});
    answer = {429, {{"content-type", "application/problem+json"}}, problem.ToJson().Dump()};
  });
  ASSERT_TRUE(Leased(*session));
  EXPECT_TRUE(Eventually(
      [&] { return session->CurrentStatus().untold.find("keep them and tell later") != std::string::npos; }));
  EXPECT_EQ(session->CurrentStatus().unsent, 1u) << "it was kept";
  ASSERT_TRUE(Leased(*session)) << "reads go on";
  vault_.SetRewrite(nullptr);
  clock_.Pass(11);
  ASSERT_TRUE(Eventually([&] { return session->CurrentStatus().unsent == 0; })) << Notices(*session);
  EXPECT_EQ(Told(), 2u) << "each once, though the vault had the first already";
  EXPECT_TRUE(Eventually([&] { return session->CurrentStatus().untold.empty(); }));
}

}  // namespace
}  // namespace grantfs::testing

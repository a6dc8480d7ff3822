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
  TestClock clock_;
};

TEST_F(HostileMountTest, WatchesThatEndAfterTheirHelloAreAskedForMoreAndMoreRarely) {
  const auto session = Start();
  Forger forger(Path("ann"));
  api::WatchLine hello;
  hello.kind = api::WatchKind::kHello;
  hello.change = 1;
  hello.vault_head = *forger.keeper().vault().head();
  const auto begun = std::chrono::steady_clock::now();
  vault_.EndWatches(hello.Text());
  ASSERT_TRUE(Eventually([&] { return vault_.watches_ended() >= 6; }));
  // Pauses of 100, 200, 400, 800 and 1600 ms, of each half at least. A slow machine only makes them longer.
  EXPECT_GE(std::chrono::steady_clock::now() - begun, std::chrono::milliseconds(1550));
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

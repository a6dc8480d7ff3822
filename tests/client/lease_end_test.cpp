// What ends a lease before its time: a freeze, and the rotation that is due.

#include <filesystem>
#include <future>

#include "client/machine/kept_leases_internal.h"
#include "grantfs/crypto/encoding.h"
#include "grantfs/json/json.h"
#include "grantfs/util/file.h"
#include "grantfs/util/kept_memory.h"
#include "lease_fixture.h"

namespace grantfs::testing {
namespace {

TEST_F(LeaseTest, AFreezeCutsALeaseAtOnceAndUnfreezingBringsItBack) {
  GrantLease(7 * 86400);
  const auto session = Connected();
  Must(Open(*session));
  ASSERT_TRUE(Leased(*session));
  const auto number = session->CurrentListing()->secrets.at(0).number;
  const FreezeTarget targets[] = {{FreezeTarget::Kind::kMachine, "web-1"},
                                  {FreezeTarget::Kind::kEnvironment, "shop/prod"},
                                  {FreezeTarget::Kind::kProject, "shop"}};
  for (const FreezeTarget& target : targets) {
    SCOPED_TRACE(target.name);
    const auto frozen = Must(Owner().Freeze(target, "a leak", kLong));
    const auto shown = [&] { return session->CurrentListing()->secrets.at(0).frozen; };
    if (frozen.delivery)  // it has waited for the machine
      EXPECT_EQ(frozen.delivery->state, Delivery::State::kAcknowledged);
    else
      ASSERT_TRUE(Eventually([&] { return !shown().empty(); }));
    EXPECT_NE(shown().find("frozen by ann at "), std::string::npos) << shown();
    EXPECT_FALSE(session->LeaseStands(number));
    const auto refused = Open(*session);
    EXPECT_EQ(CodeOf(refused), Code::kDenied);
    EXPECT_NE(Sentence(refused).find(": a leak"), std::string::npos) << Sentence(refused);
    EXPECT_EQ(session->CurrentListing()->secrets.size(), 1u) << "it stays listed";
    Must(Owner().Unfreeze(target, "", kLong));
    ASSERT_TRUE(Eventually([&] { return shown().empty(); }));
    const auto anew = Must(Open(*session));
    EXPECT_NE(anew.record, 0u) << "what was held is gone: the vault is asked";
    EXPECT_TRUE(Leased(*session));
  }
}

TEST_F(LeaseTest, AFreezeOutlivesTheProcessAndTheVaultsAbsence) {
  GrantLease(0, 7 * 86400);
  {
    const auto session = KeptForOffline();
    Must(Owner().Freeze({FreezeTarget::Kind::kMachine, "web-1"}, "", kLong));
  }
  server_.Stop();
  {
    const auto session = Start();
    const auto refused =
        ReadSecretOnce(*session, "shop/prod/db-password", {}, std::chrono::milliseconds(200));
    EXPECT_EQ(CodeOf(refused), Code::kDenied) << "it remembers";
    EXPECT_NE(session->CurrentStatus().notices.at(0).find("this machine was frozen by ann"),
              std::string::npos);
  }
  server_.Restart();
  Must(Owner().Unfreeze({FreezeTarget::Kind::kMachine, "web-1"}, "", std::chrono::milliseconds(0)));
  const auto session = Start();
  ASSERT_TRUE(Eventually([&] { return Open(*session).has_value(); })) << "it heard when it came back";
}

TEST_F(LeaseTest, AFreezeThatNobodyHeardIsLearntAtTheStart) {
  GrantLease(0, 7 * 86400);
  { const auto session = KeptForOffline(); }
  const auto frozen =
      Must(Owner().Freeze({FreezeTarget::Kind::kMachine, "web-1"}, "", std::chrono::milliseconds(0)));
  EXPECT_EQ(frozen.delivery->state, Delivery::State::kOffline);
  const auto session = Connected();
  EXPECT_NE(session->CurrentListing()->secrets.at(0).frozen, "");
  EXPECT_TRUE(Eventually([&] { return !Kept(); })) << "what the disk held is gone";
  LoseVault(*session);
  EXPECT_EQ(CodeOf(Open(*session)), Code::kDenied);
}

TEST_F(LeaseTest, NoLeaseReachesPastTheRotationThatIsDue) {
  SetRotated(300);
  GrantLease(600, 86400);
  const auto session = Connected();
  const GrantedSecret shown = session->CurrentListing()->secrets.at(0);
  EXPECT_EQ(shown.rotate_due, shown.time + 300);
  Must(Open(*session));
  LoseVault(*session);
  clock_.Pass(200);
  EXPECT_TRUE(Leased(*session));
  EXPECT_TRUE(session->LeaseStands(shown.number));
  clock_.Pass(101);
  const auto refused = Open(*session);
  EXPECT_EQ(CodeOf(refused), Code::kUnreachable);
  EXPECT_NE(Sentence(refused).find("secret's rotation, which is overdue"), std::string::npos)
      << Sentence(refused);
  EXPECT_FALSE(session->LeaseStands(shown.number)) << "for files that are open";
  server_.Restart();
  ASSERT_TRUE(Eventually([&] { return Open(*session).has_value(); })) << "overdue is not expired";
  EXPECT_NE(Must(Open(*session)).record, 0u) << "each open asks the vault";
  SetRotated(3600);
  ASSERT_TRUE(Eventually([&] { return Lists(*session, "db-password", 3); }));
  ASSERT_TRUE(Eventually([&] { return Leased(*session); })) << "the new version has its own time";
}

TEST_F(LeaseTest, AClockThatIsSetBackProlongsNoLeasePastTheRotation) {
  SetRotated(300);
  GrantLease(7 * 86400, 7 * 86400);
  const UniqueFd memory = Must(KeptMemory::Make(std::size_t{32} << 20));
  auto kept = Must(KeptMemory::Attach(memory.get()));
  auto session = Connected(kept.get());
  Must(Open(*session));
  ASSERT_TRUE(Eventually([&] { return Kept() && kept->Has(17, {}); })) << "when the vault was heard";
  server_.Stop();
  clock_.Pass(200);
  EXPECT_TRUE(Leased(*session));
  clock_.SetBy(-86400);
  clock_.Pass(50);
  EXPECT_TRUE(Leased(*session)) << "and it takes nothing away";
  session.reset();
  kept.reset();
  kept = Must(KeptMemory::Attach(memory.get()));
  session = Start(kept.get());
  EXPECT_TRUE(Leased(*session)) << "by the process that comes next";
  clock_.Pass(51);
  EXPECT_EQ(CodeOf(Open(*session)), Code::kUnreachable);
  session.reset();
  kept.reset();
  kept = Must(KeptMemory::Attach(memory.get()));
  EXPECT_EQ(CodeOf(Open(*Start(kept.get()))), Code::kUnreachable);
}

TEST_F(LeaseTest, OfflineUseEndsWithTheRotationThatIsDueAndLeavesNothingOnTheDisk) {
  SetRotated(300);
  GrantLease(0, 86400);
  auto session = KeptForOffline();
  session.reset();
  server_.Stop();
  session = Start();
  EXPECT_TRUE(Leased(*session));
  clock_.Pass(301);
  EXPECT_EQ(CodeOf(Open(*session)), Code::kUnreachable);
  EXPECT_TRUE(Eventually([&] { return !Kept(); }));
  session.reset();
  EXPECT_EQ(CodeOf(Open(*Start())), Code::kUnreachable);
}

TEST_F(LeaseTest, WhatIsOverdueFromTheStartHasNoLeaseAtAll) {
  SetRotated(300);
  GrantLease(600, 600);
  clock_.Pass(301);
  const auto session = Connected();
  for (int i = 0; i < 3; ++i) EXPECT_NE(Must(Open(*session)).record, 0u);
  EXPECT_EQ(session->CurrentStatus().unsent, 0u);
  server_.Stop();
  EXPECT_EQ(CodeOf(Open(*session)), Code::kUnreachable);
}

TEST_F(LeaseTest, AFileOfSeveralIsLeasedUntilTheFirstRotationThatIsDue) {
  SetRotated(300);
  Set("api-key", "k");
  Must(Owner().SetTemplate({"shop/prod", "app.env"}, Value("{{ api-key }} {{ db-password }}"), {}));
  GrantOptions options;
  options.terms.lease = 600;
  for (const char* path : {"api-key", "db-password", "app.env"}) Grant("web-1", path, options);
  const auto session = Connected();
  const auto named = [&](const std::string& path) {
    for (const GrantedSecret& secret : session->CurrentListing()->secrets)
      if (secret.path == path) return secret;
    return GrantedSecret();
  };
  EXPECT_EQ(named("app.env").rotate_due, named("db-password").rotate_due);
  EXPECT_EQ(named("api-key").rotate_due, 0);
  EXPECT_EQ(Shown(Must(Open(*session, "app.env")).value), "k hunter2");
  server_.Stop();
  clock_.Pass(200);
  EXPECT_EQ(Shown(Must(Open(*session, "app.env")).value), "k hunter2");
  EXPECT_TRUE(session->LeaseStands(named("app.env").number));
  clock_.Pass(101);
  EXPECT_EQ(CodeOf(Open(*session, "app.env")), Code::kUnreachable);
  EXPECT_FALSE(session->LeaseStands(named("app.env").number));
  EXPECT_EQ(Shown(Must(Open(*session, "api-key")).value), "k") << "which is due at no time";
}

}  // namespace
}  // namespace grantfs::testing

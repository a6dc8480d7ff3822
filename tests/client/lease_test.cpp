// Leases and offline use, over a real server that comes and goes.

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

TEST_F(LeaseTest, WhatWasReadInTheLastMomentOfAMountIsServedOfflineByTheNext) {
  GrantLease(0, 7 * 86400);
  {
    const auto session = Connected();
    Must(Open(*session));
  }
  EXPECT_TRUE(Kept()) << "nothing of it is on the disk";
  server_.Stop();
  const auto session = Start();
  EXPECT_TRUE(Eventually([&] { return Leased(*session); }));
}

TEST_F(LeaseTest, WhatWasReadUntilTheProcessIsReplacedIsOnTheDiskBeforeItEnds) {
  const std::vector<std::string> paths{"a", "b", "c", "d"};
  for (const std::string& path : paths) {
    Set(path, "hunter2");
    GrantOptions options;
    options.terms.offline = 7 * 86400;
    Grant("web-1", path, options);
  }
  const auto session = Connected();
  std::size_t files = 1;  // when the vault was heard
  for (const std::string& path : paths) {
    Must(Open(*session, path));
    session->HandOver(kLong);
    std::size_t found = 0;
    std::error_code none;
    for (const auto& entry : std::filesystem::directory_iterator(Path("web-1") + "/offline", none))
      found += entry.path().extension() == ".json" ? 1 : 0;
    EXPECT_EQ(found, ++files) << path << " was read last";
  }
}

TEST_F(LeaseTest, ARefusalThatTheNextProcessWouldNotFindIsToldBeforeThisOneEnds) {
  GrantLease(600);
  const auto session = Connected();
  const auto secret = session->CurrentListing()->secrets.at(0);
  RefusedRead refused;
  refused.number = secret.number;
  refused.version = secret.version;
  refused.reason = "it is for root alone";
  refused.count = 1;
  refused.id = "the-same";
  const auto told = [&] {
    AuditFilter filter;
    filter.action = "read.refused";
    return Must(Owner().ListAudit(filter)).size();
  };
  session->ReportRefusals({refused});
  session->HandOver(kLong);
  EXPECT_EQ(told(), 1u);
  session->ReportRefusals({refused});
  session->HandOver(kLong);
  EXPECT_EQ(told(), 1u) << "by its id it is recorded once";
}

TEST_F(LeaseTest, TheFirstOpenAsksTheOthersAreServedAndToldWithBothTimes) {
  GrantLease(600);
  const auto session = Connected();
  const auto first = Must(Open(*session));
  EXPECT_NE(first.record, 0u) << "the vault was asked";
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(Leased(*session));
  ASSERT_TRUE(Eventually([&] { return Told() == 6; })) << Told();
  EXPECT_TRUE(Eventually([&] { return session->CurrentStatus().unsent == 0; }));
  const auto reads = Reads();
  EXPECT_TRUE(reads.front().lease);
  EXPECT_NE(reads.front().read_ms, 0);
  EXPECT_EQ(reads.front().caller, "uid 33 pid 123 /usr/bin/cat");
  EXPECT_FALSE(reads.back().lease);
}

TEST_F(LeaseTest, AnOutageIsBridgedUntilTheLeaseEndsAndAllIsToldAfterwards) {
  GrantLease(600);
  const auto session = Connected();
  const auto number = session->CurrentListing()->secrets.at(0).number;
  Must(Open(*session));
  LoseVault(*session);
  EXPECT_TRUE(Leased(*session));
  clock_.Pass(300);
  EXPECT_TRUE(Leased(*session));
  EXPECT_TRUE(session->LeaseStands(number)) << "for files that are open";
  EXPECT_EQ(session->CurrentStatus().unsent, 2u);
  clock_.Pass(301);
  const auto refused = Open(*session);
  EXPECT_EQ(CodeOf(refused), Code::kUnreachable);
  EXPECT_NE(Sentence(refused).find("under no lease"), std::string::npos) << Sentence(refused);
  EXPECT_FALSE(session->LeaseStands(number));
  server_.Restart();
  EXPECT_TRUE(Eventually([&] { return Told() >= 3; })) << Told();
  ASSERT_TRUE(Eventually([&] { return Open(*session).has_value(); }));
}

TEST_F(LeaseTest, ARevocationCutsALeaseAtOnce) {
  GrantLease(7 * 86400);
  const auto session = Connected();
  Must(Open(*session));
  ASSERT_TRUE(Leased(*session));
  const auto number = session->CurrentListing()->secrets.at(0).number;
  Must(Owner().RevokeFrom("web-1", {{"shop/prod", "db-password"}}, "", kLong));  // until it has followed
  EXPECT_EQ(CodeOf(Open(*session)), Code::kNotFound);
  EXPECT_FALSE(session->LeaseStands(number));
}

TEST_F(LeaseTest, ANewVersionIsAskedForAndTheOldOneIsNotServedInItsPlace) {
  GrantLease(600);
  const auto session = Connected();
  Must(Open(*session));
  Set("db-password", "other");
  ASSERT_TRUE(Eventually([&] { return Lists(*session, "db-password", 2); }));
  server_.Stop();
  EXPECT_EQ(CodeOf(Open(*session)), Code::kUnreachable) << "version 2 was never asked for";
  server_.Restart();
  ASSERT_TRUE(Eventually([&] { return Open(*session).has_value(); }));
  EXPECT_EQ(Shown(Must(Open(*session)).value), "other");
}

TEST_F(LeaseTest, ALeaseEndsWithTheGrant) {
  GrantLease(600, 600, "each", 60);
  const auto session = Connected();
  Must(Open(*session));
  server_.Stop();
  EXPECT_TRUE(Leased(*session));
  clock_.Pass(61);
  EXPECT_EQ(CodeOf(Open(*session)), Code::kExpired);
}

TEST_F(LeaseTest, ARemovedMachineHasNoLeaseLeft) {
  GrantLease(86400, 86400);
  const auto session = KeptForOffline();
  Must(Owner().RemoveIdentity("web-1", ""));
  ASSERT_TRUE(Eventually([&] { return !Leased(*session); }));
  EXPECT_TRUE(Eventually([&] { return !Kept(); }));
}

TEST_F(LeaseTest, ReadsThatAreCountedAndReadsThatWaitForTheDisk) {
  GrantLease(600, 0, "aggregate");
  auto session = Connected();
  Must(Open(*session));
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(Leased(*session));
  session.reset();  // what is counted is written down
  GrantLease(600, 0, "sync");
  session = Connected();
  ASSERT_TRUE(Eventually([&] { return Told() >= 201; })) << Told();
  EXPECT_LE(Reads().size(), 5u) << "counted, not one by one";
  Must(Open(*session));
  EXPECT_TRUE(Leased(*session));
  ASSERT_TRUE(Eventually([&] { return Told() == 203; })) << Told();
}

TEST_F(LeaseTest, AMachineThatStartsWithTheVaultAwayServesWhatItKept) {
  GrantLease(0, 86400);
  auto session = Connected();
  Must(Open(*session));
  EXPECT_NE(Must(Open(*session)).record, 0u) << "without a lease the vault is asked while it answers";
  ASSERT_TRUE(Eventually([&] { return Kept(); }));
  session.reset();
  server_.Stop();
  session = Start();
  ASSERT_TRUE(Leased(*session));
  session.reset();
  clock_.SetBy(-7 * 86400);
  session = Start();
  EXPECT_TRUE(Leased(*session)) << "a clock that went back takes nothing away";
  clock_.Pass(86401);
  EXPECT_EQ(CodeOf(Open(*session)), Code::kUnreachable) << "and lengthens nothing";
  session.reset();
  server_.Restart();
  session = Connected();
  EXPECT_TRUE(Eventually([&] { return Told() == 4; })) << "what was read offline is told: " << Told();
}

TEST_F(LeaseTest, TheNextProcessGoesOnWithALeaseUnlessTheTimesItWasLeftCannotBe) {
  GrantLease(600);
  const UniqueFd memory = Must(KeptMemory::Make(std::size_t{1} << 20));
  std::optional<KeptLeases::Contact> good;
  {
    const auto kept = Must(KeptMemory::Attach(memory.get()));
    const auto session = Start(kept.get());
    Good(session->WaitUntilCurrent(kLong));
    Must(Open(*session));
    ASSERT_TRUE(Eventually([&] {
      good = KeptLeases(kept.get()).LastHeard();
      return good && Leased(*session);
    }));
  }
  server_.Stop();
  const auto leased_after = [&](const KeptLeases::Contact& contact) {
    const auto kept = Must(KeptMemory::Attach(memory.get()));
    KeptLeases(kept.get()).Heard(contact);
    return Leased(*Start(kept.get()));
  };
  EXPECT_TRUE(leased_after(*good));
  const std::int64_t minute = 60'000'000'000;
  EXPECT_FALSE(leased_after({good->boot_ns + 60 * minute, good->wall})) << "an hour that is still to come";
  EXPECT_FALSE(leased_after({-1, good->wall}));
  EXPECT_FALSE(leased_after({good->boot_ns, good->wall + 3600}));
  EXPECT_TRUE(leased_after(*good));
}

TEST_F(LeaseTest, WhatIsKeptGoesWithTheGrantAndIsNotBelievedWhenItWasChanged) {
  GrantLease(0, 86400);
  auto session = KeptForOffline();
  session.reset();
  server_.Stop();
  std::string path;
  for (const auto& entry : std::filesystem::directory_iterator(Path("web-1") + "/offline"))
    if (entry.path().filename() != "contact.json") path = entry.path();
  auto json = Must(ParseJson(ToText(Must(ReadFile(path, 1 << 20)))));
  json.Set("ciphertext", Base64Encode(Bytes(64, 1)));
  Must(WriteFileAtomic(path, AsBytes(json.Dump()), 0600));
  session = Start();
  EXPECT_FALSE(Open(*session)) << "the lists name another ciphertext";
  session.reset();
  server_.Restart();
  Revoke("web-1", "db-password");
  session = Connected();
  EXPECT_TRUE(Eventually([&] { return !Kept(); }));
}

}  // namespace
}  // namespace grantfs::testing

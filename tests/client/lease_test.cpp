// Leases and offline use, over a real server that comes and goes.

#include <filesystem>
#include <future>

#include "client/kept_leases_internal.h"
#include "grantfs/crypto/encoding.h"
#include "grantfs/json/json.h"
#include "grantfs/util/file.h"
#include "grantfs/util/kept_memory.h"
#include "served_vault.h"
#include "support/test_clock.h"

namespace grantfs::testing {
namespace {

class LeaseTest : public ServedTest {
 protected:
  LeaseTest() {
    Set("db-password", "hunter2");
    Machine("web-1");
  }
  void GrantLease(std::int64_t lease, std::int64_t offline = 0, const char* record = "each",
                  std::int64_t expires = 0) {
    GrantOptions options;
    options.terms.lease = lease;
    options.terms.offline = offline;
    options.terms.record = record;
    if (expires != 0) options.terms.expires = SystemClock().WallSeconds() + expires;
    Grant("web-1", "db-password", options);
  }
  /// The same value once more, to be rotated after so many seconds.
  void SetRotated(std::int64_t after) {
    SetSecretOptions options;
    options.rotate_after = after;
    Must(Owner().SetSecret({"shop/prod", "db-password"}, Value("hunter2"), options));
  }
  std::unique_ptr<MachineSession> Start(KeptMemory* kept = nullptr) {
    MachineOptions options;
    options.clock = &clock_;
    options.kept = kept;
    return Must(MachineSession::Start(Path("web-1"), std::move(options)));
  }
  /// Listening, with nothing left to look at: what was leased is served without asking.
  std::unique_ptr<MachineSession> Connected(KeptMemory* kept = nullptr) {
    auto session = Start(kept);
    Good(session->WaitUntilCurrent(kLong));
    EXPECT_TRUE(Eventually([&] { return session->HeardWithin(std::chrono::seconds(1)); }));
    return session;
  }
  static Result<OpenedSecret> Open(MachineSession& session, const std::string& path = "db-password") {
    return ReadSecretOnce(session, "shop/prod/" + path, {123, 33, 33, "/usr/bin/cat", "/x"}, kLong);
  }
  static bool Leased(MachineSession& session) {
    const auto opened = Open(session);
    return opened && opened->record == 0 && Shown(opened->value) == "hunter2";
  }
  std::vector<AuditLine> Reads() {
    AuditFilter filter;
    filter.object = "shop/prod/db-password";
    filter.actor = "web-1";
    auto lines = Must(Owner().ListAudit(filter));
    std::erase_if(lines, [](const AuditLine& line) { return line.action != "secret.read"; });
    return lines;
  }
  std::uint64_t Told() {
    std::uint64_t reads = 0;
    for (const AuditLine& line : Reads()) reads += line.count;
    return reads;
  }
  /// A secret, and when the vault was heard: whole files, not those that are being written.
  bool Kept() const {
    bool contact = false, secret = false;
    std::error_code none;
    for (const auto& entry : std::filesystem::directory_iterator(Path("web-1") + "/offline", none)) {
      if (entry.path().extension() == ".json")
        (entry.path().filename() == "contact.json" ? contact : secret) = true;
    }
    return contact && secret;
  }
  TestClock clock_;
};

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
  server_.Stop();
  ASSERT_TRUE(Eventually([&] { return !session->CurrentStatus().connected; }));
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
    const auto session = Connected();
    Must(Open(*session));
    ASSERT_TRUE(Eventually([&] { return Kept(); }));
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
  {
    const auto session = Connected();
    Must(Open(*session));
    ASSERT_TRUE(Eventually([&] { return Kept(); }));
  }
  const auto frozen =
      Must(Owner().Freeze({FreezeTarget::Kind::kMachine, "web-1"}, "", std::chrono::milliseconds(0)));
  EXPECT_EQ(frozen.delivery->state, Delivery::State::kOffline);
  const auto session = Connected();
  EXPECT_NE(session->CurrentListing()->secrets.at(0).frozen, "");
  EXPECT_TRUE(Eventually([&] { return !Kept(); })) << "what the disk held is gone";
  server_.Stop();
  ASSERT_TRUE(Eventually([&] { return !session->CurrentStatus().connected; }));
  EXPECT_EQ(CodeOf(Open(*session)), Code::kDenied);
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

TEST_F(LeaseTest, NoLeaseReachesPastTheRotationThatIsDue) {
  SetRotated(300);
  GrantLease(600, 86400);
  const auto session = Connected();
  const GrantedSecret shown = session->CurrentListing()->secrets.at(0);
  EXPECT_EQ(shown.rotate_due, shown.time + 300);
  Must(Open(*session));
  server_.Stop();
  ASSERT_TRUE(Eventually([&] { return !session->CurrentStatus().connected; }));
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
  auto session = Connected();
  Must(Open(*session));
  ASSERT_TRUE(Eventually([&] { return Kept(); }));
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

TEST_F(LeaseTest, ARemovedMachineHasNoLeaseLeft) {
  GrantLease(86400, 86400);
  const auto session = Connected();
  Must(Open(*session));
  ASSERT_TRUE(Eventually([&] { return Kept(); }));
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
  const auto start = [&](KeptMemory* kept) {
    MachineOptions options;
    options.clock = &clock_;
    options.kept = kept;
    return Must(MachineSession::Start(Path("web-1"), std::move(options)));
  };
  std::optional<KeptLeases::Contact> good;
  {
    const auto kept = Must(KeptMemory::Attach(memory.get()));
    const auto session = start(kept.get());
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
    return Leased(*start(kept.get()));
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
  auto session = Connected();
  Must(Open(*session));
  ASSERT_TRUE(Eventually([&] { return Kept(); }));
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

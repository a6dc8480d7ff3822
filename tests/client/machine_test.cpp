#include <future>

#include "served_vault.h"

namespace grantfs::testing {
namespace {

class MachineTest : public ServedTest {
 protected:
  MachineTest() {
    Set("db-password", "hunter2");
    Machine("web-1");
  }
  static std::uint64_t NumberOf(const MachineSession& session, const std::string& path) {
    const auto listing = session.CurrentListing();
    for (const GrantedSecret& secret : listing->secrets) {
      if (secret.path == path) return secret.number;
    }
    return 0;
  }
  Result<OpenedSecret> Open(MachineSession& session, SecretSource::OpenRequest request) {
    std::promise<Result<OpenedSecret>> opened;
    session.Open(std::move(request), kLong, [&](Result<OpenedSecret> r) { opened.set_value(std::move(r)); });
    return opened.get_future().get();
  }
};

TEST_F(MachineTest, BothEndsOfAnEnrolmentSeeTheSameFingerprint) {
  InviteOptions invite;
  invite.name = "web-2";
  const auto line = Must(Owner().Invite(invite)).line;
  const auto waiting = Must(Enrol(Path("web-2"), &line, std::chrono::milliseconds(0), {}));
  EXPECT_EQ(waiting.name, "web-2");
  EXPECT_EQ(CodeOf(MachineSession::Start(Path("web-2"))), Code::kConflict) << "waits for approval";
  const auto pending = Must(Owner().ListPending());
  ASSERT_EQ(pending.size(), 1u);
  EXPECT_EQ(pending[0].fingerprint, waiting.fingerprint);
  EXPECT_EQ(pending[0].problem, "");
  EXPECT_EQ(CodeOf(Owner().Approve("web-2", "aaaa-aaaa-aaaa-aaaa-aaaa")), Code::kIntegrity);
  EXPECT_EQ(CodeOf(Owner().Approve("web-3", "")), Code::kNotFound);
  EXPECT_EQ(Must(Owner().Approve("web-2", waiting.fingerprint)).fingerprint, waiting.fingerprint);
  EXPECT_TRUE(Must(Enrol(Path("web-2"), &line, std::chrono::milliseconds(0), {})).approved);
  EXPECT_EQ(CodeOf(Enrol(Path("web-2"), &line, std::chrono::milliseconds(0), {})), Code::kConflict);
  EXPECT_FALSE(Enrol(Path("other"), &line, std::chrono::milliseconds(0), {})) << "the invitation was used";
}

TEST_F(MachineTest, EnrolWaitsForTheApproval) {
  InviteOptions invite;
  invite.name = "web-2";
  const auto line = Must(Owner().Invite(invite)).line;
  std::promise<void> waits;
  auto enrolled = std::async(std::launch::async, [&] {
    return Enrol(Path("web-2"), &line, kLong, [&](const EnrolResult&) { waits.set_value(); });
  });
  waits.get_future().wait();
  Must(Owner().Approve("web-2", ""));
  EXPECT_TRUE(Must(enrolled.get()).approved);
}

TEST_F(MachineTest, ReadsWhatItIsGrantedAndNothingElse) {
  Set("other", "x");
  const auto session = Mount("web-1");
  EXPECT_TRUE(session->CurrentListing()->secrets.empty());
  Grant("web-1", "db-password");
  ASSERT_TRUE(Eventually([&] { return Lists(*session, "db-password"); }));
  const auto opened = Must(Read(*session, "db-password"));
  EXPECT_EQ(Shown(opened.value), "hunter2");
  EXPECT_EQ(opened.version, 1u);
  EXPECT_EQ(CodeOf(Read(*session, "other")), Code::kNotFound);
  const auto status = session->CurrentStatus();
  EXPECT_TRUE(status.connected);
  EXPECT_EQ(status.machine, "web-1");
  EXPECT_EQ(status.problem, "");
  EXPECT_TRUE(status.notices.empty());
  AuditFilter filter;
  filter.actor = "web-1";
  const auto lines = Must(Owner().ListAudit(filter));
  const bool recorded = std::any_of(lines.begin(), lines.end(), [&](const AuditLine& line) {
    return line.sequence == opened.record && line.object == "shop/prod/db-password" && line.outcome == "done";
  });
  EXPECT_TRUE(recorded) << "the read stands in the log where the vault said";
}

TEST_F(MachineTest, FollowsRotationsAndServesTheOldVersionForAMoment) {
  Grant("web-1", "db-password");
  const auto session = Mount("web-1");
  const auto number = NumberOf(*session, "db-password");
  Set("db-password", "rotated");
  ASSERT_TRUE(Eventually([&] { return Lists(*session, "db-password", 2); }));
  EXPECT_EQ(ReadText(*session, "db-password"), "rotated");
  SecretSource::OpenRequest old;
  old.number = number;
  old.version = 1;
  old.open_id = "old-1";
  EXPECT_EQ(CodeOf(Open(*session, old)), Code::kConflict);
  old.grace = true;
  old.open_id = "old-2";
  EXPECT_EQ(Shown(Must(Open(*session, old)).value), "hunter2");
}

TEST_F(MachineTest, AnOutdatedOpenShowsTheNewVersionBeforeItIsRefused) {
  Grant("web-1", "db-password");
  MachineOptions options;
  options.watch = false;  // nothing tells it of the rotation
  const auto session = Must(MachineSession::Start(Path("web-1"), std::move(options)));
  Good(session->WaitUntilCurrent(kLong));
  Set("db-password", "rotated");
  SecretSource::OpenRequest request;
  request.number = NumberOf(*session, "db-password");
  request.version = 1;
  request.open_id = "outdated";
  EXPECT_EQ(CodeOf(Open(*session, request)), Code::kConflict);
  EXPECT_TRUE(Lists(*session, "db-password", 2));
  request.version = 0;
  request.open_id = "newest";
  EXPECT_EQ(Shown(Must(Open(*session, request)).value), "rotated");
}

TEST_F(MachineTest, AnOpenByLabelFetchesTheNewerListsFirst) {
  Grant("web-1", "db-password");
  MachineOptions options;
  options.watch = false;
  const auto session = Must(MachineSession::Start(Path("web-1"), std::move(options)));
  Good(session->WaitUntilCurrent(kLong));
  Set("db-password", "rotated");
  Must(Owner().CreateEnvironment("shop/later", ""));
  EXPECT_EQ(ReadText(*session, "db-password"), "rotated");
}

TEST_F(MachineTest, ListsWithTheVaultDownAndFollowsWhenItComesBack) {
  Grant("web-1", "db-password");
  Mount("web-1").reset();
  server_.Stop();
  const auto session = Must(MachineSession::Start(Path("web-1")));
  EXPECT_TRUE(Lists(*session, "db-password")) << "from what the home has verified";
  EXPECT_EQ(CodeOf(Read(*session, "db-password")), Code::kUnreachable);
  EXPECT_FALSE(session->HeardWithin(std::chrono::hours(1)));
  ASSERT_TRUE(Eventually([&] { return !session->CurrentStatus().problem.empty(); }));
  EXPECT_FALSE(session->CurrentStatus().connected);
  server_.Restart();
  Good(session->WaitUntilCurrent(kLong));
  EXPECT_EQ(ReadText(*session, "db-password"), "hunter2");
  Set("db-password", "rotated");
  ASSERT_TRUE(Eventually([&] { return Lists(*session, "db-password", 2); }));
  ASSERT_TRUE(Eventually([&] { return session->CurrentStatus().problem.empty(); }));
}

TEST_F(MachineTest, AnOpenIsRecordedOnceHoweverOftenItIsSent) {
  Grant("web-1", "db-password");
  const auto session = Mount("web-1");
  SecretSource::OpenRequest request;
  request.number = NumberOf(*session, "db-password");
  request.open_id = "same";
  const auto first = Must(Open(*session, request));
  const auto again = Must(Open(*session, request));
  EXPECT_EQ(first.record, again.record);
}

TEST_F(MachineTest, CancelsAndDeadlinesEndAnOpen) {
  Grant("web-1", "db-password");
  const auto session = Mount("web-1");
  server_.Stop();
  SecretSource::OpenRequest request;
  request.number = NumberOf(*session, "db-password");
  request.open_id = "cancelled";
  std::promise<Code> ended;
  const auto pending =
      session->Open(request, kLong, [&](Result<OpenedSecret> r) { ended.set_value(CodeOf(r)); });
  pending->Cancel();
  const Code code = ended.get_future().get();
  EXPECT_TRUE(code == Code::kCancelled || code == Code::kUnreachable) << static_cast<int>(code);
  std::promise<Code> late;
  session->Open(request, std::chrono::milliseconds(1),
                [&](Result<OpenedSecret> r) { late.set_value(CodeOf(r)); });
  EXPECT_EQ(late.get_future().get(), Code::kUnreachable);
}

TEST_F(MachineTest, ChecksAnOpenHandle) {
  Grant("web-1", "db-password");
  const auto session = Mount("web-1");
  const auto number = NumberOf(*session, "db-password");
  const auto check = [&] {
    std::promise<Status> checked;
    session->Check(number, 1, kLong, [&](Status status) { checked.set_value(std::move(status)); });
    return checked.get_future().get();
  };
  Good(check());
  Revoke("web-1", "db-password");
  EXPECT_EQ(CodeOf(check()), Code::kNotFound);
}

TEST_F(MachineTest, ASubscriberHearsOfEachChange) {
  const auto session = Mount("web-1");
  std::atomic<int> heard{0};
  session->Subscribe([&] { ++heard; });
  Grant("web-1", "db-password");
  ASSERT_TRUE(Eventually([&] { return heard.load() > 0 && Lists(*session, "db-password"); }));
  session->Subscribe({});
  const int before = heard.load();
  Revoke("web-1", "db-password");
  ASSERT_TRUE(Eventually([&] { return !Lists(*session, "db-password"); }));
  EXPECT_EQ(heard.load(), before);
}

}  // namespace
}  // namespace grantfs::testing

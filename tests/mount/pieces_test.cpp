#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <thread>

#include "../support/eventually.h"
#include "grantfs/crypto/random.h"
#include "mount/base/line_limiter_internal.h"
#include "mount/base/mount_point_internal.h"
#include "mount/base/mount_table_internal.h"
#include "mount/base/recent_map_internal.h"
#include "mount/base/work_queue_internal.h"
#include "mount/callers/account_internal.h"
#include "mount/callers/caller_internal.h"
#include "mount/callers/decide_internal.h"
#include "mount/reports/report_internal.h"
#include "mount/supervisor/control_internal.h"
#include "mount/tree/tree_lock_internal.h"
#include "mount/worker/worker_internal.h"

namespace grantfs {
namespace {

TEST(DecideTest, EveryCodeHasItsErrno) {
  const std::pair<Code, int> table[] = {
      {Code::kInvalid, EIO},        {Code::kDenied, EACCES},
      {Code::kNotFound, ENOENT},    {Code::kExpired, EKEYEXPIRED},
      {Code::kConflict, ESTALE},    {Code::kUnreachable, EIO},
      {Code::kThrottled, EIO},      {Code::kUnrecorded, EIO},
      {Code::kIntegrity, EBADMSG},  {Code::kUnauthentic, EACCES},
      {Code::kUnsupported, EACCES}, {Code::kCancelled, EINTR},
      {Code::kNoSpace, EIO},        {Code::kIo, EIO},
  };
  for (const auto& [code, error] : table) EXPECT_EQ(ErrnoOf(code), error) << CodeName(code);
}

TEST(DecideTest, AListedGrantCanRefuseAnOpen) {
  GrantedSecret grant;
  EXPECT_FALSE(RefuseOpen(grant, 100));
  grant.expires = 101;
  EXPECT_FALSE(RefuseOpen(grant, 100));
  grant.expires = 100;
  EXPECT_EQ(RefuseOpen(grant, 100)->error, EKEYEXPIRED);
  grant.unenforceable = "a condition of later";
  EXPECT_EQ(RefuseOpen(grant, 100)->error, EACCES);
  EXPECT_FALSE(RefuseOpen(grant, 100)->recorded);
}

TEST(DecideTest, WhatIsFrozenIsNeitherOpenedNorReadOn) {
  GrantedSecret grant;
  grant.frozen = "shop/prod was frozen by ann";
  EXPECT_EQ(RefuseOpen(grant, 100)->error, EACCES);
  EXPECT_TRUE(RefuseOpen(grant, 100)->recorded);
  EXPECT_EQ(RefuseOpen(grant, 100)->reason, "it is frozen: shop/prod was frozen by ann");
  for (const bool page_fill : {false, true}) {
    const auto refused = RefuseRead(&grant, 100, page_fill, false);
    ASSERT_TRUE(refused);
    EXPECT_EQ(refused->error, EACCES);
  }
}

TEST(DecideTest, AReadIsCheckedAgain) {
  GrantedSecret grant;
  EXPECT_FALSE(RefuseRead(&grant, 100, false, false));
  EXPECT_FALSE(RefuseRead(&grant, 100, true, false));
  EXPECT_EQ(RefuseRead(nullptr, 100, false, false)->error, EACCES);
  EXPECT_EQ(RefuseRead(&grant, 100, true, true)->error, EACCES);
  EXPECT_FALSE(RefuseRead(&grant, 100, false, true));
  grant.strict = true;
  EXPECT_EQ(RefuseRead(&grant, 100, true, false)->error, EACCES);
  EXPECT_FALSE(RefuseRead(&grant, 100, false, false));
  grant.expires = 1;
  EXPECT_EQ(RefuseRead(&grant, 100, false, false)->error, EKEYEXPIRED);
}

TEST(RecentMapTest, ForgetsTheOldest) {
  RecentMap<int, int> map(2);
  map.Touch(1) = 10;
  map.Touch(2) = 20;
  map.Touch(1) = 11;
  map.Touch(3) = 30;
  EXPECT_EQ(map.Find(2), nullptr);
  EXPECT_EQ(*map.Find(1), 11);
  map.Erase(1);
  map.Erase(1);
  EXPECT_EQ(map.size(), 1U);
}

TEST(LineLimiterTest, CountsWhatItKeepsBack) {
  LineLimiter limiter;
  const std::chrono::seconds start(5000);
  for (int i = 0; i < LineLimiter::kBurst; ++i) EXPECT_EQ(limiter.Pass(start), 0);
  EXPECT_EQ(limiter.Pass(start), -1);
  EXPECT_EQ(limiter.Pass(start), -1);
  EXPECT_EQ(limiter.Pass(start + std::chrono::seconds(1)), 2);
  EXPECT_EQ(limiter.Pass(start + std::chrono::seconds(1)), 0);
  EXPECT_EQ(limiter.Pass(start + std::chrono::seconds(1)), -1);
  EXPECT_EQ(limiter.Pass(start + std::chrono::hours(1)), 1);
}

TEST(MountTableTest, ReadsTheKernelsLines) {
  const auto entries = ParseMountInfo(
      "36 35 98:0 /mnt1 /mnt/a\\040b rw,noatime master:1 shared:2 - ext3 /dev/root rw,errors=continue\n"
      "37 36 0:44 / /run/x ro - fuse.grantfs grantfs ro,user_id=0\n"
      "nonsense\n"
      "38 36 0:44 / /run/y ro no separator here at all\n");
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries[0].id, 36U);
  EXPECT_EQ(entries[0].point, "/mnt/a b");
  EXPECT_EQ(entries[0].type, "ext3");
  EXPECT_EQ(entries[1].type, kFilesystemType);
  EXPECT_EQ(entries[1].super_options, "ro,user_id=0");
  EXPECT_EQ(TopMount("/proc")->type, "proc");
  EXPECT_FALSE(TopMount("/proc/self/nothing"));
}

TEST(MountTableTest, TellsWhoAloneMayComeIn) {
  MountEntry entry;
  EXPECT_FALSE(OnlyUserOf(entry));
  entry.super_options = "ro,user_id=1000,group_id=5,default_permissions";
  EXPECT_EQ(OnlyUserOf(entry), uid_t{1000});
  entry.super_options += ",allow_other";
  EXPECT_FALSE(OnlyUserOf(entry));
}

TEST(KernelTest, MustBeNewEnough) {
  for (const char* good :
       {"5.14", "5.14.0-1-amd64", "5.15.3", "6.1.0-18-cloud", "6.18.44+x", "10.0", "strange"}) {
    EXPECT_TRUE(CheckKernel(good)) << good;
  }
  for (const char* old : {"5.13.19", "5.4.0-100-generic", "4.19", "3.10.0"}) {
    const Status status = CheckKernel(old);
    ASSERT_FALSE(status) << old;
    EXPECT_NE(Describe(status.error()).find("needs Linux 5.14"), std::string::npos);
  }
}

TEST(CallerTest, IsTheProcessOfTheThread) {
  std::thread([] {
    WantedFacts wanted;
    wanted.account = true;
    const Caller caller = LookUpProcess(static_cast<std::uint32_t>(syscall(SYS_gettid)), 1, 2, wanted).caller;
    EXPECT_EQ(caller.pid, static_cast<std::uint32_t>(getpid()));
    EXPECT_EQ(caller.uid, 1U);
    EXPECT_EQ(caller.gid, 2U);
    EXPECT_NE(caller.executable.find("mount_unit_test"), std::string::npos);
  }).join();
}

TEST(CallerTest, IsAskedForAnewEachTimeAndTheDeadAreForgotten) {
  int gate[2];
  ASSERT_EQ(pipe(gate), 0);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    char go = 0;
    if (read(gate[0], &go, 1) == 1) execl("/bin/sleep", "sleep", "1000", nullptr);
    _exit(1);
  }
  const auto id = static_cast<std::uint32_t>(child);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(LookUpAccount(id, 1, 2).pid, id);
    EXPECT_NE(LookUpAccount(id, 1, 2).executable.find("mount_unit_test"), std::string::npos);
  }
  ASSERT_EQ(write(gate[1], "x", 1), 1);
  EXPECT_TRUE(Eventually([&] { return LookUpAccount(id, 1, 2).executable.ends_with("/sleep"); }));
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  EXPECT_EQ(LookUpAccount(id, 1, 2).executable, "") << "nobody has the number, or somebody else";
  close(gate[0]);
  close(gate[1]);
}

TEST(CallerTest, WithoutAVisibleIdIsUnknown) {
  WantedFacts wanted;
  wanted.account = true;
  const Caller caller = LookUpProcess(0, 1, 2, wanted).caller;
  EXPECT_EQ(caller.pid, 0U);
  EXPECT_EQ(caller.executable, "");
  EXPECT_EQ(LookUpProcess(77, 1, 2, wanted, "/nowhere").caller.pid, 77U);
}

class ReportTest : public ::testing::Test {
 protected:
  ReportInput Input(std::vector<GrantedSecret> secrets) {
    auto listing = std::make_shared<Listing>();
    listing->secrets = std::move(secrets);
    owners_.user = [](const std::string&) { return std::nullopt; };
    tree_ = BuildTree({listing, "", &ids_, &owners_, nullptr, 0});
    ReportInput input;
    input.mount_point = "/run/grantfs/secrets";
    input.tree = tree_.get();
    input.source.machine = "web-1";
    input.source.vault_address = "vault.lan:7843";
    input.now = 1700000000;
    return input;
  }
  static GrantedSecret Grant(std::uint64_t number, const std::string& path) {
    GrantedSecret grant;
    grant.number = number;
    grant.version = 1;
    grant.environment = "shop/prod";
    grant.path = path;
    return grant;
  }
  DirectoryIds ids_;
  Owners owners_;
  std::shared_ptr<const Tree> tree_;
};

TEST_F(ReportTest, SaysWhoseAloneAMountIs) {
  ReportInput input = Input({Grant(1, "own"), Grant(2, "other")});
  EXPECT_EQ(StatusReport(input).find("alone"), std::string::npos);
  input.only_user = owners_.default_user + 1;
  const std::string report = StatusReport(input);
  EXPECT_NE(report.find("user " + std::to_string(*input.only_user) + " alone"), std::string::npos) << report;
  EXPECT_NE(report.find("2 of other owners"), std::string::npos) << report;
}

TEST_F(ReportTest, StatusCountsAndNamesNoSecret) {
  auto hidden = Grant(2, "name-hidden");
  hidden.owner = "stranger";
  auto expired = Grant(3, "name-expired");
  expired.expires = 1600000000;
  auto refused = Grant(4, "name-refused");
  refused.unenforceable = "a condition of later";
  auto overdue = Grant(5, "name-overdue");
  overdue.rotate_due = 1600000000;
  ReportInput input = Input({Grant(1, "name-shown"), hidden, expired, refused, overdue});
  input.source.notices = {"name-notice"};
  input.source.problem = "the vault is away\x1b[31m; wait";
  const std::string status = StatusReport(input);
  EXPECT_EQ(status.find("name-"), std::string::npos) << status;
  for (const char* line : {"files       4 shown, 0 open", "hidden      1 ", "expired     1 ",
                           "overdue     1 ", "refused     1 ", "notices     1 ", "machine     web-1",
                           "connection  not connected", "problem     the vault is away?", "shared mmap no"}) {
    EXPECT_NE(status.find(line), std::string::npos) << line << "\n" << status;
  }
}

TEST_F(ReportTest, GrantsNameEveryState) {
  auto hidden = Grant(2, "hidden");
  hidden.owner = "stranger";
  auto expired = Grant(3, "expired");
  expired.expires = 1600000000;
  auto strict = Grant(4, "strict");
  strict.strict = true;
  strict.lease = 600;
  strict.offline = 86400;
  strict.record = "sync";
  auto overdue = Grant(5, "overdue");
  overdue.lease = 600;
  overdue.record = "each";
  overdue.rotate_due = 1600000000;
  auto rotated = Grant(6, "rotated");
  rotated.rotate_due = 4000000000;
  ReportInput input = Input({Grant(1, "plain"), hidden, expired, strict, overdue, rotated});
  input.source.notices = {"one list was refused"};
  const std::string grants = GrantsReport(input);
  for (const char* piece :
       {"shop/prod/plain  version 1  0 bytes  1970-01-01T00:00:00Z  0:0 0400  granted\n",
        "shop/prod/hidden  hidden: this machine has no user", "expired 2020-09-13T12:26:40Z",
        "granted, strict, lease 10m, offline 1d, record sync\n", "notice: one list was refused",
        "granted, lease 10m, rotation overdue since 2020-09-13T12:26:40Z\n",
        "granted, to be rotated by 2096-10-02T07:06:40Z\n"}) {
    EXPECT_NE(grants.find(piece), std::string::npos) << piece << "\n" << grants;
  }
}

TEST(WorkQueueTest, RunsJobsInOrderAndIdleWork) {
  std::atomic<int> idle{0};
  std::vector<int> order;
  {
    WorkQueue queue("test", std::chrono::seconds(0), [&] { ++idle; });
    EXPECT_TRUE(Eventually([&] { return idle > 0; }));
    std::atomic<int> done{0};
    for (int i = 0; i < 100; ++i) {
      queue.Post([&, i] {
        order.push_back(i);
        ++done;
      });
    }
    EXPECT_TRUE(Eventually([&] { return done == 100; }));
    queue.Stop();
    EXPECT_FALSE(queue.Post([] {}));
  }
  for (int i = 0; i < 100; ++i) EXPECT_EQ(order[static_cast<std::size_t>(i)], i);
}

TEST(TreeLockTest, ReadersDoNotKeepAWriterWaiting) {
  TreeLock lock;
  std::atomic<bool> stop{false};
  std::vector<std::thread> readers;
  for (int i = 0; i < 4; ++i) {
    readers.emplace_back([&] {
      while (!stop) {
        lock.lock_shared();
        lock.unlock_shared();
      }
    });
  }
  for (int i = 0; i < 50; ++i) {
    lock.lock();
    lock.unlock();
  }
  stop = true;
  for (auto& reader : readers) reader.join();
}

TEST(WorkerWordsTest, AreTakenAsASupervisorWritesThemAndNotOtherwise) {
  WorkerWords words;
  words.point = "/mnt";
  words.threads = 64;
  words.on_change = true;
  const auto good = words.ToWords();
  const auto parsed = WorkerWords::Parse(good);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->ToWords(), good);
  const std::pair<std::size_t, const char*> bad[] = {
      {0, ""},   {0, "First"},      {0, "nexts"}, {3, "0"}, {3, "65"},  {3, " 4"},
      {3, "-1"}, {4, "4294967295"}, {7, "x"},     {8, ""},  {9, "yes"}, {9, "on-change "}};
  for (const auto& [at, word] : bad) {
    auto others = good;
    others[at] = word;
    EXPECT_FALSE(WorkerWords::Parse(others)) << at << " " << word;
  }
  auto more = good;
  more.emplace_back("");
  EXPECT_FALSE(WorkerWords::Parse(more));
  EXPECT_FALSE(WorkerWords::Parse({}));
}

TEST(MountStateTest, IsReadAsItWasWrittenAndNonsenseIsNot) {
  RunningMount mount;
  mount.state = RunningMount::State::kRefuses;
  mount.identity = "ab";
  mount.supervisor = 4711;
  mount.program = "1.2.3";
  mount.worker_program = "1.3";
  const std::string text = WriteMountState(mount);
  RunningMount read;
  ReadMountState(text, &read);
  EXPECT_EQ(read.state, mount.state);
  EXPECT_EQ(WriteMountState(read), text);
  for (const std::string& bad :
       {std::string(), "x" + text, text + "\n", "3" + text.substr(1), "-" + text, std::string("0\n")}) {
    RunningMount unchanged;
    ReadMountState(bad, &unchanged);
    EXPECT_EQ(unchanged.state, RunningMount::State::kDead) << bad;
    EXPECT_EQ(unchanged.supervisor, 0) << bad;
  }
  mount.program = std::string(1000, '\x1b');
  ReadMountState(WriteMountState(mount), &read);
  EXPECT_EQ(read.program.find('\x1b'), std::string::npos) << "no terminal's command";
  EXPECT_LT(read.program.size(), 300U);
}

}  // namespace
}  // namespace grantfs

// Who asked, known without another look: only as long as it is the same thread, and runs the same program.

#include <gtest/gtest.h>
#include <limits.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "../support/eventually.h"
#include "mount/callers/caller_internal.h"
#include "mount/callers/known_callers_internal.h"
#include "program.h"

namespace grantfs {
namespace {

class KnownCallersTest : public ::testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    auto watch = ExecWatch::Open();
    if (!watch) GTEST_SKIP() << "the kernel does not tell this process of others that become another program";
    callers_.emplace(std::move(watch));
  }
  static std::uint32_t ThreadOf(const Program& program) { return static_cast<std::uint32_t>(program.pid()); }
  static Caller LookAt(std::uint32_t thread) { return LookUpProcess(thread, 1, 2, {.account = true}).caller; }
  static Caller LookAt(const Program& program) { return LookAt(ThreadOf(program)); }
  /// As a worker does it. Other programs begin all the time, so that one look may not be enough.
  bool Learn(std::uint32_t thread) {
    auto look = callers_->Begin(thread);
    if (old_kernel_) look.thread.Reset();
    callers_->Keep(thread, std::move(look), LookAt(thread));
    return callers_->Find(thread, 1, 2).has_value();
  }
  bool Learn(const Program& program) { return Learn(ThreadOf(program)); }
  std::optional<Caller> Find(const Program& program) { return callers_->Find(ThreadOf(program), 1, 2); }
  static bool IsStopped(const Program& program) {
    siginfo_t info{};
    return waitid(P_PID, static_cast<id_t>(program.pid()), &info, WSTOPPED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid == program.pid();
  }
  static std::string ExecutableOf(const Program& program) {
    char target[PATH_MAX];
    const ssize_t size =
        readlink(("/proc/" + std::to_string(program.pid()) + "/exe").c_str(), target, sizeof target);
    return {target, size > 0 ? static_cast<std::size_t>(size) : 0};
  }

  const bool old_kernel_ = GetParam();  ///< that tells nothing of a pidfd
  std::optional<KnownCallers> callers_;
};

INSTANTIATE_TEST_SUITE_P(ByThe, KnownCallersTest, ::testing::Bool(),
                         [](const auto& old) { return std::string(old.param ? "CgroupsFile" : "Pidfd"); });

TEST_P(KnownCallersTest, KnowsWhatALookFound) {
  const Program program({"sleep", "1000"});
  EXPECT_FALSE(Find(program));
  ASSERT_TRUE(Eventually([&] { return Learn(program); }));
  const Caller found = LookAt(program);
  ASSERT_TRUE(Eventually([&] { return Learn(program); }));
  const auto known = Find(program);
  ASSERT_TRUE(known);
  EXPECT_EQ(known->pid, found.pid);
  EXPECT_EQ(known->executable, found.executable);
  EXPECT_EQ(known->cgroup, found.cgroup);
  EXPECT_EQ(known->uid, 1u);
  EXPECT_EQ(known->gid, 2u);
}

TEST_P(KnownCallersTest, KnowsNothingOfAProcessThatHasBecomeAnotherProgram) {
  // Many times: what is known for a second anyway must not be what makes it pass.
  for (int i = 0; i < 20; ++i) {
    Program program({"sh", "-c", "echo ready; kill -STOP $$; exec tail -n 1 -f /etc/passwd"});
    ASSERT_EQ(program.Line(), "ready\n");
    const std::string before = ExecutableOf(program);
    ASSERT_TRUE(Eventually([&] { return Learn(program); }));
    ASSERT_TRUE(Eventually([&] { return IsStopped(program); }));
    ASSERT_TRUE(Learn(program) || Eventually([&] { return Learn(program); }));
    program.Kill(SIGCONT);
    ASSERT_NE(program.Line(), "") << "the new program runs";
    ASSERT_NE(ExecutableOf(program), before);
    const auto known = Find(program);
    EXPECT_TRUE(!known || known->executable != before) << known->executable;
  }
}

// The kernel ends all other threads, and gives the one that goes on the number of the first.
TEST_P(KnownCallersTest, KnowsNeitherThreadOfAProcessWhoseOtherThreadHasBecomeAnotherProgram) {
  for (int i = 0; i < 5; ++i) {
    Program program({"python3", "-c",
                     "import os, signal, sys, threading\n"
                     "def become():\n"
                     "  print(threading.get_native_id(), flush=True)\n"
                     "  signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)\n"
                     "  os.execlp('tail', 'tail', '-n', '1', '-f', '/etc/passwd')\n"
                     "thread = threading.Thread(target=become)\n"
                     "thread.start()\n"
                     "thread.join()\n"});
    const auto other = static_cast<std::uint32_t>(std::atoi(program.Line().c_str()));
    ASSERT_GT(other, 1U);
    ASSERT_NE(other, ThreadOf(program));
    ASSERT_TRUE(Eventually([&] { return IsStopped(program); }));
    const std::string before = ExecutableOf(program);
    ASSERT_TRUE(Eventually([&] { return Learn(program); }));
    Learn(other);  // which a busy machine may not let it
    program.Kill(SIGCONT);
    ASSERT_NE(program.Line(), "") << "the new program runs";
    ASSERT_NE(ExecutableOf(program), before);
    const auto known = Find(program);
    EXPECT_TRUE(!known || known->executable != before) << known->executable;
    EXPECT_FALSE(callers_->Find(other, 1, 2)) << "there is no such thread any more";
  }
}

TEST_P(KnownCallersTest, AMoveToAnotherCgroupIsSeen) {
  const char* const root =
      access("/sys/fs/cgroup/cgroup.procs", F_OK) == 0 ? "/sys/fs/cgroup" : "/sys/fs/cgroup/unified";
  const std::string name = "/grantfs-test-" + std::to_string(getpid());
  const std::string directory = root + name;
  if (mkdir(directory.c_str(), 0755) != 0) GTEST_SKIP() << "no cgroup can be made here";
  {
    const Program program({"sleep", "1000"});
    const auto where = [&] {  // what is known is not known for long
      std::optional<Caller> found;
      EXPECT_TRUE(Eventually([&] { return Learn(program) && (found = Find(program)).has_value(); }));
      return found ? found->cgroup : "";
    };
    ASSERT_EQ(where().find(name), std::string::npos);
    std::ofstream(directory + "/cgroup.procs") << program.pid() << std::flush;
    ASSERT_NE(LookAt(program).cgroup.find(name), std::string::npos) << "it has moved";
    const auto known = Find(program);
    EXPECT_TRUE(!known || known->cgroup == LookAt(program).cgroup) << known->cgroup;
    EXPECT_NE(where().find(name), std::string::npos);
  }
  EXPECT_TRUE(Eventually([&] { return rmdir(directory.c_str()) == 0; }));
}

TEST_P(KnownCallersTest, KnowsNothingOfAProcessThatHasEnded) {
  Program program({"sleep", "1000"});
  ASSERT_TRUE(Eventually([&] { return Learn(program); }));
  const auto thread = static_cast<std::uint32_t>(program.pid());
  program.Kill(SIGKILL);
  program.Wait();
  EXPECT_FALSE(callers_->Find(thread, 1, 2));
}

TEST_P(KnownCallersTest, KeepsNothingThatWasFoundWhileAProgramBegan) {
  const Program program({"sleep", "1000"});
  const auto thread = static_cast<std::uint32_t>(program.pid());
  auto look = callers_->Begin(thread);
  const Caller found = LookAt(program);
  EXPECT_EQ(OutputOf({"true"}), "");
  callers_->Keep(thread, std::move(look), found);
  EXPECT_FALSE(Find(program)) << "it could have been this one";
}

}  // namespace
}  // namespace grantfs

// Who asked, known without another look: only as long as it is the same thread, and runs the same program.

#include <gtest/gtest.h>
#include <limits.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../support/eventually.h"
#include "mount/caller_internal.h"
#include "mount/known_callers_internal.h"
#include "program.h"

namespace grantfs {
namespace {

class KnownCallersTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto watch = ExecWatch::Open();
    if (!watch) GTEST_SKIP() << "the kernel does not tell this process of others that become another program";
    callers_.emplace(std::move(watch));
  }
  static Caller LookAt(const Program& program) {
    return LookUpProcess(static_cast<std::uint32_t>(program.pid()), 1, 2, {.account = true}).caller;
  }
  /// As a worker does it. Other programs begin all the time, so that one look may not be enough.
  bool Learn(const Program& program) {
    const auto thread = static_cast<std::uint32_t>(program.pid());
    auto look = callers_->Begin(thread);
    callers_->Keep(thread, std::move(look), LookAt(program));
    return Find(program).has_value();
  }
  std::optional<Caller> Find(const Program& program) {
    return callers_->Find(static_cast<std::uint32_t>(program.pid()), 1, 2);
  }
  static std::string ExecutableOf(const Program& program) {
    char target[PATH_MAX];
    const ssize_t size =
        readlink(("/proc/" + std::to_string(program.pid()) + "/exe").c_str(), target, sizeof target);
    return {target, size > 0 ? static_cast<std::size_t>(size) : 0};
  }

  std::optional<KnownCallers> callers_;
};

TEST_F(KnownCallersTest, KnowsWhatALookFound) {
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

TEST_F(KnownCallersTest, KnowsNothingOfAProcessThatHasBecomeAnotherProgram) {
  // Many times: what is known for a second anyway must not be what makes it pass.
  for (int i = 0; i < 20; ++i) {
    Program program({"sh", "-c", "echo ready; kill -STOP $$; exec tail -n 1 -f /etc/passwd"});
    ASSERT_EQ(program.Line(), "ready\n");
    const std::string before = ExecutableOf(program);
    ASSERT_TRUE(Eventually([&] { return Learn(program); }));
    ASSERT_TRUE(Eventually([&] {
      siginfo_t info{};
      return waitid(P_PID, static_cast<id_t>(program.pid()), &info, WSTOPPED | WNOHANG | WNOWAIT) == 0 &&
             info.si_pid == program.pid();
    }));
    ASSERT_TRUE(Learn(program) || Eventually([&] { return Learn(program); }));
    program.Kill(SIGCONT);
    ASSERT_NE(program.Line(), "") << "the new program runs";
    ASSERT_NE(ExecutableOf(program), before);
    const auto known = Find(program);
    EXPECT_TRUE(!known || known->executable != before) << known->executable;
  }
}

TEST_F(KnownCallersTest, KnowsNothingOfAProcessThatHasEnded) {
  Program program({"sleep", "1000"});
  ASSERT_TRUE(Eventually([&] { return Learn(program); }));
  const auto thread = static_cast<std::uint32_t>(program.pid());
  program.Kill(SIGKILL);
  program.Wait();
  EXPECT_FALSE(callers_->Find(thread, 1, 2));
}

TEST_F(KnownCallersTest, KeepsNothingThatWasFoundWhileAProgramBegan) {
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

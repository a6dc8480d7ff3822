#include <fcntl.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <functional>
#include <string>
#include <thread>

#include "mount/base/confine_internal.h"

extern char** environ;

namespace grantfs {
namespace {

#ifdef SYS_vfork
constexpr long kVfork = SYS_vfork;
#else
constexpr long kVfork = -1;
#endif
constexpr long kOtherNumber = 0x40000000;  // of x32, where there is such a thing

/// In a process that is confined. Its exit status is the line of the first thing that is not as it should be.
class ConfineTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!CanConfineProcess()) GTEST_SKIP() << "there are no rules for this processor";
  }
  static int Confined(const std::function<int()>& look) {
    const pid_t child = fork();
    if (child == 0) {
      if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || !ConfineProcess()) _exit(250);
      _exit(look());
    }
    int status = -1;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }
  static bool Refused(long outcome) { return outcome < 0 && errno == EPERM; }
};

#define WANT(what) \
  if (!(what)) return __LINE__ & 0xff

TEST_F(ConfineTest, NoProcessIsMadeAndNoProgramRun) {
  EXPECT_EQ(Confined([] {
              WANT(Refused(fork()));
              WANT(Refused(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0)));
              WANT(Refused(syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0)));
              WANT(kVfork < 0 || Refused(syscall(kVfork)));
              WANT(syscall(SYS_clone3, nullptr, 0) < 0 && errno == ENOSYS);
              const char* const words[] = {"true", nullptr};
              WANT(Refused(execve("/bin/true", const_cast<char**>(words), environ)));
              WANT(Refused(syscall(SYS_execveat, AT_FDCWD, "/bin/true", words, environ, 0)));
              pid_t spawned = -1;
              WANT(posix_spawn(&spawned, "/bin/true", nullptr, nullptr, const_cast<char**>(words), environ) ==
                   EPERM);
              return 0;
            }),
            0);
}

TEST_F(ConfineTest, ThreadsAreMadeAndAreConfinedToo) {
  EXPECT_EQ(Confined([] {
              int outcome = -1;
              std::thread([&] { outcome = Refused(fork()) ? 0 : 1; }).join();
              return outcome;
            }),
            0);
}

TEST_F(ConfineTest, OtherProcessesAreNotReached) {
  const pid_t other = getpid();
  EXPECT_EQ(Confined([other] {
              WANT(Refused(ptrace(PTRACE_ATTACH, other, 0, 0)));
              char byte = 0;
              const iovec here{&byte, 1};
              WANT(Refused(process_vm_readv(other, &here, 1, &here, 1, 0)));
              WANT(Refused(process_vm_writev(other, &here, 1, &here, 1, 0)));
              const auto pidfd = static_cast<int>(syscall(SYS_pidfd_open, other, 0));
              WANT(pidfd >= 0);
              WANT(Refused(syscall(SYS_pidfd_getfd, pidfd, 0, 0)));
              WANT(Refused(syscall(SYS_pidfd_send_signal, pidfd, 0, nullptr, 0)));
              for (const pid_t whom : {other, 0, -1, -other}) WANT(Refused(kill(whom, SIGURG)));
              WANT(Refused(syscall(SYS_tgkill, other, other, SIGURG)));
              WANT(Refused(syscall(SYS_tkill, other, SIGURG)));
              const rlimit limit{1, 1};
              WANT(Refused(prlimit(other, RLIMIT_CPU, &limit, nullptr)));
              return 0;
            }),
            0);
}

TEST_F(ConfineTest, ItselfAndQuestionsAre) {
  const pid_t other = getpid();
  EXPECT_EQ(Confined([other] {
              signal(SIGURG, SIG_IGN);
              WANT(kill(getpid(), SIGURG) == 0);
              WANT(pthread_kill(pthread_self(), SIGURG) == 0);
              WANT(kill(other, 0) == 0);
              WANT(syscall(SYS_tgkill, other, other, 0) == 0);
              rlimit limit{};
              WANT(getrlimit(RLIMIT_NOFILE, &limit) == 0 && setrlimit(RLIMIT_NOFILE, &limit) == 0);
              return 0;
            }),
            0);
  EXPECT_EQ(Confined([] { return kill(getpid(), SIGKILL); }), -SIGKILL) << "as a worker that gives up does";
}

TEST_F(ConfineTest, NoMountNoNamespaceNoWayAround) {
  EXPECT_EQ(Confined([] {
              WANT(Refused(unshare(CLONE_NEWUSER)));
              WANT(Refused(mount("none", "/", "tmpfs", 0, nullptr)));
              WANT(Refused(umount2("/nowhere", 0)));
              WANT(Refused(syscall(SYS_fsopen, "tmpfs", 0)));
              WANT(Refused(syscall(SYS_open_tree, AT_FDCWD, "/", 1)));
              WANT(Refused(syscall(SYS_io_uring_setup, 1, nullptr)));
              WANT(Refused(syscall(kOtherNumber | SYS_getpid)));
              return 0;
            }),
            0);
}

}  // namespace
}  // namespace grantfs

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <syslog.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>

#include "cli/background_internal.h"
#include "cli/notify_internal.h"
#include "cli/system_log_internal.h"
#include "streams.h"
#include "support/eventually.h"

namespace grantfs {
namespace {

int ExitOf(pid_t process) {
  int status = -1;
  EXPECT_EQ(::waitpid(process, &status, 0), process);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(BackgroundTest, ReturnsOnceTheWorkIsReadyAndLetsItRunOn) {
  TempDirectory directory;
  const std::string go = directory.path() + "/go", done = directory.path() + "/done";
  const auto process = RunInBackground([&](const std::function<void()>& ready) -> Status {
    ready();
    if (!Eventually([&go] { return ::access(go.c_str(), F_OK) == 0; }))
      return Error{Code::kIo, "never told to go"};
    std::ofstream(done) << ::getsid(0);
    return {};
  });
  ASSERT_TRUE(process) << Describe(process.error());
  EXPECT_NE(::access(done.c_str(), F_OK), 0);
  std::ofstream(go) << "";
  EXPECT_EQ(ExitOf(*process), 0);
  EXPECT_EQ(FileText(done), std::to_string(*process)) << "a session of its own";
}

TEST(BackgroundTest, FailureBeforeItIsReadyArrivesWhole) {
  const auto process = RunInBackground([](const std::function<void()>&) -> Status {
    return Error{Code::kConflict, "something is mounted there", EBUSY, "/mnt/x"};
  });
  ASSERT_FALSE(process);
  EXPECT_EQ(process.error().code, Code::kConflict);
  EXPECT_EQ(process.error().sys, EBUSY);
  EXPECT_EQ(Describe(process.error()), "/mnt/x: something is mounted there (Device or resource busy)");
}

TEST(BackgroundTest, DeathBeforeItIsReadyIsAnError) {
  const auto process = RunInBackground([](const std::function<void()>&) -> Status { ::_exit(9); });
  ASSERT_FALSE(process);
  EXPECT_EQ(process.error().code, Code::kIo);
}

TEST(BackgroundTest, WorkThatIsRunApartIsWaitedForAndItsDeathIsAnErrorOfItsOwn) {
  EXPECT_TRUE(RunApart([] { return Status(); }));
  const Status failed = RunApart([]() -> Status { return Error{Code::kDenied, "why", 0, "what"}; });
  ASSERT_FALSE(failed);
  EXPECT_EQ(Describe(failed.error()), "what: why");
  const Status died = RunApart([]() -> Status { ::_exit(9); });
  ASSERT_FALSE(died);
  EXPECT_EQ(died.error().code, Code::kIo);
  EXPECT_EQ(Describe(died.error()).find("--foreground"), std::string::npos) << Describe(died.error());
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "nothing is left of it";
}

TEST(BackgroundTest, LaterFailureIsItsExitStatus) {
  const auto process = RunInBackground([](const std::function<void()>& ready) -> Status {
    ready();
    return Error{Code::kIo, "the mount broke"};
  });
  ASSERT_TRUE(process);
  EXPECT_EQ(ExitOf(*process), 1);
}

TEST(SystemLogTest, PriorityIsThatOfTheLine) {
  EXPECT_EQ(SystemLogPriority("2026-01-31T12:00:00.123Z warning x"), LOG_WARNING);
  EXPECT_EQ(SystemLogPriority("2026-01-31T12:00:00.123Z error x"), LOG_ERR);
  EXPECT_EQ(SystemLogPriority("2026-01-31T12:00:00.123Z debug x"), LOG_DEBUG);
  EXPECT_EQ(SystemLogPriority("2026-01-31T12:00:00.123Z info x"), LOG_INFO);
  EXPECT_EQ(SystemLogPriority("anything"), LOG_INFO);
}

class NotifyTest : public ::testing::Test {
 protected:
  /// Plays the service manager at that address.
  UniqueFd ListenAt(const std::string& name) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, name.data(), name.size());
    if (name[0] == '@') address.sun_path[0] = '\0';
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    UniqueFd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    EXPECT_EQ(::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), size), 0) << std::strerror(errno);
    return fd;
  }
  void Tell(const std::string& name, const char* state, int descriptor) {
    ::setenv("NOTIFY_SOCKET", name.c_str(), 1);
    EXPECT_TRUE(NotifyManager(state, descriptor));
    ::unsetenv("NOTIFY_SOCKET");
  }
  std::string ToldThrough(const std::string& name) {
    const UniqueFd fd = ListenAt(name);
    Tell(name, "READY=1", -1);
    char bytes[64];
    const ssize_t got = ::recv(fd.get(), bytes, sizeof bytes, 0);
    return got < 0 ? "nothing" : std::string(bytes, static_cast<std::size_t>(got));
  }
  UniqueFd TakenThrough(const std::string& name, const char* state, int descriptor) {
    const UniqueFd fd = ListenAt(name);
    Tell(name, state, descriptor);
    char bytes[64];
    iovec part{bytes, sizeof bytes};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    EXPECT_EQ(::recvmsg(fd.get(), &message, MSG_CMSG_CLOEXEC), static_cast<ssize_t>(std::strlen(state)));
    const cmsghdr* header = CMSG_FIRSTHDR(&message);
    int taken = -1;
    if (header != nullptr) std::memcpy(&taken, CMSG_DATA(header), sizeof taken);
    return UniqueFd(taken);
  }
  TempDirectory directory_;
};

TEST_F(NotifyTest, SendsToAPathAndToAnAbstractName) {
  EXPECT_EQ(ToldThrough(directory_.path() + "/notify"), "READY=1");
  EXPECT_EQ(ToldThrough("@grantfs-notify-test-" + std::to_string(::getpid())), "READY=1");
}

TEST_F(NotifyTest, ADescriptorGoesAlong) {
  const UniqueFd given(::open(directory_.path().c_str(), O_PATH | O_CLOEXEC));
  const UniqueFd taken = TakenThrough(directory_.path() + "/notify", "FDSTORE=1", given.get());
  struct stat one {
  }, other{};
  ASSERT_EQ(::fstat(given.get(), &one), 0);
  ASSERT_EQ(::fstat(taken.get(), &other), 0);
  EXPECT_EQ(one.st_ino, other.st_ino);
}

TEST_F(NotifyTest, WithoutAManagerNothingHappens) {
  ::unsetenv("NOTIFY_SOCKET");
  EXPECT_FALSE(NotifyManager("READY=1"));
  ::setenv("NOTIFY_SOCKET", (directory_.path() + "/nobody").c_str(), 1);
  EXPECT_FALSE(NotifyManager("READY=1"));
  ::unsetenv("NOTIFY_SOCKET");
}

}  // namespace
}  // namespace grantfs

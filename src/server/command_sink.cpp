#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "alert_sinks_internal.h"
#include "grantfs/util/unique_fd.h"

namespace grantfs {
namespace {

using RunClock = std::chrono::steady_clock;
constexpr std::chrono::seconds kMostTime{30};
constexpr std::chrono::milliseconds kLook{200};  ///< how often it is asked whether to go on

/// How a program is started: with nothing of the vault's but its standard input.
struct SpawnPlan {
  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
  SpawnPlan() {
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&attributes);
  }
  ~SpawnPlan() {
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
  }
  bool Fill(int input) {
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    return posix_spawn_file_actions_adddup2(&files, input, 0) == 0 &&
           posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0) == 0 &&
           posix_spawn_file_actions_addopen(&files, 2, "/dev/null", O_WRONLY, 0) == 0 &&
           posix_spawnattr_setsigmask(&attributes, &none) == 0 &&
           posix_spawnattr_setsigdefault(&attributes, &all) == 0 &&
           posix_spawnattr_setpgroup(&attributes, 0) == 0 &&
           posix_spawnattr_setflags(&attributes,
                                    static_cast<short>(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                                       POSIX_SPAWN_SETPGROUP)) == 0;
  }
};

class CommandSink final : public AlertSink {
 public:
  explicit CommandSink(std::string path) : path_(std::move(path)) {}
  const char* kind() const override { return "command"; }

  Status Deliver(const AlertMessage& message, const std::atomic<bool>& stop) override {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return Failed("the alert command could not be started", errno);
    UniqueFd reading(ends[0]), writing(ends[1]);
    ::fcntl(writing.get(), F_SETFL, O_NONBLOCK);
    const pid_t pid = GRANTFS_TRY(Start(reading.get()));
    reading.Reset();
    const UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    const bool ended = process && Feed(message.json, std::move(writing), process.get(), stop);
    if (!ended) ::kill(-pid, SIGKILL);  // with what it has started
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
    if (stop && !ended) return Error{Code::kCancelled, "the vault is stopping", 0, path_};
    if (!ended) return Failed("the alert command took longer than 30 s", ETIMEDOUT);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
    return Failed("the alert command has failed", 0);
  }

 private:
  Error Failed(const char* where, int sys) const { return {Code::kUnreachable, where, sys, path_}; }

  Result<pid_t> Start(int input) const {
    SpawnPlan plan;
    if (!plan.Fill(input)) return Failed("the alert command could not be started", ENOMEM);
    char* arguments[] = {const_cast<char*>(path_.c_str()), nullptr};
    char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    char* environment[] = {path, nullptr};
    pid_t pid = 0;
    const int failed =
        ::posix_spawn(&pid, path_.c_str(), &plan.files, &plan.attributes, arguments, environment);
    if (failed != 0) return Failed("the alert command could not be started", failed);
    return pid;
  }

  /// Writes what it wants to read, and waits. @return whether it has ended by itself.
  static bool Feed(std::string_view text, UniqueFd writing, int process, const std::atomic<bool>& stop) {
    const auto end = RunClock::now() + kMostTime;
    while (!stop && RunClock::now() < end) {
      pollfd both[] = {{process, POLLIN, 0}, {text.empty() ? -1 : writing.get(), POLLOUT, 0}};
      if (::poll(both, 2, static_cast<int>(kLook.count())) <= 0) continue;
      if (both[0].revents != 0) return true;
      // Nobody is hurt by a program that does not read: a write to it would raise SIGPIPE, which is blocked.
      const ssize_t written = WriteQuietly(writing.get(), text);
      if (written > 0) text.remove_prefix(static_cast<std::size_t>(written));
      if (written < 0 && errno != EAGAIN && errno != EINTR) text = {};
      if (text.empty()) writing.Reset();
    }
    return false;
  }

  static ssize_t WriteQuietly(int fd, std::string_view text) {
    sigset_t pipe, before;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    ::pthread_sigmask(SIG_BLOCK, &pipe, &before);
    const ssize_t written = ::write(fd, text.data(), text.size());
    const int failed = errno;
    if (written < 0 && failed == EPIPE) {
      const timespec now{};
      while (::sigtimedwait(&pipe, nullptr, &now) < 0 && errno == EINTR) continue;
    }
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    errno = failed;
    return written;
  }

  const std::string path_;
};

}  // namespace

Result<std::shared_ptr<AlertSink>> MakeCommandSink(const std::string& path) {
  if (!path.starts_with('/'))
    return Error{Code::kInvalid,
                 "an alert command is the absolute path of a program, which is given no arguments", 0, path};
  if (::access(path.c_str(), X_OK) != 0)
    return Error{errno == ENOENT ? Code::kNotFound : Code::kDenied, "the alert command cannot be run", errno,
                 path};
  return std::shared_ptr<AlertSink>(std::make_shared<CommandSink>(path));
}

}  // namespace grantfs

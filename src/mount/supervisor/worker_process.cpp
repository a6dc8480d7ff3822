#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "mount/base/channel_internal.h"
#include "mount/base/helper_process_internal.h"
#include "mount/supervisor/worker_process_internal.h"
#include "mount/worker/worker_internal.h"

namespace grantfs {

namespace {

constexpr int kFirstFree = 64;  // above every number that a worker is given

/// In the child, where nothing may allocate: another thread may have held the allocator's lock.
[[noreturn]] void Become(const ProgramStart& start, const std::vector<char*>& arguments, int* moved,
                         std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    moved[i] = fcntl(moved[i], F_DUPFD_CLOEXEC, kFirstFree);
    if (moved[i] < 0) _exit(126);
  }
  const int program = fcntl(start.program, F_DUPFD_CLOEXEC, kFirstFree);
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  dup2(null, STDIN_FILENO);
  dup2(null, STDOUT_FILENO);
  if (start.standard_error >= 0) dup2(start.standard_error, STDERR_FILENO);
  for (std::size_t i = 0; i < count; ++i) dup2(moved[i], kControlDescriptor + static_cast<int>(i));
  syscall(SYS_close_range, static_cast<unsigned>(kControlDescriptor) + count, ~0U, CLOSE_RANGE_CLOEXEC);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  syscall(SYS_execveat, program, "", arguments.data(), environ, AT_EMPTY_PATH);
  _exit(127);
}

}  // namespace

bool ProcessEnd::FromWithout() const {
  if (!WIFSIGNALED(status)) return false;
  const int signal = WTERMSIG(status);
  return signal == SIGKILL || signal == SIGTERM || signal == SIGINT || signal == SIGHUP;
}

bool ProcessEnd::Exited(int code) const { return WIFEXITED(status) && WEXITSTATUS(status) == code; }

std::string ProcessEnd::Text() const {
  return WIFSIGNALED(status) ? "signal " + std::to_string(WTERMSIG(status))
                             : "status " + std::to_string(WEXITSTATUS(status));
}

ChildProcess::ChildProcess(pid_t pid, UniqueFd control)
    : pid_(pid), control_(std::move(control)), end_(static_cast<int>(syscall(SYS_pidfd_open, pid, 0))) {}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), control_(std::move(other.control_)), end_(std::move(other.end_)) {}

ChildProcess& ChildProcess::operator=(ChildProcess&& other) noexcept {
  End();
  pid_ = std::exchange(other.pid_, -1);
  control_ = std::move(other.control_);
  end_ = std::move(other.end_);
  return *this;
}

ChildProcess::~ChildProcess() { End(); }

void ChildProcess::Kill() {
  if (pid_ > 1) kill(pid_, SIGKILL);
}

std::optional<ProcessEnd> ChildProcess::Ended() const {
  siginfo_t info{};
  if (pid_ <= 1 || waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
      info.si_pid != pid_)
    return std::nullopt;
  if (info.si_code == CLD_EXITED) return ProcessEnd{W_EXITCODE(info.si_status, 0)};
  return ProcessEnd{W_EXITCODE(0, info.si_status) | (info.si_code == CLD_DUMPED ? WCOREFLAG : 0)};
}

std::optional<ProcessEnd> ChildProcess::Reap() {
  ProcessEnd end;
  if (pid_ <= 1 || waitpid(pid_, &end.status, WNOHANG) != pid_) return std::nullopt;
  pid_ = -1;
  control_.Reset();
  end_.Reset();
  return end;
}

void ChildProcess::End() {
  if (pid_ <= 1) return;
  Kill();
  while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  control_.Reset();
  end_.Reset();
}

bool ChildProcess::Await(std::chrono::milliseconds most) {
  if (pid_ <= 1) return true;
  const auto end = std::chrono::steady_clock::now() + most;
  pollfd watched{end_.get(), POLLIN, 0};
  int ready = 0;
  do {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now()).count();
    ready = poll(&watched, 1, static_cast<int>(std::max<std::int64_t>(left, 0)));
  } while (ready < 0 && errno == EINTR);
  return ready == 1 && Reap();
}

bool ChildProcess::EndWithin(std::chrono::milliseconds most) {
  Kill();
  const bool gone = Await(most);
  pid_ = -1;
  control_.Reset();
  end_.Reset();
  return gone;
}

Result<ChildProcess> StartProgram(const ProgramStart& start) {
  auto [ours, theirs] = GRANTFS_TRY(MakeChannel());
  RefuseDescriptors(ours.get());
  std::vector<std::string> words = start.words;
  words.insert(words.begin(), "grantfs");
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  std::vector<int> moved = start.descriptors;
  moved.insert(moved.begin(), theirs.get());
  const pid_t pid = GRANTFS_TRY(ForkSilent([&] { Become(start, arguments, moved.data(), moved.size()); }));
  return ChildProcess(pid, std::move(ours));
}

Result<UniqueFd> OwnProgram() {
  UniqueFd program(open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
  if (!program)
    return Error{Code::kIo, "cannot open this program (is /proc mounted?)", errno, "/proc/self/exe"};
  return program;
}

}  // namespace grantfs

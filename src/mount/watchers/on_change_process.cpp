#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <string>
#include <vector>

#include "grantfs/util/text.h"
#include "mount/watchers/on_change_internal.h"

namespace grantfs {

namespace {

using RunClock = std::chrono::steady_clock;

/// What the command prints, as lines of bounded length and number.
class OutputLines {
 public:
  explicit OutputLines(int socket) : socket_(socket) {}

  /// @return false at its end, or if nothing is there now.
  bool ReadSome(int pipe) {
    char piece[4096];
    const ssize_t got = read(pipe, piece, sizeof piece);
    for (ssize_t i = 0; i < got; ++i) Add(piece[i]);
    return got > 0;
  }
  void Finish() {
    if (!line_.empty()) Send();
  }
  std::uint32_t left_out() const { return left_out_; }

 private:
  void Add(char byte) {
    if (byte == '\n') return Send();
    if (line_.size() < kMaxOnChangeLineBytes) line_ += byte;
  }
  void Send() {
    if (lines_ == kMaxOnChangeLines) {
      ++left_out_;
    } else {
      ++lines_;
      const std::string message = "L" + line_;
      send(socket_, message.data(), message.size(), MSG_NOSIGNAL);
    }
    line_.clear();
  }

  int socket_;
  std::string line_;
  unsigned lines_ = 0;
  std::uint32_t left_out_ = 0;
};

void TellEnd(int socket, const OnChangeEnd& end) {
  std::string message = "R";
  message.append(reinterpret_cast<const char*>(&end), sizeof end);
  send(socket, message.data(), message.size(), MSG_NOSIGNAL);
}

/// One run of the command.
class CommandRun {
 public:
  CommandRun(const OnChangeCommand& command, int socket)
      : command_(command), socket_(socket), lines_(socket) {}

  /// @return false if the mount has ended meanwhile.
  bool Run(std::uint64_t run, const std::vector<std::string>& names) {
    OnChangeEnd end;
    end.run = run;
    bool goes_on = true;
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
      end.error = errno;
    } else {
      output_.Reset(ends[0]);
      UniqueFd writing(ends[1]);
      fcntl(output_.get(), F_SETFL, O_NONBLOCK);
      end.error = Spawn(names, writing.get());
      writing.Reset();
      if (end.error == 0) goes_on = Watch(&end);
    }
    end.left_out = lines_.left_out();
    TellEnd(socket_, end);
    return goes_on;
  }

 private:
  /// As a program that a user starts: no descriptor but the standard ones, no signal blocked or ignored; and
  /// in a process group that can be killed. @return an errno.
  int Spawn(const std::vector<std::string>& names, int output) {
    std::vector<std::string> words{"/bin/sh", "-c", command_.text, "grantfs"};
    // What begins with a dash would be an option to many a program.
    for (const std::string& name : names) words.push_back(name.starts_with('-') ? "./" + name : name);
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, output, 1);
    posix_spawn_file_actions_adddup2(&actions, output, 2);
    posix_spawn_file_actions_addclosefrom_np(&actions, 3);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    sigset_t signals;
    sigemptyset(&signals);
    posix_spawnattr_setsigmask(&attributes, &signals);
    sigfillset(&signals);
    posix_spawnattr_setsigdefault(&attributes, &signals);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes,
                             POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    const int error = posix_spawn(&child_, arguments[0], &actions, &attributes, arguments.data(), environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return error;
  }

  /// Until it has ended; ends it when it is late, or when the mount has ended.
  bool Watch(OnChangeEnd* end) {
    const UniqueFd process(static_cast<int>(syscall(SYS_pidfd_open, child_, 0)));
    const auto deadline = RunClock::now() + command_.limit;
    bool goes_on = true;
    bool open = true;
    for (;;) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - RunClock::now()).count();
      pollfd watched[] = {
          {process.get(), POLLIN, 0}, {socket_, 0, 0}, {open ? output_.get() : -1, POLLIN, 0}};
      const int ready =
          left > 0 ? poll(watched, 3, static_cast<int>(std::min<std::int64_t>(left, INT_MAX))) : 0;
      if (ready < 0 && errno == EINTR) continue;
      end->late = ready == 0;
      goes_on = ready == 0 || watched[1].revents == 0;
      if (ready <= 0 || !goes_on || watched[0].revents != 0) break;
      if (watched[2].revents != 0) open = lines_.ReadSome(output_.get());
    }
    if ((end->late || !goes_on) && child_ > 1) kill(-child_, SIGKILL);
    while (waitpid(child_, &end->status, 0) < 0 && errno == EINTR) {
    }
    while (
        lines_.ReadSome(output_.get())) {  // not to its end: what the command left running may hold it open
    }
    lines_.Finish();
    return goes_on;
  }

  const OnChangeCommand& command_;
  int socket_;
  OutputLines lines_;
  UniqueFd output_;
  pid_t child_ = -1;
};

std::vector<std::string> SplitNames(const char* message, std::size_t size) {
  std::vector<std::string> names;
  for (const char* at = message; at < message + size; at += names.back().size() + 1) names.emplace_back(at);
  return names;
}

[[noreturn]] void ServeOnChange(int socket, const OnChangeCommand& command) {
  prctl(PR_SET_NAME, "grantfs-change");
  CloseAllBut(socket);
  if (chdir("/") != 0 || setenv("GRANTFS_MOUNT", command.mount_point.c_str(), 1) != 0) _exit(1);
  std::vector<char> message(kMaxOnChangeBytes + 8192);
  for (;;) {
    const ssize_t got = recv(socket, message.data(), message.size() - 1, 0);
    std::uint64_t run = 0;
    if (got < static_cast<ssize_t>(sizeof run)) _exit(0);
    std::memcpy(&run, message.data(), sizeof run);
    message[static_cast<std::size_t>(got)] = '\0';
    const auto names = SplitNames(message.data() + sizeof run, static_cast<std::size_t>(got) - sizeof run);
    if (names.empty() || !std::all_of(names.begin(), names.end(), IsOnChangeName)) {
      TellEnd(socket, {.run = run, .error = EINVAL});
      continue;
    }
    if (!CommandRun(command, socket).Run(run, names)) _exit(0);
  }
}

}  // namespace

// Who asks may have fewer rights than the command, and serves the mount: no name leads the command out of it.
bool IsOnChangeName(const std::string& name) {
  const auto parts = Split(name, '/');
  return name.size() <= kMaxOnChangeNameBytes && Printable(name) == name &&
         std::none_of(parts.begin(), parts.end(), [](std::string_view part) {
           return part.empty() || part == "." || part == ".." || part == ".grantfs";
         });
}

Result<HelperProcess> StartOnChange(const OnChangeCommand& command) {
  return ForkHelper([&command](int socket) { ServeOnChange(socket, command); });
}

}  // namespace grantfs

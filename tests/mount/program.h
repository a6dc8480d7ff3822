#pragma once

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "grantfs/util/unique_fd.h"

extern char** environ;

namespace grantfs {

/// Another program, with its standard output at hand. Killed when it goes out of scope.
class Program {
 public:
  explicit Program(std::vector<std::string> arguments) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return;
    output_.Reset(ends[0]);
    UniqueFd write_end(ends[1]);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    // What the tests themselves were told to ignore (by nohup, say) is not passed on.
    sigset_t usual;
    sigemptyset(&usual);
    sigaddset(&usual, SIGHUP);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigdefault(&attributes, &usual);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
    if (posix_spawnp(&pid_, argv[0], &actions, &attributes, argv.data(), environ) != 0) pid_ = -1;
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
  }
  Program(Program&& other) noexcept
      : pid_(std::exchange(other.pid_, -1)), status_(other.status_), output_(std::move(other.output_)) {}
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  ~Program() {
    if (pid_ > 0) {
      Kill(SIGKILL);
      Wait();
    }
  }

  pid_t pid() const { return pid_; }
  /// Nothing where it did not start or has ended: -1 would mean every process of the machine.
  void Kill(int signal) const {
    if (pid_ > 1) ::kill(pid_, signal);
  }

  /// The next line that it prints, with its end.
  std::string Line() {
    std::string line;
    for (char byte; (line.empty() || line.back() != '\n') && read(output_.get(), &byte, 1) == 1;)
      line += byte;
    return line;
  }
  /// Everything that it still prints.
  std::string Output() {
    std::string text;
    char piece[65536];
    for (ssize_t got; (got = read(output_.get(), piece, sizeof piece)) > 0;)
      text.append(piece, static_cast<std::size_t>(got));
    return text;
  }
  /// Whether it has ended.
  bool Ended() {
    if (pid_ > 0 && waitpid(pid_, &status_, WNOHANG) == pid_) pid_ = -1;
    return pid_ < 0;
  }
  /// Its exit status, or 128 and the signal that ended it.
  int Wait() {
    if (pid_ > 0) waitpid(std::exchange(pid_, -1), &status_, 0);
    return WIFEXITED(status_) ? WEXITSTATUS(status_) : 128 + WTERMSIG(status_);
  }

 private:
  pid_t pid_ = -1;
  int status_ = 0xff00;
  UniqueFd output_;
};

/// Runs a program to its end. @return what it printed, and behind it "[exit N]" if that was not 0.
inline std::string OutputOf(std::vector<std::string> arguments) {
  Program program(std::move(arguments));
  std::string output = program.Output();
  if (const int status = program.Wait(); status != 0) output += "[exit " + std::to_string(status) + "]";
  return output;
}

}  // namespace grantfs

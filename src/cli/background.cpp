#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string>

#include "background_internal.h"
#include "grantfs/log/log.h"
#include "grantfs/util/unique_fd.h"
#include "system_log_internal.h"

namespace grantfs {
namespace {

// What goes through the pipe. A fork has the same image, so that the literal is at the same place in both.
struct Outcome {
  bool good = false;
  Code code = Code::kIo;
  const char* where = "";
  int sys = 0;
  std::size_t subject_bytes = 0;
};

constexpr std::size_t kMaxSubjectBytes = 4096;

bool WriteWhole(int fd, const void* bytes, std::size_t size) {
  const char* at = static_cast<const char*>(bytes);
  while (size > 0) {
    const ssize_t written = ::write(fd, at, size);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    at += written;
    size -= static_cast<std::size_t>(written);
  }
  return true;
}

bool ReadWhole(int fd, void* bytes, std::size_t size) {
  char* at = static_cast<char*>(bytes);
  while (size > 0) {
    const ssize_t got = ::read(fd, at, size);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    at += got;
    size -= static_cast<std::size_t>(got);
  }
  return true;
}

void Tell(int fd, const Status& status) {
  Outcome outcome{.good = status.has_value()};
  std::string subject;
  if (!status) {
    subject = status.error().subject.substr(0, kMaxSubjectBytes);
    outcome = {false, status.error().code, status.error().where, status.error().sys, subject.size()};
  }
  if (WriteWhole(fd, &outcome, sizeof outcome)) WriteWhole(fd, subject.data(), subject.size());
}

/// @param silent  the error where it ended and told nothing.
Result<pid_t> Hear(int fd, pid_t child, const char* silent) {
  Outcome outcome;
  std::string subject;
  bool heard = ReadWhole(fd, &outcome, sizeof outcome) && outcome.subject_bytes <= kMaxSubjectBytes;
  if (heard) {
    subject.resize(outcome.subject_bytes);
    heard = ReadWhole(fd, subject.data(), subject.size());
  }
  if (heard && outcome.good) return child;
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (heard) return Error{outcome.code, outcome.where, outcome.sys, subject};
  return Error{Code::kIo, silent};
}

void LeaveTerminal(std::unique_ptr<SystemLog>* log) {
  const UniqueFd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  if (null) {
    ::dup2(null.get(), STDIN_FILENO);
    ::dup2(null.get(), STDOUT_FILENO);
  }
  *log = std::make_unique<SystemLog>();
}

[[noreturn]] void RunChild(const BackgroundWork& work, int fd) {
  ::setsid();
  std::unique_ptr<SystemLog> log;
  const Status status = work([&log, fd] {
    Tell(fd, {});
    LeaveTerminal(&log);
  });
  if (!log)
    Tell(fd, status);  // before it was ready
  else if (!status)
    Log(LogLevel::kError, "the mount ended", status.error());
  log.reset();
  ::_exit(status ? 0 : 1);
}

/// Runs `tell` in a process of its own, with the end of a pipe to Tell() through, and hears what it tells.
Result<pid_t> ForkAndHear(const std::function<void(int fd)>& tell, const char* silent) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return Error{Code::kIo, "could not make a pipe", errno};
  const UniqueFd reading(ends[0]);
  UniqueFd writing(ends[1]);
  const pid_t child = ::fork();
  if (child < 0) return Error{Code::kIo, "could not make a process", errno};
  if (child == 0) {
    tell(writing.get());
    ::_exit(0);
  }
  writing.Reset();
  return Hear(reading.get(), child, silent);
}

}  // namespace

Result<pid_t> RunInBackground(const BackgroundWork& work) {
  return ForkAndHear([&work](int fd) { RunChild(work, fd); },
                     "its process ended before it was ready; --foreground shows more");
}

Status RunApart(const std::function<Status()>& work) {
  const pid_t child = GRANTFS_TRY(ForkAndHear([&work](int fd) { Tell(fd, work()); },
                                              "the process that was to do this was ended before it had"));
  while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
  }
  return {};
}

}  // namespace grantfs

#include <fcntl.h>
#include <signal.h>
#include <syslog.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>

#include "system_log_internal.h"

namespace grantfs {
namespace {

constexpr std::size_t kMaxLogLineBytes = 8192;

void ReplaceStderrByNull() {
  const UniqueFd null(::open("/dev/null", O_WRONLY | O_CLOEXEC));
  if (null) ::dup2(null.get(), STDERR_FILENO);
}

void Write(const std::string& line) {
  if (!line.empty()) ::syslog(LOG_DAEMON | SystemLogPriority(line.c_str()), "%s", line.c_str());
}

}  // namespace

int SystemLogPriority(const char* line) {
  const char* level = std::strchr(line, ' ');
  if (level == nullptr) return LOG_INFO;
  const std::string_view rest = level + 1;
  if (rest.starts_with("error ")) return LOG_ERR;
  if (rest.starts_with("warning ")) return LOG_WARNING;
  return rest.starts_with("debug ") ? LOG_DEBUG : LOG_INFO;
}

SystemLog::SystemLog() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    ReplaceStderrByNull();
    return;
  }
  reading_.Reset(ends[0]);
  const UniqueFd writing(ends[1]);
  ::openlog("grantfs", LOG_PID, LOG_DAEMON);
  sigset_t all, before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);  // signals are for the program's own threads
  thread_ = std::thread([this] { Forward(); });
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  ::dup2(writing.get(), STDERR_FILENO);
}

SystemLog::~SystemLog() {
  ReplaceStderrByNull();  // the last writing end: the thread sees the end of file
  if (thread_.joinable()) thread_.join();
}

void SystemLog::Forward() {
  std::string line;
  char bytes[1024];
  for (;;) {
    const ssize_t got = ::read(reading_.get(), bytes, sizeof bytes);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    for (const char byte : std::string_view(bytes, static_cast<std::size_t>(got))) {
      if (byte != '\n' && line.size() < kMaxLogLineBytes) {
        line += byte;
        continue;
      }
      Write(line);
      line.clear();
    }
  }
  Write(line);
}

}  // namespace grantfs

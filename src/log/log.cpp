#include "grantfs/log/log.h"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <string>

#include "grantfs/util/text.h"

namespace grantfs {
namespace {

spdlog::level::level_enum ToSpdlog(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  std::abort();
}

// The journal's priorities (sd-daemon(3)): debug 7, info 6, warning 4, error 3.
class PriorityFlag final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&, spdlog::memory_buf_t& out) override {
    out.push_back(Digit(message.level));
  }
  std::unique_ptr<custom_flag_formatter> clone() const override { return std::make_unique<PriorityFlag>(); }

 private:
  static char Digit(spdlog::level::level_enum level) {
    if (level == spdlog::level::debug) return '7';
    if (level == spdlog::level::info) return '6';
    return level == spdlog::level::warn ? '4' : '3';
  }
};

// The variable is inherited by children whose standard error is another: so it names device and inode
// (systemd.exec(5)).
bool StderrIsJournal() {
  const char* const named = std::getenv("JOURNAL_STREAM");
  struct stat info {};
  if (named == nullptr || ::fstat(STDERR_FILENO, &info) != 0) return false;
  return std::to_string(info.st_dev) + ":" + std::to_string(info.st_ino) == named;
}

std::shared_ptr<spdlog::logger> MakeLogger(LogLevel least) {
  auto logger =
      std::make_shared<spdlog::logger>("grantfs", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  auto formatter = std::make_unique<spdlog::pattern_formatter>(spdlog::pattern_time_type::utc);
  formatter->add_flag<PriorityFlag>('*');
  formatter->set_pattern(StderrIsJournal() ? "<%*>%v" : "%Y-%m-%dT%H:%M:%S.%eZ %l %v");
  logger->set_formatter(std::move(formatter));
  logger->set_level(ToSpdlog(least));
  return logger;
}

std::shared_ptr<spdlog::logger>& Current() {
  static std::shared_ptr<spdlog::logger> logger = MakeLogger(LogLevel::kInfo);
  return logger;
}

}  // namespace

void StartLog(LogLevel least) { Current() = MakeLogger(least); }

void Log(LogLevel level, std::string_view message) {
  const bool whole = message.size() <= kMaxLogBytes;
  std::string line = Printable(message.substr(0, kMaxLogBytes));
  if (!whole) line += "...";
  Current()->log(ToSpdlog(level), spdlog::string_view_t(line.data(), line.size()));
}

void Log(LogLevel level, std::string_view message, const Error& error) {
  Log(level, std::string(message) + ": " + Describe(error) + " [" + CodeName(error.code) + "]");
}

}  // namespace grantfs

#include "grantfs/util/clock.h"

#include <ctime>
#include <limits>
#include <utility>

namespace grantfs {
namespace {

class OsClock final : public Clock {
 public:
  std::int64_t WallSeconds() const override { return Read(CLOCK_REALTIME).tv_sec; }
  std::int64_t WallMilliseconds() const override {
    const timespec now = Read(CLOCK_REALTIME);
    return std::int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
  }
  std::chrono::nanoseconds Boot() const override {
    const timespec now = Read(CLOCK_BOOTTIME);
    return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
  }

 private:
  static timespec Read(clockid_t id) {
    timespec now{};
    clock_gettime(id, &now);
    return now;
  }
};

}  // namespace

const Clock& SystemClock() {
  static const OsClock clock;
  return clock;
}

std::string FormatTime(std::int64_t unix_seconds) {
  const std::time_t when = unix_seconds;
  std::tm parts{};
  if (gmtime_r(&when, &parts) == nullptr) return "?";
  char buffer[40];
  const auto size = std::strftime(buffer, sizeof buffer, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return {buffer, size};
}

std::int64_t ParseDurationSeconds(const char* text) {
  std::int64_t number = 0;
  const char* at = text;
  for (; *at >= '0' && *at <= '9'; ++at) {
    if (number > std::numeric_limits<std::int64_t>::max() / 1'000'000) return -1;
    number = number * 10 + (*at - '0');
  }
  if (at == text || number == 0 || *at == '\0' || at[1] != '\0') return -1;
  switch (*at) {
    case 's':
      return number;
    case 'm':
      return number * 60;
    case 'h':
      return number * 3600;
    case 'd':
      return number * 86400;
    default:
      return -1;
  }
}

std::string FormatDuration(std::int64_t seconds) {
  if (seconds == 0) return {};
  for (const auto& [length, unit] : {std::pair{86400, 'd'}, {3600, 'h'}, {60, 'm'}})
    if (seconds % length == 0) return std::to_string(seconds / length) + unit;
  return std::to_string(seconds) + "s";
}

}  // namespace grantfs

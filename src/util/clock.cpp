#include "grantfs/util/clock.h"

#include <algorithm>
#include <ctime>
#include <limits>
#include <optional>
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

namespace {

/// Takes `digits` digits off the front; -1 where there are fewer.
int TakeNumber(std::string_view* text, std::size_t digits) {
  if (text->size() < digits) return -1;
  int number = 0;
  for (const char c : text->substr(0, digits)) {
    if (c < '0' || c > '9') return -1;
    number = number * 10 + (c - '0');
  }
  text->remove_prefix(digits);
  return number;
}

bool TakeOne(std::string_view* text, char wanted) {
  if (!text->starts_with(wanted)) return false;
  text->remove_prefix(1);
  return true;
}

/// Milliseconds; -1: malformed.
int TakeFraction(std::string_view* text) {
  if (!TakeOne(text, '.')) return 0;
  const auto digits = std::min(text->find_first_not_of("0123456789"), text->size());
  if (digits == 0 || digits > 3) return -1;
  int number = TakeNumber(text, digits);
  for (std::size_t i = digits; i < 3; ++i) number *= 10;
  return number;
}

/// "Z", "+01:00": seconds ahead of UTC.
std::optional<int> TakeOffset(std::string_view text) {
  if (text == "Z") return 0;
  const bool behind = text.starts_with('-');
  if (!TakeOne(&text, behind ? '-' : '+')) return std::nullopt;
  const int hours = TakeNumber(&text, 2);
  const bool colon = TakeOne(&text, ':');
  const int minutes = TakeNumber(&text, 2);
  if (hours < 0 || hours > 23 || !colon || minutes < 0 || minutes > 59 || !text.empty()) return std::nullopt;
  return (behind ? -1 : 1) * (hours * 3600 + minutes * 60);
}

}  // namespace

std::int64_t ParseTimeMs(std::string_view text) {
  std::tm parts{};
  parts.tm_year = TakeNumber(&text, 4) - 1900;
  bool good = parts.tm_year >= 70 && TakeOne(&text, '-');
  parts.tm_mon = TakeNumber(&text, 2) - 1;
  good = good && parts.tm_mon >= 0 && TakeOne(&text, '-');
  parts.tm_mday = TakeNumber(&text, 2);
  good = good && TakeOne(&text, 'T');
  parts.tm_hour = TakeNumber(&text, 2);
  good = good && parts.tm_hour >= 0 && parts.tm_hour <= 23 && TakeOne(&text, ':');
  parts.tm_min = TakeNumber(&text, 2);
  good = good && parts.tm_min >= 0 && TakeOne(&text, ':');
  parts.tm_sec = TakeNumber(&text, 2);
  if (!good || parts.tm_min > 59 || parts.tm_sec < 0 || parts.tm_sec > 59) return -1;
  const int fraction = TakeFraction(&text);
  const auto offset = TakeOffset(text);
  if (fraction < 0 || !offset) return -1;
  const int month = parts.tm_mon;
  const int day = parts.tm_mday;
  const std::int64_t seconds = timegm(&parts);  // it would take a 31st of April for the 1st of May
  if (parts.tm_mon != month || parts.tm_mday != day || seconds < *offset) return -1;
  return (seconds - *offset) * 1000 + fraction;
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

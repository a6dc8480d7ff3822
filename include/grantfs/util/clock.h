#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace grantfs {

/// Where the program gets its time from, so that a test can have a clock of its own. Threads: safe.
class Clock {
 public:
  virtual ~Clock() = default;
  /// Seconds since 1970 UTC; may jump.
  virtual std::int64_t WallSeconds() const = 0;
  /// The same in milliseconds, as far as the clock knows them.
  virtual std::int64_t WallMilliseconds() const { return WallSeconds() * 1000; }
  /// CLOCK_BOOTTIME: never goes back and counts while the machine sleeps.
  virtual std::chrono::nanoseconds Boot() const = 0;
};

/// The operating system's clocks.
const Clock& SystemClock();

/// "2026-01-31T12:00:00Z" (RFC 3339, UTC).
std::string FormatTime(std::int64_t unix_seconds);

/// Reads "2026-01-31T12:00:00Z", "2026-01-31T13:00:00.250+01:00" (RFC 3339) into unix milliseconds, or -1 if
/// it is none, lies before 1970, or has more than three digits of a second's fraction.
std::int64_t ParseTimeMs(std::string_view text);

/// Reads "90s", "10m", "24h", "30d" (one positive whole number and a unit) into seconds, or -1 if it is none.
std::int64_t ParseDurationSeconds(const char* text);

/// The same the other way, in the largest unit that fits: "90s", "10m", "1d"; "" for 0.
std::string FormatDuration(std::int64_t seconds);

}  // namespace grantfs

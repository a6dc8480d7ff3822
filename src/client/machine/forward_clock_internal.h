#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <limits>

#include "grantfs/util/clock.h"

namespace grantfs {

/// The time of day as the latest that anything has shown, carried on by CLOCK_BOOTTIME: for what ends at a
/// moment that somebody else has named. A clock that is set back lengthens nothing; one that was ahead for a
/// while goes on to count as right, which shortens what this is asked about. Threads: safe.
class ForwardClock {
 public:
  /// @param clock  outlives this.
  explicit ForwardClock(const Clock* clock) : clock_(clock) {}

  /// Unix seconds.
  std::int64_t Seconds() const;
  /// It was this late then. @param boot  of CLOCK_BOOTTIME
  void Saw(std::int64_t wall_seconds, std::chrono::nanoseconds boot) const;

  /// By how much it is ahead of CLOCK_BOOTTIME, for the next process of this boot.
  std::chrono::milliseconds ahead() const { return std::chrono::milliseconds(ahead_ms_.load()); }
  void Raise(std::chrono::milliseconds ahead) const;

 private:
  const Clock* const clock_;
  mutable std::atomic<std::int64_t> ahead_ms_{std::numeric_limits<std::int64_t>::min()};
};

}  // namespace grantfs

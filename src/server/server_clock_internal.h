#pragma once

#include "grantfs/util/clock.h"

namespace grantfs {

/// The wall clock as it was at the start, carried on by the clock that never jumps: so that no request
/// becomes fresh again because the administrator set the time.
class ServerClock {
 public:
  explicit ServerClock(const Clock& clock) : clock_(clock), anchor_(clock.WallSeconds() - BootSeconds()) {}
  std::int64_t Now() const { return anchor_ + BootSeconds(); }

 private:
  std::int64_t BootSeconds() const {
    return std::chrono::duration_cast<std::chrono::seconds>(clock_.Boot()).count();
  }
  const Clock& clock_;
  const std::int64_t anchor_;
};

}  // namespace grantfs

#pragma once

#include <atomic>

#include "grantfs/util/clock.h"

namespace grantfs::testing {

/// The system's clock, moved by hand.
class TestClock final : public Clock {
 public:
  std::int64_t WallSeconds() const override { return SystemClock().WallSeconds() + wall_; }
  std::int64_t WallMilliseconds() const override { return SystemClock().WallMilliseconds() + wall_ * 1000; }
  std::chrono::nanoseconds Boot() const override {
    return SystemClock().Boot() + std::chrono::seconds(boot_);
  }
  /// As time passes: both clocks go on.
  void Pass(std::int64_t seconds) {
    wall_ += seconds;
    boot_ += seconds;
  }
  /// As somebody sets it: the wall clock alone jumps.
  void SetBy(std::int64_t seconds) { wall_ += seconds; }

 private:
  std::atomic<std::int64_t> wall_{0};
  std::atomic<std::int64_t> boot_{0};
};

}  // namespace grantfs::testing

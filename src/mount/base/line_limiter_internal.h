#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <utility>

namespace grantfs {

/// Whoever can open files can cause refusals: lets so many lines through that an administrator sees what goes
/// on and the journal does not drown. Threads: safe.
class LineLimiter {
 public:
  static constexpr std::int64_t kBurst = 20;
  static constexpr std::int64_t kPerSecond = 2;

  /// @param now a clock that never goes back.
  /// @return how many lines were kept back since the last one that passed, or -1 if this one is kept back
  /// too.
  std::int64_t Pass(std::chrono::nanoseconds now) {
    std::lock_guard lock(mutex_);
    const std::int64_t second = std::chrono::duration_cast<std::chrono::seconds>(now).count();
    left_ = std::min(kBurst, left_ + std::min(kBurst, second - second_) * kPerSecond);
    second_ = second;
    if (left_ == 0) {
      ++kept_back_;
      return -1;
    }
    --left_;
    return std::exchange(kept_back_, 0);
  }

 private:
  std::mutex mutex_;
  std::int64_t second_ = 0;
  std::int64_t left_ = kBurst;
  std::int64_t kept_back_ = 0;
};

}  // namespace grantfs

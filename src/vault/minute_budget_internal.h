#pragma once

#include <cstdint>
#include <mutex>
#include <unordered_map>

#include "grantfs/crypto/hash.h"

namespace grantfs {

/// How much each machine may have recorded within a minute: an honest one stays far below it, but a machine
/// that was taken need not. Threads: safe.
class MinuteBudget {
 public:
  explicit MinuteBudget(std::size_t per_minute) : per_minute_(per_minute) {}

  /// @param now  unix seconds.  @return whether that much more may be recorded.
  bool Take(const Hash& machine, std::size_t amount, std::int64_t now) {
    const std::lock_guard lock(mutex_);
    if (now / 60 != minute_) {
      minute_ = now / 60;
      used_.clear();
    }
    std::size_t& used = used_[machine];
    if (used + amount > per_minute_) return false;
    used += amount;
    return true;
  }

 private:
  const std::size_t per_minute_;
  std::mutex mutex_;
  std::int64_t minute_ = 0;
  std::unordered_map<Hash, std::size_t> used_;
};

}  // namespace grantfs

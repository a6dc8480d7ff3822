#pragma once

#include <cstdint>
#include <mutex>
#include <unordered_map>

#include "grantfs/crypto/hash.h"

namespace grantfs {

/// How many refusals a machine may report within a minute: its mount counts them together, but a machine that
/// was taken need not. Threads: safe.
class RefusalBudget {
 public:
  static constexpr std::size_t kPerMinute = 400;

  /// @param now  unix seconds.  @return whether that many more may be recorded.
  bool Take(const Hash& machine, std::size_t count, std::int64_t now) {
    const std::lock_guard lock(mutex_);
    if (now / 60 != minute_) {
      minute_ = now / 60;
      used_.clear();
    }
    std::size_t& used = used_[machine];
    if (used + count > kPerMinute) return false;
    used += count;
    return true;
  }

 private:
  std::mutex mutex_;
  std::int64_t minute_ = 0;
  std::unordered_map<Hash, std::size_t> used_;
};

}  // namespace grantfs

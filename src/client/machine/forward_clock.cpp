#include "forward_clock_internal.h"

namespace grantfs {
namespace {

std::int64_t WholeMilliseconds(std::chrono::nanoseconds time) {
  return std::chrono::floor<std::chrono::milliseconds>(time).count();
}

}  // namespace

std::int64_t ForwardClock::Seconds() const {
  const std::int64_t boot = WholeMilliseconds(clock_->Boot());
  Raise(std::chrono::milliseconds(clock_->WallMilliseconds() - boot));
  return (boot + ahead_ms_.load()) / 1000;
}

void ForwardClock::Saw(std::int64_t wall_seconds, std::chrono::nanoseconds boot) const {
  Raise(std::chrono::seconds(wall_seconds) - std::chrono::milliseconds(WholeMilliseconds(boot)));
}

void ForwardClock::Raise(std::chrono::milliseconds ahead) const {
  std::int64_t known = ahead_ms_.load();
  while (known < ahead.count() && !ahead_ms_.compare_exchange_weak(known, ahead.count())) {
  }
}

}  // namespace grantfs

#pragma once

#include <poll.h>

#include <chrono>

namespace grantfs {

/// True as soon as `condition()` is; false if it is not within `deadline`, which is for a hanging test alone: generous, and
/// nothing asserts how long it took.
template <typename Condition>
bool Eventually(Condition condition, std::chrono::seconds deadline = std::chrono::seconds(20)) {
  const auto end = std::chrono::steady_clock::now() + deadline;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    ::poll(nullptr, 0, 5);
  }
  return true;
}

/// The pace of a peer that a test plays (one byte now and then); never a wait for something to have happened.
inline void Pace(std::chrono::milliseconds pause) { ::poll(nullptr, 0, static_cast<int>(pause.count())); }

}  // namespace grantfs

#pragma once

#include <chrono>
#include <cstdint>
#include <functional>

#include "grantfs/util/clock.h"

namespace grantfs {

/// How far long work is: "sealing", 17 of 200. `total` 0: not known.
struct Progress {
  const char* what = "";
  std::uint64_t done = 0;
  std::uint64_t total = 0;
};

/// Of everything that talks to a vault.
struct ClientOptions {
  std::chrono::milliseconds deadline{10'000};  ///< of each request
  const Clock* clock = &SystemClock();
  /// Of an owner's session that revokes: what it notes may use the home's reserve (home.h), which is made
  /// again when it ends.
  bool revokes = false;
  std::function<void(const Progress&)> progress;  ///< runs on the calling thread; may be empty
};

}  // namespace grantfs

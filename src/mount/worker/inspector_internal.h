#pragma once

#include <sys/types.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "grantfs/util/result.h"
#include "grantfs/util/unique_fd.h"
#include "mount/callers/caller_internal.h"

namespace grantfs {

/// Looks at the processes behind requests for a worker that may not, in a process of its own that keeps the
/// two capabilities which /proc asks for and ends when the worker does.
///
/// A look that takes too long (an executable on a filesystem that does not answer) is given up: it keeps one
/// of the lines to that process until it ends, perhaps never, and the others go on. What hangs once, hangs
/// again: another look of the same user's at the same executables is given up at once when two of them hang,
/// and nobody takes all lines. Looks at no executable touch no filesystem but procfs, and go on in any case.
/// Threads: safe.
class Inspector {
 public:
  static constexpr std::chrono::milliseconds kDeadline{2000};

  /// @param threads  that may ask at once.  Errors: kIo.
  static Result<std::unique_ptr<Inspector>> Start(uid_t user, gid_t group, unsigned threads);
  /// As LookUpProcess, where "as this process" means as the supervisor; `late` within the deadline otherwise.
  /// @return none if the inspector is gone.
  std::optional<ProcessFacts> Ask(std::uint32_t thread, std::uint32_t uid, std::uint32_t gid,
                                  const WantedFacts& wanted);

 private:
  struct Line {
    UniqueFd socket;
    // Of what it is stuck at.
    std::uint32_t uid = 0;
    std::vector<WantedExecutable> executables;
    bool half = false;  ///< it was stuck before all of the question was sent
  };
  using Time = std::chrono::steady_clock::time_point;
  Inspector(std::vector<UniqueFd> sockets, unsigned threads);
  std::optional<std::size_t> TakeLine(std::uint32_t uid, const WantedFacts& wanted, Time end);
  void FreeUnstuck();
  bool WouldHang(std::uint32_t uid, const std::vector<WantedExecutable>& executables) const;

  const std::size_t threads_;
  std::mutex mutex_;
  std::condition_variable freed_;
  std::vector<Line> lines_;
  std::vector<std::size_t> free_;   ///< the last is the one that was used last
  std::vector<std::size_t> stuck_;  ///< their answers are still to come, and nobody's
};

}  // namespace grantfs

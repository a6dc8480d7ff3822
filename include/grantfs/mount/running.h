#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace grantfs {

/// A mount of this user's that the kernel knows, and what its supervisor says of it.
struct RunningMount {
  enum class State {
    kServes,
    kStarts,    ///< no worker serves now; one is about to
    kRefuses,   ///< workers end again and again: every read fails for a while
    kNoOrders,  ///< it is served, by whom does not say so (one that could not listen for orders)
    kSilent,    ///< its supervisor, or who serves it, does not answer
    kDead,      ///< nobody serves it
  };
  std::string point;
  State state = State::kDead;
  // "", 0 where nobody says.
  std::string identity;  ///< whose secrets it shows
  pid_t supervisor = 0;
  std::string program;  ///< the version of the supervisor's program
  pid_t worker = 0;     ///< that serves
  std::string worker_program;
};

/// Asks all mounts of secrets that this user has made. No admin mount is among them, which takes no orders.
/// Blocks: some seconds for each that does not answer.
///
/// @param control_directory  as in SupervisorOptions.
std::vector<RunningMount> FindRunningMounts(const std::string& control_directory);

}  // namespace grantfs

#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <vector>

#include "grantfs/util/result.h"

namespace grantfs {

// Between a supervisor and its workers, which may be of a newer program: a change here is a change of
// MountShared::kLayout.

inline constexpr int kControlDescriptor = 3;
inline constexpr int kSlotsDescriptor = 4;
inline constexpr int kKeptDescriptor = 5;
inline constexpr int kHelpersDescriptor = 6;  ///< see remote_helpers_internal.h

// To the worker.
inline constexpr char kFuseMessage = 'F';   ///< with the descriptor of /dev/fuse
inline constexpr char kGoMessage = 'G';     ///< the one before is dead: serve
inline constexpr char kDrainMessage = 'D';  ///< finish and end
inline constexpr char kEndMessage = 'X';    ///< it is being unmounted
inline constexpr char kPingMessage = 'P';   ///< to one that waits for the word to go: is it awake?
// From it.
// The first two with the version of its program.
inline constexpr char kReadyMessage = 'R';    ///< waits for the word to go
inline constexpr char kServingMessage = 'S';  ///< serves
inline constexpr char kErrorMessage = 'E';    ///< cannot; ends
inline constexpr char kAwakeMessage = 'A';    ///< the answer to a ping
inline constexpr char kGoneMessage = 'U';     ///< unmounted: it finishes. It only wakes the other end

// On kHelpersDescriptor, to the supervisor.
inline constexpr char kStartRotation = 'r';  ///< answered
inline constexpr char kKillRotation = 'k';   ///< not answered
inline constexpr char kStartOnChange = 'c';  ///< answered
// From it.
inline constexpr char kHelperStarted = 's';  ///< its process's number, with its socket
inline constexpr char kHelperFailed = 'e';   ///< a packed Error

inline constexpr int kUnmountedStatus = 10;  ///< it ended because the filesystem was unmounted
inline constexpr int kDrainedStatus = 0;

struct WorkerWords {
  bool first = false;
  std::string point;
  std::string root;
  unsigned threads = 4;
  std::chrono::milliseconds open_deadline{0};
  uid_t mounter = 0;
  gid_t mounter_group = 0;
  uid_t user = 0;
  gid_t group = 0;
  bool on_change = false;  ///< there is a command to be run when secrets have changed

  std::vector<std::string> ToWords() const;
  /// Errors: kInvalid.
  static Result<WorkerWords> Parse(const std::vector<std::string>& words);
};

}  // namespace grantfs

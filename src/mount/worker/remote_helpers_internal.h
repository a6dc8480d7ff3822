#pragma once

#include <sys/types.h>

#include <memory>
#include <mutex>
#include <string>

#include "grantfs/util/result.h"
#include "grantfs/util/unique_fd.h"
#include "mount/watchers/on_change_internal.h"
#include "mount/watchers/rotation_helper_internal.h"

namespace grantfs {

/// Has the supervisor start what a worker has no right to: processes that act as whoever mounts. Threads:
/// safe.
class RemoteHelpers {
 public:
  /// @param socket to the supervisor; outlives this.
  explicit RemoteHelpers(int socket) : socket_(socket) {}

  /// The process that shows rotations to watchers; one that was started before is killed. Errors: kIo.
  Result<std::unique_ptr<RotationHelper>> StartRotation();
  /// The process that runs the command on changes: the one that there is, with what a worker before this one
  /// had it do, or a new one. Errors: kIo.
  Result<HelperProcess> StartOnChange();

 private:
  Result<HelperProcess> Ask(char kind);

  std::mutex mutex_;
  const int socket_;
};

}  // namespace grantfs

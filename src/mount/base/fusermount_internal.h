#pragma once

#include <string>

#include "grantfs/util/result.h"
#include "grantfs/util/unique_fd.h"

namespace grantfs {

// What only root may do, done for an ordinary user by libfuse's setuid program fusermount3 (package fuse3),
// which is searched for in PATH.

/// Mounts on a canonical path. @param options of mount.fuse3(8). @return the descriptor of /dev/fuse.
/// Errors: kUnsupported (no fusermount3, it has no rights, or the host has no FUSE), kDenied (the directory
/// is another's; allow_other is not permitted), kIo (with what it said as the subject).  Blocks until it
/// ends.
Result<UniqueFd> MountByFusermount(const std::string& point, const std::string& options);

/// Unmounts a mount of the user's own. @param detach also if files are open.
/// Errors: kUnsupported, kConflict (files are open), kDenied (another's mount), kIo.  Blocks until it ends.
Status UnmountByFusermount(const std::string& point, bool detach);

}  // namespace grantfs

#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "grantfs/log/log.h"
#include "grantfs/util/result.h"
#include "grantfs/util/unique_fd.h"
#include "mount/base/mount_table_internal.h"

namespace grantfs {

/// The FUSE filesystem at its place.
struct MountedFuse {
  UniqueFd fuse;      ///< of /dev/fuse
  std::string point;  ///< canonical
  unsigned long long id = 0;
  unsigned device = 0;  ///< its minor number, by which the kernel's control files name the connection
};

/// Makes the directory ready: makes it where it is missing, unmounts stale grantfs mounts there, and refuses
/// what is in use.
///
/// @param note gets one line about what was mended.
/// @return the canonical path.
/// Errors: kInvalid (not an empty directory), kConflict (something is mounted there), kIo, kDenied.
/// Blocks: for some seconds, where a mount does not answer.
Result<std::string> PrepareMountPoint(const std::string& path,
                                      const std::function<void(std::string_view)>& note);

/// The path without links, also of a stale mount. Errors: kNotFound, kInvalid (no directory), kIo.
Result<std::string> CanonicalMountPoint(const std::string& path);

enum class Served { kYes, kNo, kSilent };
/// Whether anybody answers for what is mounted there. Forks. Blocks: 5 s at most.
Served IsServed(const std::string& point);

/// Mounts on a prepared mount point. Nothing is answered there before a session serves the descriptor.
/// Root's mounts are everybody's; an ordinary user's are made by fusermount3.
///
/// @param allow_other an ordinary user's mount lets other users in too.
/// @param source      what it is called in the table of mounts.
/// Errors: kDenied (may not), kUnsupported (no /dev/fuse, no fusermount3), kConflict (it is another directory
/// now), kIo.
Result<MountedFuse> MountFuse(const std::string& point, bool allow_other = false,
                              const char* source = kSecretsSource);

/// Unmounts if it is still that mount which is seen there. @return false if files are open in it, or it is
/// gone already.
/// @param detach also if files are open.
bool UnmountFuse(const MountedFuse& mounted, bool detach);

/// Ends the connection of a mount whoever holds its descriptor: what waits for an answer fails. Where the
/// kernel's control files are not mounted it ends with the last holder. Asks nobody who serves the mount.
/// Errors: kIo (`where` says what to do).
Status AbortConnection(const MountedFuse& mounted);

/// The end of a mount: unmounts it, or detaches it where files are open, and says which.
void UnmountOrDetach(const MountedFuse& mounted, const std::function<void(LogLevel, std::string_view)>& log);

/// "6.18.44-x" -> whether that is 5.14 or later. Errors: kUnsupported, with what is needed.
Status CheckKernel(std::string_view release);

/// uname(2)'s release.
std::string KernelRelease();

}  // namespace grantfs

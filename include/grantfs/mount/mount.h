#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "grantfs/client/secret_source.h"
#include "grantfs/log/log.h"
#include "grantfs/util/result.h"

namespace grantfs {

/// Lies below a directory of its own, so that containers can bind that one (`ro,rslave`) and survive a
/// remount.
inline constexpr const char* kDefaultMountPoint = "/run/grantfs/secrets";
/// Where programs look by custom.
inline constexpr const char* kConvenienceLink = "/run/secrets";

struct MountOptions {
  std::string mount_point = kDefaultMountPoint;  ///< made (0755) where it is missing, else an empty directory
  /// An ordinary user's mount lets other users in, which /etc/fuse.conf must permit; root's always does.
  bool allow_other = false;
  std::string root;                ///< "shop/prod": that environment alone, at the top; "": all of them
  unsigned threads = 4;            ///< that serve the kernel, 1..64
  SecretSource* source = nullptr;  ///< outlives the call
  /// One line for people; never a value. Runs on several threads. Empty: grantfs::Log.
  std::function<void(LogLevel, std::string_view line)> log;
  /// Runs once on the caller's thread when the files can be read. May be empty.
  std::function<void()> ready;
  std::chrono::milliseconds open_deadline{2000};  ///< after which an open or a check fails with EIO
  /// How long a change may wait until a process has made it in a way that watchers (inotify) see.
  std::chrono::milliseconds watcher_bound{1000};
  /// Run through /bin/sh, when secrets have changed and the mount shows it, with their names below the mount
  /// point as arguments ("$@") and the mount point in GRANTFS_MOUNT; as the user who mounts. One run at a
  /// time. "" for none.
  std::string on_change;
  std::chrono::seconds on_change_limit{60};  ///< after which it is killed, with its process group
  /// Who mounted, and so owns what no grant gives an owner; none: who runs this.
  std::optional<std::pair<uid_t, gid_t>> mounter;
};

/// Errors: kInvalid.
Status CheckMountOptions(const MountOptions& options);

/// Shows the secrets of `options.source` as files, until the filesystem is unmounted or SIGTERM, SIGINT or
/// (if it was not ignored) SIGHUP arrives, whose handlers this sets for as long. On a signal it unmounts;
/// where files are still open it detaches the mount, serves them for at most `open_deadline` more, and ends.
/// A second signal ends that wait. All of it in this process: the grantfs program mounts by workers instead
/// (supervisor.h).
///
/// The filesystem is mounted `ro,nosuid,nodev,noexec,noatime,default_permissions` and, as root or where
/// `allow_other` is set, `allow_other`. An ordinary user's is mounted and unmounted by fusermount3, and is
/// that user's alone otherwise: the kernel lets nobody else in, not even root, whatever the files' owners and
/// modes.
///
/// A secret "a" and another "a/b" cannot both be files: "a" is shown. That, an owner who is unknown here, and
/// a name that is no path hide a secret. MOUNT/.grantfs/status (0444) tells everybody how things stand and
/// counts what is hidden or refused, without a name; MOUNT/.grantfs/grants (0400, whoever mounted) names
/// every grant and says why. A stale mount of a killed grantfs on the mount point is mended. Blocks. Threads:
/// one at a time in a process. Errors: kInvalid (options, mount point not empty), kConflict (something is
/// mounted there), kUnsupported (kernel before 5.14, no fusermount3), kDenied (may not mount there), kIo.
Status RunMount(const MountOptions& options);

/// Unmounts a grantfs filesystem, and nothing else. Its RunMount then returns, once no bind mount of it is
/// left. Errors: kNotFound (no grantfs is mounted there), kConflict (files are open in it), kDenied, kIo.
Status Unmount(const std::string& mount_point);

/// Makes `link` point to `mount_point` if nothing has that name. Returns whether it points there now. Errors:
/// kIo.
Result<bool> MakeConvenienceLink(const std::string& mount_point, const std::string& link = kConvenienceLink);

}  // namespace grantfs

#pragma once

#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "grantfs/util/unique_fd.h"

namespace grantfs {

/// The rights to mount that a user namespace gives; without a mapped user and group no file could be made in
/// it.
inline bool BecomeRootOfNamespace() {
  const std::string user = "0 " + std::to_string(::getuid()) + " 1\n";
  const std::string group = "0 " + std::to_string(::getgid()) + " 1\n";
  if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return false;
  const auto write = [](const char* path, const std::string& text) {
    std::ofstream file(path);
    file << text << std::flush;
    return file.good();
  };
  return write("/proc/self/uid_map", user) && write("/proc/self/setgroups", "deny") &&
         write("/proc/self/gid_map", group);
}

/// Makes a small disk ("256k") that is attached nowhere, and so is seen by nobody else, the root of this
/// process, which must be a child made for it, with one thread. False: this kernel or user may not.
inline bool EnterSmallDisk(const char* size) {
  UniqueFd context(::fsopen("tmpfs", FSOPEN_CLOEXEC));
  if (!context && BecomeRootOfNamespace()) context.Reset(::fsopen("tmpfs", FSOPEN_CLOEXEC));
  if (!context || ::fsconfig(context.get(), FSCONFIG_SET_STRING, "size", size, 0) != 0 ||
      ::fsconfig(context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0) {
    return false;
  }
  const UniqueFd disk(::fsmount(context.get(), FSMOUNT_CLOEXEC, 0));
  return disk && ::fchdir(disk.get()) == 0 && ::chroot(".") == 0;
}

}  // namespace grantfs

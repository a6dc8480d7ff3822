#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "grantfs/client/secret_source.h"
#include "grantfs/crypto/hash.h"

namespace grantfs {

inline constexpr const char* kProc = "/proc";

/// An executable that a grant names: what is to be found out about the process's own.
struct WantedExecutable {
  std::string path;
  bool content = false;  ///< its hash too
  bool operator==(const WantedExecutable&) const = default;
};

/// What is to be looked up beside the Caller.
struct WantedFacts {
  bool groups = false;
  bool executable = false;  ///< the caller's, and its user namespace
  bool cgroup = false;
  bool account = false;  ///< executable, cgroup and process for a record
  bool rights = false;   ///< capabilities and the ids that files are opened with, for an explanation
  std::vector<WantedExecutable> executables;

  bool any() const { return groups || executable || cgroup || account || rights || !executables.empty(); }
  /// Nothing that anything is decided by.
  bool only_account() const {
    return account && !groups && !executable && !cgroup && !rights && executables.empty();
  }
};

/// How a process's executable compares with a wanted one.
struct ExecutableFacts {
  bool named = false;    ///< the process's executable has that path (or the one that it leads to)
  bool deleted = false;  ///< had it: the file was replaced or deleted since the process began
  bool same = false;     ///< and is the file that is found there now, from here
  std::string content;   ///< SHA-256 in hexadecimal; "" where it was not wanted, not named, or cannot be read
};

/// What was found out about the thread behind a request. Plain data.
struct ProcessFacts {
  Caller caller;
  bool seen = false;  ///< it is visible in procfs, and the same before and after the look
  bool late = false;  ///< the look took too long: nothing is known beside what the kernel said itself
  std::vector<std::uint32_t> groups;
  bool same_user_namespace = false;          ///< as this process
  std::vector<ExecutableFacts> executables;  ///< one for each that was wanted
  std::uint64_t capabilities = 0;            ///< effective
  std::uint32_t file_uid = 0, file_gid = 0;  ///< as procfs names them
  bool same_pid_namespace = false;
  bool same_mount_namespace = false;
};

/// Looks at the thread behind a request, which must still be waiting for its answer (else its id may be
/// another's). The one place that asks procfs about processes.
///
/// The executable is the file that /proc/PID/exe leads to, whatever lies at its path. Its content is read
/// only if it has the wanted path, and once for each device, inode, size and times.
///
/// @param thread what the kernel names as pid: a thread's id, or 0 for one in a pid namespace that is not
/// visible from here.
/// @param proc where procfs is mounted.
/// @return with the process's id (the thread's group) where it could be found; executable and cgroup "" where
/// not, or not wanted.  Threads: safe.  Blocks: while an executable is read for the first time.
ProcessFacts LookUpProcess(std::uint32_t thread, std::uint32_t uid, std::uint32_t gid,
                           const WantedFacts& wanted, const std::string& proc = kProc);

/// Why nothing is served to a process that could not be looked at in time.
inline constexpr char kLateLook[] =
    "which process it is could not be found out in time (procfs, or the filesystem of an executable that the "
    "grant names, does not answer): try again";

/// The same, wherever it runs.
using ProcessLookUp = std::function<ProcessFacts(std::uint32_t thread, std::uint32_t uid, std::uint32_t gid,
                                                 const WantedFacts& wanted)>;

}  // namespace grantfs

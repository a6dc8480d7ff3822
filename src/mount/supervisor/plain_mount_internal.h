#pragma once

#include <fuse_lowlevel.h>

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

#include "grantfs/log/log.h"
#include "grantfs/util/result.h"
#include "mount/base/mount_table_internal.h"
#include "mount/kernel/session_internal.h"

namespace grantfs {

/// A filesystem that this process alone serves, from mounting it to its end.
struct PlainMount {
  std::string mount_point;
  bool allow_other = false;
  const char* source = kSecretsSource;  ///< as MountFuse has it
  unsigned threads = 4;
  std::chrono::milliseconds last_wait{2000};  ///< for files that are open when it is to end
  std::function<void(LogLevel, std::string_view line)> log;
  std::function<void()> ready;  ///< may be empty
  const fuse_lowlevel_ops* operations = nullptr;
  /// Before there is anything of the mount that a process started now should not inherit; may be empty.
  std::function<Status(const std::string& point)> prepare;
  /// Makes what the operations work with, which Session::owner() then is. @param point canonical.
  std::function<void*(const std::string& point, Session* session)> make;
  std::function<void()> interrupt;  ///< when it is to end, before the session's threads do; may be empty
  std::function<void()> stop;       ///< after the last request, and before the session goes; may be empty
};

/// Mounts and serves until it is unmounted or told to stop, as RunMount says. Errors: RunMount's.
Status RunPlainMount(const PlainMount& mount);

}  // namespace grantfs

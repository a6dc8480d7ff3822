#pragma once

#include <sys/types.h>

#include <functional>

#include "grantfs/util/result.h"

namespace grantfs {

/// Runs `work` in a process of its own, without a terminal, and returns there once the work calls `ready` or
/// ends.
///
/// Must be called before the program has threads or secrets: neither goes along. In the new process standard
/// input and output are gone from `ready` on, and what is written to standard error goes to the system's log
/// (syslog(3)).
///
/// @param work  runs in the new process alone, which ends with it.
/// @return the new process's id, after `ready`; or what `work` failed with before that. Errors of its own:
/// kIo.
using BackgroundWork = std::function<Status(const std::function<void()>& ready)>;
Result<pid_t> RunInBackground(const BackgroundWork& work);

/// Runs `work` in a process of its own and waits for it: so that its threads and what it read are gone
/// afterwards. Errors: the work's; kIo.
Status RunApart(const std::function<Status()>& work);

}  // namespace grantfs

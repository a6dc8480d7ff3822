#pragma once

#include <cstdint>
#include <string>

#include "grantfs/client/secret_source.h"

namespace grantfs {

/// Looks at the process behind a request, which must still be waiting for its answer (else its id may be
/// another's).
///
/// @param thread what the kernel names as pid: a thread's id, or 0 for one in a pid namespace that is not
/// visible from here.
/// @param proc where procfs is mounted.
/// @return with the process's id (the thread's group) where it could be found; executable and cgroup "" where
/// not.
Caller ResolveCaller(std::uint32_t thread, std::uint32_t uid, std::uint32_t gid,
                     const std::string& proc = "/proc");

}  // namespace grantfs

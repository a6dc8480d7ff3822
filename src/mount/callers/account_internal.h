#pragma once

#include <cstdint>

#include "grantfs/client/secret_source.h"

namespace grantfs {

/// Who a thread is, for the record of what it reads, in a quarter of the time that looking it up by its
/// number takes: the kernel's handles of the threads that were seen last are kept open. A handle names that
/// thread and no other, so a number that is used again is found out; executable and cgroup, which may change,
/// are asked for each time. Threads: safe.
///
/// @param thread  its id, not 0; it must be waiting for its answer.
Caller LookUpAccount(std::uint32_t thread, std::uint32_t uid, std::uint32_t gid);

}  // namespace grantfs

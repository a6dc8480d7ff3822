#pragma once

#include <string>

#include "grantfs/util/result.h"
#include "mount/callers/caller_internal.h"

namespace grantfs {

/// The first directory on the way to a path that a process may not go through, as the kernel decides; "" if
/// it can go all the way. Forks.
///
/// @param root  a descriptor of the process's root.  @param path  absolute, in that root.
/// @param facts  with groups and rights.
/// Errors: kIo.
Result<std::string> FindBarrier(int root, const std::string& path, const ProcessFacts& facts);

}  // namespace grantfs

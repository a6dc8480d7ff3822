#pragma once

#include <sys/types.h>

#include <string>

#include "grantfs/util/result.h"
#include "grantfs/util/unique_fd.h"

namespace grantfs {

/// A directory of an opened home that is a mount's workers' own: made where it is missing, and given to their
/// user with the files in it that were its former user's. No link is followed, and nothing else becomes
/// anybody's.
/// @return the directory, for its path alone.  Errors: kIo.
/// Errors also: kDenied (root's, in a home of another user).
Result<UniqueFd> WorkersDirectory(int home, const std::string& name, uid_t user, gid_t group);

/// Takes away the copies of known.db (known.db.PID) of workers that ended while they took it over.
void RemoveLeftCopies(const std::string& directory);

}  // namespace grantfs

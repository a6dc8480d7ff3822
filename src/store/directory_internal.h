#pragma once

#include <string>

#include "grantfs/util/result.h"
#include "grantfs/util/unique_fd.h"

namespace grantfs {

/// Makes the vault's directory (0700) or checks that it is nobody else's. Errors: kDenied with the mending
/// command, kIo.
Status PrepareDirectory(const std::string& directory);

/// Takes the lock that a serving process holds for as long as the descriptor is open. It is a file of its
/// own: SQLite's locks would be lost when anyone in this process closed the database's. Errors: kConflict
/// naming the process that holds it, kDenied, kIo.
Result<UniqueFd> LockDirectory(const std::string& directory);

}  // namespace grantfs

#pragma once

#include "grantfs/util/result.h"

namespace grantfs {

/// What `grantfs` exits with: a contract with scripts.
enum class ExitCode : int {
  kDone = 0,
  kFailed = 1,       ///< the operating system, a full disk, something that this build cannot do
  kUsage = 2,        ///< the command line, the configuration, or what was put in, is not right
  kDenied = 3,       ///< the key, its role, a grant or an invitation does not allow it (any more)
  kNotFound = 4,     ///< there is no such thing, or it is not visible
  kUnreachable = 5,  ///< the vault does not answer, or cannot serve at the moment: try again later
  kConflict = 6,     ///< it exists already, or the state moved on
  kIntegrity = 7,    ///< something is forged, tampered with, forked or rolled back
};

inline constexpr ExitCode kAllExitCodes[] = {ExitCode::kDone,     ExitCode::kFailed,   ExitCode::kUsage,
                                             ExitCode::kDenied,   ExitCode::kNotFound, ExitCode::kUnreachable,
                                             ExitCode::kConflict, ExitCode::kIntegrity};

ExitCode ExitCodeOf(Code code);

/// "not found", as it stands in help texts.
const char* ExitCodeMeaning(ExitCode code);

}  // namespace grantfs

#pragma once

#include <vector>

#include "command_internal.h"
#include "grantfs/trust/acts.h"

namespace grantfs {

/// The options of `grantfs grant`.
std::vector<Option> GrantOptionsHelp();

/// The terms that its arguments ask for. Errors: kInvalid; kUnsupported (terms that this build's mount cannot
/// enforce: it would deny every read under them, so that no such grant is made).
Result<Grant> GrantTerms(const Arguments& arguments, std::int64_t now);

}  // namespace grantfs

#pragma once

#include <vector>

#include "command_internal.h"
#include "grantfs/client/audit.h"

namespace grantfs {

/// The options by which audit commands choose records, and those of the command itself.
std::vector<Option> WithAuditFilter(std::vector<Option> own);

/// What they say. @param now  unix seconds, from which "--since 2h" counts back.  Errors: kInvalid.
Result<AuditFilter> ReadAuditFilter(const Arguments& arguments, std::int64_t now);

}  // namespace grantfs

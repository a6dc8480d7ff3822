#pragma once

#include <string>
#include <vector>

#include "command_internal.h"

namespace grantfs {

/// Takes over what was parsed under `key` for `option`. Errors: kInvalid: given twice, a flag that is neither
/// yes nor no.
Status TakeOption(const Option& option, const std::vector<std::string>& parsed, Arguments::Values* values);

}  // namespace grantfs

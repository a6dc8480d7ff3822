#pragma once

#include <string>

#include "command_internal.h"
#include "grantfs/trust/roles.h"

namespace grantfs {

// What `member add` and `request member` read alike.

/// Of --role. Errors: kInvalid.
Result<Role> RoleGiven(const Context& context);

/// Of --prefix: "" for every secret, else components that end in a slash: "tls" means what "tls/" does.
Result<std::string> PrefixGiven(const Context& context, Role role);

/// Errors: kInvalid (an agent that would read).
Status CheckMayHold(const Identity& who, Role role);

}  // namespace grantfs

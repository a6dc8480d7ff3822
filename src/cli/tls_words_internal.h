#pragma once

#include "command_internal.h"
#include "grantfs/client/owner_results.h"

namespace grantfs {

/// Both pins as the list has them, and what the server has, for people or as JSON.
void OutTlsKeys(Context& context, const TlsKeys& keys);

/// An argument that is a pin. Errors: kInvalid.
Result<Hash> ParsePin(const std::string& text);

}  // namespace grantfs

#pragma once

#include "command_internal.h"
#include "grantfs/client/rekey_results.h"

namespace grantfs {

/// Of --fingerprint and --reason. The result's `lost` is left to the command that has it.
RekeyOptions RekeyGiven(const Context& context);

/// What became of a replaced key, and what is left to do. Errors: kIo (something was not done).
Status OutRekeyed(Context& context, const RekeyResult& result);

}  // namespace grantfs

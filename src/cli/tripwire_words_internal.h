#pragma once

#include "command_internal.h"
#include "grantfs/client/owner_results.h"

namespace grantfs {

/// What `tripwire set` and `tripwire show` print.
void OutTripwire(Context& context, const TripwireInfo& info);

}  // namespace grantfs

#pragma once

#include "command_internal.h"

namespace grantfs {

/// grantfs approve -: lets in the machines whose requests stand on standard input, all or none.
Status ApproveRequests(Context& context);

}  // namespace grantfs

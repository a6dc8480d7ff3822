#pragma once

#include "command_internal.h"
#include "grantfs/client/join.h"
#include "grantfs/json/json.h"

namespace grantfs {

Json EnrolJson(const EnrolResult& result);
/// "this is web-1, of the vault at ...", and what comes next.
void OutEnrolled(Context& context, const EnrolResult& result);

/// grantfs enroll --request, --accept.
Status RunEnrollRequest(Context& context);
Status RunEnrollAccept(Context& context);

}  // namespace grantfs

#pragma once

#include "grantfs/trust/request.h"
#include "json_fields_internal.h"

namespace grantfs {

Json RequestToJson(const Request& request);
/// Exactly the known members, within their bounds. Errors: kInvalid, kUnsupported.
Result<Request> RequestFromJson(const Json& json);

}  // namespace grantfs

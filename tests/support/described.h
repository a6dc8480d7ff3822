#pragma once

#include "grantfs/net/http.h"

namespace grantfs::testing {

/// Fails the running test where an exchange is not as the API's description says it: a request that was
/// answered with 200, its response, or a status or problem code that the route is not described to have. What
/// is no route is left alone.
void ExpectDescribed(const HttpRequest& request, const HttpResponse& response);

}  // namespace grantfs::testing

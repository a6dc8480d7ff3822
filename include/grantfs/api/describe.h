#pragma once

#include <string>

#include "grantfs/api/routes.h"
#include "grantfs/json/json.h"

// The description of the wire that programs read (OpenAPI 3.1). It is made of the route table, of the bounds
// and of one entry a route (src/api/describe_*.cpp), so that methods, paths, callers and sizes cannot differ
// from what is served.

namespace grantfs::api {

/// The whole description, as GET /v1/openapi.json and grantfs openapi give it.
/// @param version  of the program.
Json Description(const std::string& version);

/// A route's path as the description has it: "/v1/log/tile/{tile}".
std::string DescribedPath(const Route& route);
/// A route's operation: "secretsReserve", "getStatus".
std::string OperationId(const Route& route);
/// "machine", "vault-owner", ...: who may call, as the description says it.
const char* WhoName(Who who);

}  // namespace grantfs::api

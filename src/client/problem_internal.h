#pragma once

#include <string>

#include "grantfs/net/http.h"
#include "grantfs/util/result.h"

namespace grantfs {

/// What a response that is not a success means to a person. @param keyid  who asked.  @param subject
/// "host:port".
Error ErrorOfResponse(const HttpResponse& response, const std::string& keyid, const std::string& subject);

/// The same failure of another thing.
Error About(Error error, std::string subject);

/// Seconds since 1970 of an HTTP date ("Sat, 21 Nov 2026 11:42:03 GMT"), or -1.
std::int64_t ParseHttpDate(const std::string& text);

}  // namespace grantfs

#pragma once

#include <string>
#include <string_view>

#include "grantfs/net/address.h"
#include "grantfs/net/http.h"
#include "grantfs/util/result.h"

namespace grantfs::net {

/// How the length of a response's body is told.
enum class Framing { kLength, kChunked };

/// The bytes of a response: head, and (kLength) the body; a Date is added where there is none. Errors:
/// kInvalid (a status, or a header that would not be one on the wire, or that the server sets itself).
Result<std::string> ResponseText(const HttpResponse& response, Framing framing, bool keep_alive);

/// One chunk of a chunked body; the empty one is its end.
std::string ChunkText(std::string_view chunk);

/// The bytes of a request, checked by the same strict gate as the server's. Errors: kInvalid.
Result<std::string> RequestText(const HttpRequest& request, const Address& server);

/// A problem document (RFC 9457). `title` and `code` are literals that need no escaping.
HttpResponse Problem(int status, const char* title, const char* code);

}  // namespace grantfs::net

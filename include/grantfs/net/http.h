#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "grantfs/httpsig/header.h"

namespace grantfs {

/// A request. On the server it has passed the strict gate: HTTP/1.1, origin-form target in canonical form, no
/// header twice that counts. On the client, Host, Content-Length and Connection are added by the client
/// itself and must not be in `headers`.
struct HttpRequest {
  std::string method = "GET";
  std::string path = "/";  ///< as on the wire (percent-encoded), without the query
  std::string query;       ///< as on the wire, without the "?"
  std::string authority;   ///< the Host header; on the client "" stands for the server's address
  std::vector<HttpHeader> headers;
  std::string body;
  std::string remote;  ///< server only: the peer's IP address as text, without the port
};

/// A response. The server adds Content-Length, Connection and, where it is missing, Date; these are not in
/// `headers`.
struct HttpResponse {
  int status = 200;
  std::vector<HttpHeader> headers;
  std::string body;
};

/// The largest request body and the largest request or response head that either side reads.
inline constexpr std::size_t kMaxRequestBytes = std::size_t{2} << 20;
inline constexpr std::size_t kMaxHeadBytes = std::size_t{16} << 10;

/// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 section 5.6.7).
std::string HttpDate(std::int64_t unix_seconds);
/// Seconds since 1970 of such a text, or -1.
std::int64_t ParseHttpDate(const std::string& text);

}  // namespace grantfs

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "grantfs/util/result.h"

namespace grantfs {

inline constexpr std::uint16_t kDefaultPort = 7843;

/// A host and a port.
struct Address {
  std::string host;  ///< a name in lower case, an IPv4 address, or an IPv6 address without brackets
  std::uint16_t port = kDefaultPort;

  /// "host:port", IPv6 in brackets; for people and for parsing again.
  std::string Text() const;
  /// What the Host header and the signature's @authority carry: Text(), but without ":443", which RFC 9110
  /// leaves out.
  std::string Authority() const;
  bool operator==(const Address&) const = default;
};

/// True for localhost, 127.0.0.0/8 and ::1.
bool IsLoopback(const Address& address);

/// Reads "host[:port]": a DNS name (letters, digits, "-" and "_"; labels of 1..63, at most 253 characters),
/// an IPv4 address in four decimal parts, or an IPv6 address in brackets; a port of 1..65535, kDefaultPort
/// where it is missing. Errors: kInvalid with what is wrong; the subject is the text.
Result<Address> ParseAddress(std::string_view text);

/// The same for a place to listen at, where port 0 stands for any free port.
Result<Address> ParseListenAddress(std::string_view text);

}  // namespace grantfs

#include "grantfs/net/address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

#include "grantfs/util/text.h"

namespace grantfs {
namespace {

constexpr std::uint16_t kHttpsPort = 443;

Error BadAddress(const char* where, std::string_view text) {
  return Error{Code::kInvalid, where, 0, Printable(text.substr(0, 300))};
}

bool IsNameCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

bool IsLabel(std::string_view label) {
  return !label.empty() && label.size() <= 63 && label.front() != '-' && label.back() != '-' &&
         std::all_of(label.begin(), label.end(), IsNameCharacter);
}

bool IsIpv4(const std::string& host) {
  in_addr parsed{};
  return inet_pton(AF_INET, host.c_str(), &parsed) == 1;
}

/// A DNS name, or an IPv4 address in the one form that everybody reads alike: whatever ends in a number must
/// be the latter.
bool IsNameOrIpv4(const std::string& host) {
  if (host.size() > 253) return false;
  const auto labels = Split(host, '.');
  if (!std::all_of(labels.begin(), labels.end(), IsLabel)) return false;
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  const std::string_view last = labels.back();
  const bool hexadecimal = last.starts_with("0x");
  if (!hexadecimal && !std::all_of(last.begin(), last.end(), digit)) return true;
  return IsIpv4(host);
}

/// The canonical text of an IPv6 address (RFC 5952), or "".
std::string CanonicalIpv6(const std::string& text) {
  in6_addr parsed{};
  std::array<char, INET6_ADDRSTRLEN> out{};
  if (inet_pton(AF_INET6, text.c_str(), &parsed) != 1) return {};
  return inet_ntop(AF_INET6, &parsed, out.data(), out.size()) == nullptr ? std::string()
                                                                         : std::string(out.data());
}

std::string HostInBrackets(const std::string& host) {
  return host.find(':') == std::string::npos ? host : "[" + host + "]";
}

Result<Address> Parse(std::string_view text, std::uint16_t least_port) {
  Address address;
  const std::size_t bracket = text.starts_with('[') ? text.find(']') : 0;
  if (bracket == std::string_view::npos) return BadAddress("an address has no closing bracket", text);
  const std::size_t colon = text.find(':', bracket);
  const std::string_view host = text.substr(0, colon);
  address.host = std::string(host);
  std::transform(address.host.begin(), address.host.end(), address.host.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  if (bracket != 0) {
    if (host.size() != bracket + 1)
      return BadAddress("something stands between the address and its port", text);
    address.host = CanonicalIpv6(address.host.substr(1, bracket - 1));
  } else if (!IsNameOrIpv4(address.host)) {
    address.host.clear();
  }
  if (address.host.empty())
    return BadAddress("this is not a host name or address (an IPv6 address stands in brackets)", text);
  if (colon == std::string_view::npos) return address;
  unsigned long long port = 0;
  if (!ParseNumber(text.substr(colon + 1), 65535, &port) || port < least_port)
    return BadAddress("the port must be a number of 1 to 65535", text);
  address.port = static_cast<std::uint16_t>(port);
  return address;
}

}  // namespace

std::string Address::Text() const { return HostInBrackets(host) + ":" + std::to_string(port); }

std::string Address::Authority() const { return port == kHttpsPort ? HostInBrackets(host) : Text(); }

bool IsLoopback(const Address& address) {
  const std::string& host = address.host;
  return host == "localhost" || host == "::1" || (host.starts_with("127.") && IsIpv4(host));
}

Result<Address> ParseAddress(std::string_view text) { return Parse(text, 1); }

Result<Address> ParseListenAddress(std::string_view text) { return Parse(text, 0); }

}  // namespace grantfs

#include <limits.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>

#include "names_internal.h"

namespace grantfs {
namespace {

bool IsWildcard(std::string_view host) { return host == "0.0.0.0" || host == "::"; }

bool NamesPort(std::string_view text) {
  const auto colon = text.rfind(':');
  const auto bracket = text.rfind(']');
  return colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket);
}

Result<Address> OwnName(const Address& bound) {
  if (!IsWildcard(bound.host)) return bound;
  char name[HOST_NAME_MAX + 1] = {};
  if (::gethostname(name, sizeof name - 1) != 0)
    return Error{Code::kIo, "the computer's name is not known: give one with --name", errno};
  auto parsed = ParseServedName(name);
  if (parsed) parsed->port = bound.port;
  return parsed;
}

}  // namespace

Result<Address> ParseServedName(std::string_view text) {
  Address name = GRANTFS_TRY(ParseAddress(text));
  if (!NamesPort(text)) name.port = 0;
  if (IsWildcard(name.host))
    return Error{Code::kInvalid, "is no name that a client could connect to", 0, std::string(text)};
  return name;
}

Result<std::vector<Address>> ServedNames(const std::vector<std::string>& given,
                                         const std::vector<Address>& bound) {
  std::vector<Address> names;
  for (const std::string& text : given) {
    Address name = GRANTFS_TRY(ParseServedName(text));
    if (name.port == 0) name.port = bound.front().port;
    names.push_back(std::move(name));
  }
  if (names.empty()) names.push_back(GRANTFS_TRY(OwnName(bound.front())));
  return names;
}

std::vector<std::string> ServedAuthorities(const std::vector<Address>& names,
                                           const std::vector<Address>& bound) {
  std::vector<std::string> authorities;
  std::transform(names.begin(), names.end(), std::back_inserter(authorities),
                 [](const Address& name) { return name.Authority(); });
  for (const Address& address : bound) {
    if (IsLoopback(address)) authorities.push_back(address.Authority());
    if (!IsLoopback(address) && !IsWildcard(address.host)) continue;
    for (const char* host : {"localhost", "127.0.0.1", "::1"})
      authorities.push_back(Address{host, address.port}.Authority());
  }
  return authorities;
}

}  // namespace grantfs

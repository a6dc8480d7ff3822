#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>

#include "grantfs/util/unique_fd.h"
#include "serve_addresses_internal.h"

namespace grantfs {
namespace {

bool NamesPort(const std::string& text) {
  const std::size_t bracket = text.rfind(']');
  return text.find(':', bracket == std::string::npos ? 0 : bracket) != std::string::npos;
}

bool IsLoopback(const Address& name) {
  return name.host == "localhost" || name.host == "::1" || name.host.starts_with("127.");
}

std::vector<Address> DefaultListen(const std::vector<Address>& names, bool ipv6) {
  const std::uint16_t port = names.front().port;
  const bool local = std::all_of(names.begin(), names.end(), IsLoopback);
  std::vector<Address> listen{{local ? "127.0.0.1" : "0.0.0.0", port}};
  if (ipv6) listen.push_back({local ? "::1" : "::", port});
  return listen;
}

}  // namespace

Result<ServeAddresses> ChooseServeAddresses(const std::vector<std::string>& names,
                                            const std::vector<std::string>& listen, bool ipv6) {
  ServeAddresses chosen;
  for (const std::string& text : listen) chosen.listen.push_back(GRANTFS_TRY(ParseListenAddress(text)));
  for (const std::string& text : names.empty() ? std::vector<std::string>{"localhost"} : names) {
    Address name = GRANTFS_TRY(ParseAddress(text));
    if (!NamesPort(text) && !chosen.listen.empty()) name.port = chosen.listen.front().port;
    chosen.names.push_back(std::move(name));
  }
  if (chosen.listen.empty()) chosen.listen = DefaultListen(chosen.names, ipv6);
  return chosen;
}

bool HasIpv6() {
  const UniqueFd fd(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in6 loopback{};
  loopback.sin6_family = AF_INET6;
  loopback.sin6_addr = in6addr_loopback;
  return fd && ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&loopback), sizeof loopback) == 0;
}

}  // namespace grantfs

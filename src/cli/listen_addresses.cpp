#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>

#include "grantfs/util/unique_fd.h"
#include "listen_addresses_internal.h"

namespace grantfs {

Result<std::vector<Address>> ChooseListenAddresses(const std::vector<std::string>& names,
                                                   const std::vector<std::string>& listen, bool ipv6) {
  std::vector<Address> chosen, called;
  for (const std::string& text : listen) chosen.push_back(GRANTFS_TRY(ParseListenAddress(text)));
  for (const std::string& text : names) called.push_back(GRANTFS_TRY(ParseAddress(text)));
  if (!chosen.empty()) return chosen;
  const std::uint16_t port = called.empty() ? kDefaultPort : called.front().port;
  const bool local = std::all_of(called.begin(), called.end(), IsLoopback);
  chosen.push_back({local ? "127.0.0.1" : "0.0.0.0", port});
  if (ipv6) chosen.push_back({local ? "::1" : "::", port});
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

#pragma once

#include <sys/socket.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "grantfs/net/address.h"
#include "grantfs/util/result.h"
#include "grantfs/util/unique_fd.h"

namespace grantfs::net {

/// Where a server may be.
struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
};
/// Blocks as long as it likes. Errors: kUnreachable.
using LookUp = std::function<Result<std::vector<SocketAddress>>(const Address& server)>;
Result<std::vector<SocketAddress>> SystemLookUp(const Address& server);

struct DialOptions {
  Address server;
  std::string subject;  ///< of errors
  std::chrono::steady_clock::time_point end;
  const std::atomic<bool>* stop = nullptr;  ///< null: nobody stops it
  LookUp look_up = SystemLookUp;
};
struct Dialed {
  UniqueFd fd;  ///< does not block
  bool v6 = false;
};

/// Looks a server's name up and connects, to one address after the other. A lookup cannot be interrupted, so
/// it has a thread of its own, which nobody waits for after the end; there are few of them.
/// Errors: kUnreachable (also: not before the end), kCancelled (`stop`), kIo.
Result<Dialed> Dial(const DialOptions& options);

}  // namespace grantfs::net

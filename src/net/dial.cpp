#include <netdb.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <memory>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>

#include "dial_internal.h"

namespace grantfs::net {
namespace {

using DialClock = std::chrono::steady_clock;
using Addresses = std::vector<SocketAddress>;

constexpr std::chrono::milliseconds kDialLook{200};  ///< how often it is asked whether to go on
constexpr int kMostLookUps = 8;  ///< at once, those included that nobody waits for any more
constexpr std::size_t kMostAddresses = 16;

std::atomic<int> look_ups_under_way{0};

Error DialError(const DialOptions& options, Code code, const char* where, int sys = 0) {
  return {code, where, sys, options.subject};
}

/// How long to wait until the next look. Errors: kCancelled, kUnreachable (the end has come).
Result<std::chrono::milliseconds> NextLook(const DialOptions& options) {
  if (options.stop != nullptr && *options.stop)
    return DialError(options, Code::kCancelled, "it was told to stop");
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(options.end - DialClock::now());
  if (left.count() <= 0) return DialError(options, Code::kUnreachable, "does not answer in time", ETIMEDOUT);
  return std::min(left, kDialLook);
}

struct LookUpUnderWay {
  std::mutex mutex;
  std::condition_variable changed;
  std::optional<Result<Addresses>> found;
};

Result<Addresses> LookUpInTime(const DialOptions& options) {
  const auto under_way = std::make_shared<LookUpUnderWay>();
  if (look_ups_under_way.fetch_add(1) >= kMostLookUps) {
    look_ups_under_way.fetch_sub(1);
    return DialError(options, Code::kUnreachable, "its name cannot be looked up: earlier lookups still hang");
  }
  try {
    std::thread([under_way, look_up = options.look_up, server = options.server] {
      auto found = look_up(server);
      {
        const std::lock_guard lock(under_way->mutex);
        under_way->found = std::move(found);
      }
      look_ups_under_way.fetch_sub(1);
      under_way->changed.notify_all();
    }).detach();
  } catch (const std::system_error& error) {
    look_ups_under_way.fetch_sub(1);
    return DialError(options, Code::kUnreachable, "its name cannot be looked up", error.code().value());
  }
  std::unique_lock lock(under_way->mutex);
  while (!under_way->found) under_way->changed.wait_for(lock, GRANTFS_TRY(NextLook(options)));
  auto found = *std::move(under_way->found);
  if (!found) found = DialError(options, found.error().code, found.error().where, found.error().sys);
  return found;
}

Result<Dialed> ConnectInTime(const DialOptions& options, const SocketAddress& to) {
  Dialed dialed;
  const int family = to.storage.ss_family;
  dialed.fd.Reset(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!dialed.fd) return DialError(options, Code::kIo, "a socket cannot be made", errno);
  dialed.v6 = family == AF_INET6;
  if (::connect(dialed.fd.get(), reinterpret_cast<const sockaddr*>(&to.storage), to.size) == 0) return dialed;
  if (errno != EINPROGRESS) return DialError(options, Code::kUnreachable, "does not answer", errno);
  for (;;) {
    pollfd one{dialed.fd.get(), POLLOUT, 0};
    if (::poll(&one, 1, static_cast<int>(GRANTFS_TRY(NextLook(options)).count())) > 0) break;
  }
  int failed = 0;
  socklen_t size = sizeof failed;
  if (::getsockopt(dialed.fd.get(), SOL_SOCKET, SO_ERROR, &failed, &size) != 0) failed = errno;
  if (failed != 0) return DialError(options, Code::kUnreachable, "does not answer", failed);
  return dialed;
}

}  // namespace

Result<std::vector<SocketAddress>> SystemLookUp(const Address& server) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV | AI_ADDRCONFIG;
  addrinfo* found = nullptr;
  if (::getaddrinfo(server.host.c_str(), std::to_string(server.port).c_str(), &hints, &found) != 0)
    return Error{Code::kUnreachable, "its name cannot be looked up", 0, server.Text()};
  Addresses addresses;
  for (const addrinfo* one = found; one != nullptr && addresses.size() < kMostAddresses; one = one->ai_next) {
    SocketAddress address;
    if (one->ai_addrlen > sizeof address.storage) continue;
    std::memcpy(&address.storage, one->ai_addr, one->ai_addrlen);
    address.size = one->ai_addrlen;
    addresses.push_back(address);
  }
  ::freeaddrinfo(found);
  return addresses;
}

Result<Dialed> Dial(const DialOptions& options) {
  Result<Dialed> dialed = DialError(options, Code::kUnreachable, "its name has no address");
  const Addresses all = GRANTFS_TRY(LookUpInTime(options));
  for (std::size_t at = 0; at < all.size(); ++at) {
    // One that never answers leaves time for those behind it.
    DialOptions share = options;
    const auto now = DialClock::now();
    share.end = now + (options.end - now) / static_cast<std::int64_t>(all.size() - at);
    dialed = ConnectInTime(share, all[at]);
    if (dialed || dialed.error().code == Code::kCancelled) return dialed;
  }
  return dialed;
}

}  // namespace grantfs::net

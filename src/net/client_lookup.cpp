#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>
#include <cstring>
#include <system_error>

#include "client_core_internal.h"
#include "dial_internal.h"

namespace grantfs::net {
namespace {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;

Result<Endpoints> LookupNow(const Address& server) {
  const auto found = SystemLookUp(server);
  if (!found) return Error{Code::kUnreachable, "the server's name cannot be looked up", 0, server.Text()};
  Endpoints endpoints;
  for (const SocketAddress& each : *found) {
    tcp::endpoint endpoint;
    if (each.size > endpoint.capacity()) continue;
    std::memcpy(endpoint.data(), &each.storage, each.size);
    endpoint.resize(each.size);
    endpoints.push_back(endpoint);
  }
  return endpoints;
}

}  // namespace

// getaddrinfo blocks for as long as it likes and cannot be interrupted; so it has a thread of its own, which
// nobody waits for: the requests have their deadlines, and the client may stop meanwhile.
void ClientCore::Lookup(Found found) {
  boost::system::error_code failed;
  const auto numeric = asio::ip::make_address(options_.server.host, failed);
  if (!failed) return found(Endpoints{tcp::endpoint(numeric, options_.server.port)});
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    lookups_.push_back(std::move(found));
    if (std::exchange(looking_up_, true)) return;
  }
  try {
    std::thread([self = shared_from_this()] { self->LookedUp(LookupNow(self->options_.server)); }).detach();
  } catch (const std::system_error& error) {
    LookedUp(Failure(Code::kUnreachable, "the server's name cannot be looked up", error.code().value()));
  }
}

void ClientCore::LookedUp(Result<Endpoints> found) {
  const std::lock_guard lock(mutex_);
  looking_up_ = false;
  // An address that was good once may still be: it is the key that tells the server.
  if (found) last_found_ = *found;
  if (!found && !last_found_.empty()) found = last_found_;
  // None is left once the client stops, whose event loop may be gone.
  for (Found& each : std::exchange(lookups_, {}))
    asio::post(io_, [each = std::move(each), found] { each(found); });
}

}  // namespace grantfs::net

#include "tcp_relay.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <cstdlib>

namespace grantfs::testing {
namespace {

sockaddr_in Local(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

}  // namespace

TcpRelay::TcpRelay()
    : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  sockaddr_in address = Local(0);
  socklen_t size = sizeof address;
  const bool listens = ::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                       ::listen(listener_.get(), 64) == 0 &&
                       ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0;
  if (!listens) std::abort();
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { Run(); });
}

TcpRelay::~TcpRelay() {
  stop_ = true;
  ::eventfd_write(wake_.get(), 1);
  thread_.join();
}

void TcpRelay::CutAll() {
  const std::lock_guard lock(mutex_);
  links_.clear();
  ::eventfd_write(wake_.get(), 1);
}

void TcpRelay::Accept() {
  Link link;
  link.client.Reset(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!link.client || target_ == 0) return;
  link.server.Reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in address = Local(target_);
  if (::connect(link.server.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return;
  const std::lock_guard lock(mutex_);
  links_.push_back(std::move(link));
}

bool TcpRelay::Carry(const UniqueFd& from, const UniqueFd& to) {
  char bytes[65536];
  const ssize_t got = ::recv(from.get(), bytes, sizeof bytes, MSG_DONTWAIT);
  if (got <= 0) return false;
  for (ssize_t sent = 0; sent < got;) {
    const ssize_t now = ::send(to.get(), bytes + sent, static_cast<std::size_t>(got - sent), MSG_NOSIGNAL);
    if (now <= 0) return false;
    sent += now;
  }
  return true;
}

void TcpRelay::Run() {
  while (!stop_) {
    std::vector<pollfd> watched{{listener_.get(), POLLIN, 0}, {wake_.get(), POLLIN, 0}};
    {
      const std::lock_guard lock(mutex_);
      for (const Link& link : links_) {
        watched.push_back({link.client.get(), POLLIN, 0});
        watched.push_back({link.server.get(), POLLIN, 0});
      }
    }
    if (::poll(watched.data(), watched.size(), -1) < 0) continue;
    eventfd_t woken = 0;
    const bool cut = ::eventfd_read(wake_.get(), &woken) == 0;
    if (watched[0].revents != 0) Accept();
    if (cut) continue;  // the descriptors that were watched may be others' by now
    const std::lock_guard lock(mutex_);
    std::vector<Link> open;
    for (std::size_t i = 0; i < links_.size(); ++i) {
      const bool known = 3 + 2 * i < watched.size() && watched[2 + 2 * i].fd == links_[i].client.get();
      bool good = true;
      if (known && watched[2 + 2 * i].revents != 0) good = Carry(links_[i].client, links_[i].server);
      if (good && known && watched[3 + 2 * i].revents != 0) good = Carry(links_[i].server, links_[i].client);
      if (good) open.push_back(std::move(links_[i]));
    }
    links_ = std::move(open);
  }
}

}  // namespace grantfs::testing

#include "grantfs/net/message_sink.h"

#include <linux/sockios.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "dial_internal.h"
#include "grantfs/net/address.h"
#include "grantfs/util/unique_fd.h"
#include "message_sink_internal.h"

namespace grantfs {
namespace net {

Error SocketSink::Broken(const char* where, int sys) const {
  return {Code::kUnreachable, where, sys, target_.Text()};
}

Status SocketSink::WaitFor(short events, Deadline until) const {
  const auto left =
      std::chrono::duration_cast<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
  if (left.count() <= 0) return Broken("it does not take what it is sent", ETIMEDOUT);
  pollfd poll{fd_.get(), events, 0};
  if (::poll(&poll, 1, static_cast<int>(left.count())) < 0 && errno != EINTR)
    return Broken("it broke", errno);
  return {};
}

Status SocketSink::WriteSome(std::string_view* rest) {
  const ssize_t sent = ::send(fd_.get(), rest->data(), rest->size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent >= 0) {
    rest->remove_prefix(static_cast<std::size_t>(sent));
    return {};
  }
  // A socket of datagrams says EAGAIN or ENOBUFS while its reader has no room.
  if (errno == EAGAIN || errno == EINTR || errno == ENOBUFS) return WaitFor(POLLOUT, until_);
  return Broken("it has closed the connection, or takes no message of this size", errno);
}

// A server of logs says nothing; what it says is dropped. That it has gone shows here.
Status SocketSink::CheckOpen() {
  std::array<char, 512> said;
  for (;;) {
    const ssize_t size = ::recv(fd_.get(), said.data(), said.size(), MSG_DONTWAIT);
    if (size > 0) continue;
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return {};
    if (size < 0 && errno == ENOTCONN) return {};
    return Broken("it has closed the connection", size < 0 ? errno : 0);
  }
}

// What the kernel has not yet seen acknowledged, or read where the other end is on this machine.
Status SocketSink::WaitUntilTaken() {
  constexpr int kLookAgainMs = 5;
  for (;;) {
    int unsent = 0;
    if (::ioctl(fd_.get(), SIOCOUTQ, &unsent) != 0) return Broken("it broke", errno);
    if (unsent == 0) return {};
    GRANTFS_CHECK(CheckOpen());
    if (std::chrono::steady_clock::now() >= until_)
      return Broken("it does not take what it is sent", ETIMEDOUT);
    pollfd poll{fd_.get(), POLLIN, 0};
    ::poll(&poll, 1, kLookAgainMs);
  }
}

Status SocketSink::Send(const std::vector<std::string>& messages) {
  for (const std::string& message : messages) {
    until_ = std::chrono::steady_clock::now() + deadline_;
    for (std::string_view rest = message; !rest.empty();) GRANTFS_CHECK(WriteSome(&rest));
  }
  until_ = std::chrono::steady_clock::now() + deadline_;
  GRANTFS_CHECK(WaitUntilTaken());
  return datagrams_ ? Status() : CheckOpen();
}

namespace {

Result<UniqueFd> ConnectUnix(const SinkTarget& target, int type) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, target.path.c_str(), target.path.size());
  UniqueFd fd(::socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
  if (!fd) return Error{Code::kIo, "a socket cannot be made", errno, target.Text()};
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return fd;
  if (errno == EPROTOTYPE && type == SOCK_DGRAM) return ConnectUnix(target, SOCK_STREAM);
  return Error{Code::kUnreachable, "nobody takes messages there", errno, target.Text()};
}

Result<UniqueFd> ConnectTcp(const SinkTarget& target, std::chrono::milliseconds deadline) {
  DialOptions options;
  options.server = {target.host, target.port};
  options.subject = target.Text();
  options.end = std::chrono::steady_clock::now() + deadline;
  return GRANTFS_TRY(Dial(options)).fd;
}

bool IsDatagram(int fd) {
  int type = 0;
  socklen_t size = sizeof type;
  return ::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_DGRAM;
}

}  // namespace
}  // namespace net

std::string SinkTarget::Text() const {
  if (kind == Kind::kUnix) return "unix:" + path;
  return (kind == Kind::kTls ? "tls://" : "tcp://") + Address{host, port}.Text();
}

Result<SinkTarget> ParseSinkTarget(const std::string& text) {
  SinkTarget target;
  if (text.starts_with("unix:")) {
    target.kind = SinkTarget::Kind::kUnix;
    target.path = text.substr(5);
    if (target.path.starts_with('/') && target.path.size() < sizeof(sockaddr_un::sun_path) &&
        target.path.find('\0') == std::string::npos)
      return target;
    return Error{Code::kInvalid, "the path of a socket begins with / and has 107 bytes at most", 0, text};
  }
  const bool tls = text.starts_with("tls://");
  if (!tls && !text.starts_with("tcp://"))
    return Error{Code::kInvalid, "is unix:/PATH, tcp://HOST:PORT or tls://HOST:PORT", 0, text};
  target.kind = tls ? SinkTarget::Kind::kTls : SinkTarget::Kind::kTcp;
  const Address address = GRANTFS_TRY(ParseAddress(std::string_view(text).substr(6)));
  if (!text.ends_with(":" + std::to_string(address.port)))
    return Error{Code::kInvalid, "names no port: tcp://HOST:PORT, tls://HOST:PORT", 0, text};
  target.host = address.host;
  target.port = address.port;
  return target;
}

Result<std::unique_ptr<MessageSink>> OpenMessageSink(const SinkTarget& target,
                                                     std::chrono::milliseconds deadline) {
  if (target.kind == SinkTarget::Kind::kUnix) {
    UniqueFd fd = GRANTFS_TRY(net::ConnectUnix(target, SOCK_DGRAM));
    const bool datagrams = net::IsDatagram(fd.get());
    return std::unique_ptr<MessageSink>(
        std::make_unique<net::SocketSink>(std::move(fd), target, deadline, datagrams));
  }
  UniqueFd fd = GRANTFS_TRY(net::ConnectTcp(target, deadline));
  if (target.kind == SinkTarget::Kind::kTls) return net::OpenTlsSink(std::move(fd), target, deadline);
  return std::unique_ptr<MessageSink>(
      std::make_unique<net::SocketSink>(std::move(fd), target, deadline, false));
}

}  // namespace grantfs

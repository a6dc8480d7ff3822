#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <optional>

#include "metrics_listener_internal.h"

namespace grantfs {
namespace {

constexpr std::size_t kMaxRequest = 8192;
constexpr std::chrono::milliseconds kPatience{2000};
constexpr int kAfterRefusal = 100;  ///< milliseconds
using Deadline = std::chrono::steady_clock::time_point;

/// Whether a descriptor is ready before that time.
bool Ready(int fd, short events, Deadline until) {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    if (left.count() <= 0) return false;
    pollfd one{fd, events, 0};
    const int ready = ::poll(&one, 1, static_cast<int>(left.count()));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return false;
  }
}

/// A request's head; absent: it did not come whole, or in time.
std::optional<std::string> ReadHead(int fd, Deadline until) {
  std::string head;
  char some[1024];
  while (head.find("\r\n\r\n") == std::string::npos) {
    if (head.size() > kMaxRequest || !Ready(fd, POLLIN, until)) return std::nullopt;
    const ssize_t got = ::recv(fd, some, sizeof some, 0);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (got <= 0) return std::nullopt;
    head.append(some, static_cast<std::size_t>(got));
  }
  return head;
}

void WriteAll(int fd, std::string_view text, Deadline until) {
  while (!text.empty() && Ready(fd, POLLOUT, until)) {
    const ssize_t sent = ::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (sent <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
}

std::string Response(const char* status, const char* type, const std::string& body) {
  return std::string("HTTP/1.1 ") + status + "\r\nContent-Type: " + type +
         "\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\nConnection: close\r\nX-Content-Type-Options: nosniff\r\n\r\n" + body;
}

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
};

std::optional<SocketAddress> Numeric(const Address& address) {
  SocketAddress to;
  const std::string host = address.host == "localhost" ? "127.0.0.1" : address.host;
  auto* v4 = reinterpret_cast<sockaddr_in*>(&to.storage);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&to.storage);
  if (::inet_pton(AF_INET, host.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(address.port);
    to.size = sizeof *v4;
    return to;
  }
  if (::inet_pton(AF_INET6, host.c_str(), &v6->sin6_addr) != 1) return std::nullopt;
  v6->sin6_family = AF_INET6;
  v6->sin6_port = htons(address.port);
  to.size = sizeof *v6;
  return to;
}

Error CannotListen(const Address& address) {
  const Code code = errno == EADDRINUSE ? Code::kConflict : errno == EACCES ? Code::kDenied : Code::kIo;
  return Error{code, "cannot be listened at for metrics: name another address or port", errno,
               address.Text()};
}

std::uint16_t PortOf(int fd) {
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &size) != 0) return 0;
  return ntohs(bound.ss_family == AF_INET ? reinterpret_cast<sockaddr_in*>(&bound)->sin_port
                                          : reinterpret_cast<sockaddr_in6*>(&bound)->sin6_port);
}

}  // namespace

Result<std::unique_ptr<MetricsListener>> MetricsListener::Start(const Address& address,
                                                                std::function<Result<std::string>()> text) {
  const auto to = Numeric(address);
  if (!IsLoopback(address) || !to)
    return Error{
        Code::kInvalid,
        "metrics are shown without TLS to whoever reaches them, so on loopback alone: name 127.0.0.1 "
        "or [::1] with a port, and collect them on this host",
        0, address.Text()};
  UniqueFd socket(::socket(to->storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  UniqueFd stop(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!socket || !stop) return CannotListen(address);
  const int on = 1;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&to->storage), to->size) != 0 ||
      ::listen(socket.get(), 16) != 0)
    return CannotListen(address);
  const std::uint16_t port = PortOf(socket.get());
  return std::unique_ptr<MetricsListener>(
      new MetricsListener(std::move(socket), std::move(stop), port, std::move(text)));
}

MetricsListener::MetricsListener(UniqueFd socket, UniqueFd stop, std::uint16_t port,
                                 std::function<Result<std::string>()> text)
    : socket_(std::move(socket)),
      stop_(std::move(stop)),
      port_(port),
      text_(std::move(text)),
      thread_([this] { Run(); }) {}

MetricsListener::~MetricsListener() {
  ::eventfd_write(stop_.get(), 1);
  thread_.join();
}

void MetricsListener::Run() {
  for (;;) {
    pollfd both[] = {{stop_.get(), POLLIN, 0}, {socket_.get(), POLLIN, 0}};
    if (::poll(both, 2, -1) < 0 && errno != EINTR) return;
    if (both[0].revents != 0) return;
    if (both[1].revents == 0) continue;
    const UniqueFd connection(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (connection) {
      Serve(connection.get());
    } else {
      ::poll(both, 1, kAfterRefusal);  // without descriptors it would be tried again at once, for ever
    }
  }
}

void MetricsListener::Serve(int connection) {
  const Deadline until = std::chrono::steady_clock::now() + kPatience;
  const auto head = ReadHead(connection, until);
  if (!head) return;
  const std::string line = head->substr(0, head->find("\r\n"));
  if (line != "GET /metrics HTTP/1.1" && line != "GET /metrics HTTP/1.0")
    return WriteAll(connection, Response("404 Not Found", "text/plain", "there is GET /metrics alone\n"),
                    until);
  const auto text = text_();
  WriteAll(
      connection,
      text ? Response("200 OK", "text/plain; version=0.0.4; charset=utf-8", *text)
           : Response("503 Service Unavailable", "text/plain", "the vault's database cannot be read now\n"),
      until);
}

}  // namespace grantfs

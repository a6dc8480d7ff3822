#include "tls_peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>

namespace grantfs {

int ConnectPlain(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const timeval bound{20, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &bound, sizeof bound);
  ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &bound, sizeof bound);
  const int at_once = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once);
  if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) return fd;
  ::close(fd);
  return -1;
}

TlsPeer::TlsPeer(std::uint16_t port, int version, SSL_SESSION* session) : fd_(ConnectPlain(port)) {
  std::signal(SIGPIPE, SIG_IGN);  // OpenSSL's own sockets raise it when the server has closed
  context_ = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_max_proto_version(context_, version);
  ssl_ = SSL_new(context_);
  SSL_set_fd(ssl_, fd_);
  if (session != nullptr) SSL_set_session(ssl_, session);
  connected_ = fd_ >= 0 && SSL_connect(ssl_) == 1;
}

TlsPeer::~TlsPeer() {
  SSL_free(ssl_);
  SSL_CTX_free(context_);
  if (fd_ >= 0) ::close(fd_);
}

bool TlsPeer::Send(std::string_view bytes) {
  ERR_clear_error();
  std::size_t size = 0;
  while (!bytes.empty()) {
    if (SSL_write_ex(ssl_, bytes.data(), bytes.size(), &size) != 1) return false;
    bytes.remove_prefix(size);
  }
  return true;
}

std::string TlsPeer::Read() {
  ERR_clear_error();
  std::array<char, 16384> buffer;
  std::size_t size = 0;
  if (SSL_read_ex(ssl_, buffer.data(), buffer.size(), &size) != 1) return "";
  return std::string(buffer.data(), size);
}

std::string TlsPeer::ReadAll() {
  std::string all;
  for (std::string part = Read(); !part.empty(); part = Read()) all += part;
  return all;
}

std::string TlsPeer::ReadResponse() {
  std::string all;
  for (std::string part = Read(); !part.empty(); part = Read()) {
    all += part;
    const std::size_t end = all.find("\r\n\r\n");
    const std::size_t length = all.find("content-length: ");
    if (end == std::string::npos || length > end) continue;
    if (all.size() >= end + 4 + std::strtoul(all.c_str() + length + 16, nullptr, 10)) break;
  }
  return all;
}

bool TlsPeer::IsDropped() { return !connected_ || Read().empty(); }

}  // namespace grantfs

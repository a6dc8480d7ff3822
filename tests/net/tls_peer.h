#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>
#include <string_view>

namespace grantfs {

/// A plain TCP connection to 127.0.0.1, with a bound of 20 s on reading and writing; the caller closes it.
int ConnectPlain(std::uint16_t port);

/// A raw TLS client for tests: sends the bytes that it is told to and shows what comes back. Blocking, with a
/// bound of 20 s on each read.
class TlsPeer {
 public:
  /// Connects to 127.0.0.1 and makes the handshake. `version` is the highest that it offers; `session` one to
  /// resume, or nullptr.
  explicit TlsPeer(std::uint16_t port, int version = TLS1_3_VERSION, SSL_SESSION* session = nullptr);
  ~TlsPeer();
  TlsPeer(const TlsPeer&) = delete;

  bool connected() const { return connected_; }
  bool Send(std::string_view bytes);
  /// Reads some bytes; "" at the end of the connection.
  std::string Read();
  /// Reads until the connection ends.
  std::string ReadAll();
  /// Reads one response with Content-Length, or until the connection ends.
  std::string ReadResponse();
  /// True if the server refuses or drops the connection instead of serving (TLS 1.3 tells it only with the
  /// first read).
  bool IsDropped();

  SSL* ssl() { return ssl_; }
  int fd() const { return fd_; }

 private:
  int fd_ = -1;
  SSL_CTX* context_ = nullptr;
  SSL* ssl_ = nullptr;
  bool connected_ = false;
};

}  // namespace grantfs

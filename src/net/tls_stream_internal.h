#pragma once

#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <string_view>

#include "tls_internal.h"

namespace grantfs::net {

enum class TlsOutcome {
  kDone,
  kWantRead,   ///< try again once the socket is readable
  kWantWrite,  ///< try again once the socket is writable
  kClosed,     ///< the peer ended the connection in good order
  kFailed,     ///< the connection or the protocol broke
};

/// A TLS record's worth, shared by the connections of a thread: an idle one holds no buffer.
std::array<char, 17 << 10>& RecordBuffer();

/// TLS straight over a non-blocking socket. Nothing here waits: the owner waits for the socket and tries
/// again. (Asio's own TLS stream keeps 34 KiB of buffers for each connection, idle or not, and copies
/// everything twice.) Threads: one at a time.
class TlsStream {
 public:
  /// Takes the socket and makes it non-blocking.
  TlsStream(SSL_CTX* context, boost::asio::ip::tcp::socket socket, bool is_server);

  /// False if the constructor failed; nothing else may be called then.
  bool ok() const { return ssl_ != nullptr; }
  boost::asio::ip::tcp::socket& socket() { return socket_; }
  SSL* ssl() { return ssl_.get(); }

  TlsOutcome Handshake();
  /// At kDone `*size` bytes (at least one) were read.
  TlsOutcome Read(char* buffer, std::size_t capacity, std::size_t* size);
  /// At kDone `*size` bytes (at least one) were written. `data` must not be empty.
  TlsOutcome Write(std::string_view data, std::size_t* size);
  /// Tells the peer that no more will come, if that can be done at once.
  void SayGoodbye();
  /// Closes the socket, at any time, as often as one likes.
  void Close();

 private:
  TlsOutcome Outcome(int result);

  boost::asio::ip::tcp::socket socket_;
  SslPtr ssl_;
};

}  // namespace grantfs::net

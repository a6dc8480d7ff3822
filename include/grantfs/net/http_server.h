#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "grantfs/net/address.h"
#include "grantfs/net/http.h"
#include "grantfs/net/tls_identity.h"
#include "grantfs/util/result.h"

namespace grantfs {

/// A response without an end that is known, sent chunk by chunk. Threads: safe. It may lie idle for as long
/// as it likes: it costs some memory and no thread. Letting go of the last reference closes it.
class ResponseStream {
 public:
  virtual ~ResponseStream() = default;
  /// Queues a chunk (an empty one is ignored). False once the stream has ended. A peer that lets more than
  /// `max_stream_backlog` bytes pile up is disconnected.
  virtual bool Write(std::string chunk) = 0;
  /// Sends what is queued and ends the response.
  virtual void Close() = 0;
  /// `closed` runs once, on a server thread, when the stream has ended for whatever reason: at the latest
  /// before Stop() returns; soon, if it has ended already (but not after Stop()). At most one function can be
  /// set; it is let go of after it ran.
  virtual void OnClosed(std::function<void()> closed) = 0;
};

/// The one answer to a request. Exactly one of the two is called, once (a second call aborts); from any
/// thread. Letting go of it without an answer answers 500.
class Responder {
 public:
  virtual ~Responder() = default;
  virtual void Send(HttpResponse response) = 0;
  /// Begins a chunked response with status and headers of `head`; its body is the first chunk.
  virtual std::shared_ptr<ResponseStream> Stream(HttpResponse head) = 0;
};

struct HttpServerOptions {
  std::vector<Address> listen;  ///< names are looked up at the start; port 0 is any free one
  unsigned threads = 2;         ///< 1..64
  std::size_t max_body_bytes = kMaxRequestBytes;
  std::size_t max_connections = 16384;          ///< more are closed at once
  std::size_t max_stream_backlog = 256u << 10;  ///< bytes that a stream may owe a slow reader
  std::chrono::milliseconds handshake_timeout{10'000};
  std::chrono::milliseconds request_timeout{30'000};  ///< from a request's first byte to its last
  std::chrono::milliseconds idle_timeout{60'000};     ///< between two requests of a connection
  std::chrono::milliseconds write_timeout{15'000};    ///< without any progress in sending
};

/// An HTTP/1.1 server over TLS 1.3 alone, without session resumption. Behind the parser stands a strict gate
/// (src/net/request_gate_internal.h): whatever a signed API must not see is answered with 400 and never
/// reaches the handler.
class HttpServer {
 public:
  /// Runs on a server thread and must not block for long; answers through the Responder, then or later.
  using Handler = std::function<void(HttpRequest, std::shared_ptr<Responder>)>;

  /// Binds all addresses and starts the threads. Errors: kInvalid (options, certificate or key), kUnreachable
  /// (a name that cannot be looked up), kConflict (an address in use), kDenied (a port that is not allowed),
  /// kIo.
  static Result<std::unique_ptr<HttpServer>> Start(HttpServerOptions options, const TlsIdentity& identity,
                                                   Handler handler);
  virtual ~HttpServer() = default;  ///< Stop(0)

  /// The bound ports, in the order of the listen addresses.
  virtual std::vector<std::uint16_t> Ports() const = 0;
  virtual std::size_t ConnectionCount() const = 0;

  /// New connections are shown this key and certificate; those that are open go on. Errors: kInvalid, kIo.
  /// Threads: safe.
  virtual Status UseIdentity(const TlsIdentity& identity) = 0;

  /// Stops accepting, ends idle connections and streams, gives running requests `grace` to be answered, ends
  /// the rest, and joins the threads. No handler runs afterwards; Responders and streams that are still held
  /// do nothing. Not from a server thread.
  virtual void Stop(std::chrono::milliseconds grace) = 0;
};

}  // namespace grantfs

#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "grantfs/crypto/hash.h"
#include "grantfs/net/address.h"
#include "grantfs/net/http.h"
#include "grantfs/util/result.h"

namespace grantfs {

struct HttpClientOptions {
  Address server;
  std::vector<Hash> pins;  ///< one or two: PinOf the server's certificate, now and next
  unsigned threads = 1;    ///< 1..16
  std::size_t max_connections =
      16;  ///< kept alive and reused; streams have connections of their own beside them
  std::size_t max_waiting = 1024;                     ///< requests that wait for a connection
  std::size_t max_body_bytes = std::size_t{4} << 20;  ///< of a response
  std::chrono::milliseconds idle_timeout{
      45'000};  ///< an unused connection is closed: sooner than the server does
  std::chrono::milliseconds stream_timeout{
      5'000};  ///< a stream on which nothing comes for so long has ended; also to open one
};

/// A request under way. Letting go of it changes nothing.
class PendingRequest {
 public:
  virtual ~PendingRequest() = default;
  /// Ends it early: its function then runs with kCancelled, unless it has run already or is about to.
  /// Threads: safe.
  virtual void Cancel() = 0;
};

/// What a stream reports, each on a client thread, never two at once. `end` runs exactly once, last.
struct StreamEvents {
  /// Status and headers; the body is empty. Whatever the status is, the body follows as chunks.
  std::function<void(HttpResponse)> head;
  /// Bytes as they come, not as the server wrote them: the caller looks for its own line ends.
  std::function<void(std::string_view)> chunk;
  /// Success if the server ended the response.
  std::function<void(Status)> end;
};

/// Why a request to who has another key failed: nothing of it, and of the answer, was the server's.
inline constexpr char kWrongPin[] =
    "the server's key is not the pinned one: if an owner of the vault says that it was replaced (grantfs tls "
    "show), run grantfs tls trust PIN; if not, somebody is in between";

/// Talks to ONE server over TLS 1.3, recognised by its pinned key and by nothing else. Threads: safe.
///
/// Errors of requests: kUnreachable (no connection, deadline, broken off; `where` says which), kIntegrity
/// (another key than the pinned ones: kWrongPin), kInvalid (a request that
/// cannot be sent, a response that is malformed or too large), kThrottled (too many waiting), kCancelled.
/// Their subject is "host:port".
class HttpClient {
 public:
  using Done = std::function<void(Result<HttpResponse>)>;
  struct SendOptions {
    std::chrono::milliseconds deadline{2000};  ///< for everything, waiting and connecting included
    bool retry_safe =
        false;  ///< may be sent again if a reused connection turns out dead before any byte of a response
  };

  /// Starts the threads; connects to nothing yet. Errors: kInvalid (options), kIo.
  static Result<std::unique_ptr<HttpClient>> Create(HttpClientOptions options);
  /// Cancels what is under way; no function runs after it. Not from a client thread.
  virtual ~HttpClient() = default;

  /// Any HTTP status is a success here. `done` runs exactly once, on a client thread, and must not block for
  /// long; it may call Send.
  virtual std::shared_ptr<PendingRequest> Send(HttpRequest request, SendOptions options, Done done) = 0;

  /// Opens a response that does not end, on a connection of its own.
  virtual std::shared_ptr<PendingRequest> OpenStream(HttpRequest request, StreamEvents events) = 0;

  /// Send, and waits for it. For command lines; not from a client thread.
  Result<HttpResponse> SendAndWait(HttpRequest request, SendOptions options);
};

}  // namespace grantfs

#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "grantfs/api/routes.h"
#include "grantfs/crypto/keys.h"
#include "grantfs/json/json.h"
#include "grantfs/net/http_client.h"
#include "grantfs/util/clock.h"

namespace grantfs {

struct ConnectionOptions {
  Address address;
  std::vector<Hash> pins;                      ///< 1 or 2
  Hash vault;                                  ///< all zero: not known yet (a claim)
  std::chrono::milliseconds deadline{10'000};  ///< of calls that name none
  const Clock* clock = &SystemClock();
  std::string instance;           ///< of the server's process, as last learnt; "" = none
  std::int64_t clock_offset = 0;  ///< as last learnt, seconds
  /// Made before for this address and these pins (VaultConnection::MakeHttp), which takes milliseconds; or
  /// null.
  std::shared_ptr<HttpClient> http;
  /// A 401 taught another instance or offset. Runs on a client thread. May be empty.
  std::function<void(const std::string& instance, std::int64_t clock_offset)> learnt;
};

/// Signed requests to one vault. A 401 teaches the server's instance and clock, and the request is signed
/// anew and sent once more. Threads: all functions are safe.
///
/// Errors of calls: those of HttpClient, and what a problem document says, each a clause that says how to
/// mend it: kUnauthentic, kDenied, kExpired (an invitation or a grant), kNotFound, kConflict, kThrottled,
/// kUnrecorded, kUnreachable (the vault says that it is unavailable), kUnsupported (the vault and this
/// program do not understand each other), kIntegrity (so says the vault of what it was sent), kIo (it
/// failed). Their subject is "host:port".
class VaultConnection {
 public:
  /// The client underneath, for ConnectionOptions::http. Errors: kIo.
  static Result<std::shared_ptr<HttpClient>> MakeHttp(const Address& address, const std::vector<Hash>& pins);
  /// @param keyid  as in signatures.  @param key  outlives the connection.  Connects to nothing yet.
  static Result<std::unique_ptr<VaultConnection>> Create(ConnectionOptions options, std::string keyid,
                                                         const SigningKey* key);
  /// Cancels what is under way and waits for its functions to have run. Not from a client thread.
  ~VaultConnection();

  struct CallOptions {
    std::chrono::milliseconds deadline{0};  ///< 0: the connection's own
    bool again = true;  ///< asking twice does no harm: asked again where the answer was lost
  };
  /// An answer that is bytes comes as an object with this member alone, in base64.
  static constexpr char kRawMember[] = "bytes";
  using Done = std::function<void(Result<Json>)>;
  /// Sends `body` (a null: none). `done` runs exactly once, on a client thread, with the JSON of a 200.
  std::shared_ptr<PendingRequest> Send(const api::Route& route, Json body, CallOptions options, Done done);
  /// The same, and waits. Not from a client thread.
  Result<Json> Ask(const api::Route& route, Json body, CallOptions options);
  /// The same with the shapes of the api module.
  template <typename Response, typename Request>
  Result<Response> Ask(const api::Route& route, const Request& request, CallOptions options = {}) {
    return Read<Response>(Ask(route, request.ToJson(), options));
  }
  template <typename Response>
  Result<Response> Get(const api::Route& route) {
    return Read<Response>(Ask(route, Json(), CallOptions()));
  }
  /// An answer in the shape that it must have. Errors: kUnsupported.
  template <typename Response>
  Result<Response> Read(Result<Json> json) const {
    if (!json) return json.error();
    auto response = Response::FromJson(*json);
    if (!response) return Malformed();
    return response;
  }

  /// A response without an end, line by line. Any failure (a 401 too, after its second try) ends it with its
  /// error.
  struct LineEvents {
    std::function<void(std::string_view line)> line;
    std::function<void(Status)> end;  ///< once, last
  };
  std::shared_ptr<PendingRequest> OpenLines(const api::Route& route, LineEvents events);

  /// Cancels what is under way; whatever is sent from now on ends in kCancelled at once.
  void Close();

  /// From now on the server is recognised by these. Running requests go on.
  Status UsePins(const std::vector<Hash>& pins);
  const Address& address() const { return options_.address; }
  /// The error of an answer that makes no sense: kUnsupported.
  Error Malformed() const;

 private:
  class Attempts;
  class Call;
  class Lines;
  VaultConnection(ConnectionOptions options, std::string keyid, const SigningKey* key)
      : options_(std::move(options)), keyid_(std::move(keyid)), key_(key) {}
  Result<HttpRequest> MakeRequest(const api::Route& route, const std::string& body);
  /// Takes what a 401 teaches.
  void Learn(const HttpResponse& response);
  Error ErrorOf(const HttpResponse& response) const;
  std::shared_ptr<HttpClient> client();
  /// False: closed.
  bool Begin(const std::shared_ptr<PendingRequest>& call);
  void End(const std::shared_ptr<PendingRequest>& call);

  ConnectionOptions options_;
  const std::string keyid_;
  const SigningKey* const key_;
  std::mutex mutex_;
  std::condition_variable ended_;
  bool closed_ = false;
  std::vector<Hash> pins_;
  std::set<std::shared_ptr<PendingRequest>> running_;
  std::vector<std::shared_ptr<HttpClient>>
      clients_;  ///< the last is used; those before may still carry requests
};

}  // namespace grantfs

#pragma once

#include <memory>
#include <optional>
#include <string>

#include "client/connection/problem_internal.h"
#include "grantfs/api/problem.h"
#include "grantfs/api/routes.h"
#include "grantfs/net/http_client.h"
#include "grantfs/server/server.h"
#include "temp_dir.h"
#include "vault_world.h"

namespace grantfs::testing {

/// A real server in this process: a directory of its own, port 0 on 127.0.0.1.
class TestServer {
 public:
  explicit TestServer(ServeOptions options = {});
  const Address& address() const { return server_->addresses().front(); }
  Hash pin() const { return server_->pin(); }
  VaultServer& server() { return *server_; }
  const std::string& directory() const { return options_.data_directory; }
  std::string claim_path() const { return directory() + "/" + kClaimFile; }
  /// From the file that the server has written.
  InviteLine claim() const;
  void Stop();
  /// Stops if it runs, and starts on the same directory and port.
  void Restart();

 private:
  TempDir dir_;
  ServeOptions options_;
  std::unique_ptr<VaultServer> server_;
};

/// What signs a request.
struct RequestSigner {
  std::string keyid;
  const SigningKey* key = nullptr;
  static RequestSigner Of(const PrivateIdentity& who) { return {who.Id().Hex(), &who.signing_key()}; }
  static RequestSigner Of(const InviteSecret& invite) {
    return {std::string(api::kInviteKeyPrefix) + invite.id(), &invite.signing_key()};
  }
  static RequestSigner OfClaim(const InviteSecret&& claim) = delete;  // it points to the key
  static RequestSigner OfClaim(const InviteSecret& claim) {
    return {std::string(api::kClaimKeyPrefix) + claim.id(), &claim.signing_key()};
  }
};

/// Signs and sends requests, each part of which a test may choose otherwise.
class RawClient {
 public:
  explicit RawClient(const TestServer& server);

  /// A request as a client sends it. `path` is the route's unless it is given.
  HttpRequest Signed(const RequestSigner& who, const api::Route& route, const std::string& body) const;
  HttpRequest Signed(const RequestSigner& who, const std::string& method, const std::string& path,
                     const std::string& body) const;
  Result<HttpResponse> Send(const HttpRequest& request);
  /// Signs and sends; learns the server's instance from a 401 and repeats once.
  Result<HttpResponse> Exchange(const RequestSigner& who, const api::Route& route, const std::string& body);
  /// The same with shapes; a problem comes back as the error that it tells.
  template <typename Response, typename Request>
  Result<Response> Call(const RequestSigner& who, const api::Route& route, const Request& request) {
    const bool get = std::string_view(route.method) == "GET";
    const auto answer = GRANTFS_TRY(Exchange(who, route, get ? "" : request.ToJson().Dump()));
    if (answer.status != 200) return ErrorOfResponse(answer, "", authority);
    return Response::FromJson(GRANTFS_TRY(ParseJson(answer.body, {.max_bytes = api::kMaxResponseBytes})));
  }
  HttpClient& http() { return *http_; }

  std::string vault = std::string(64, '0');
  std::string instance = std::string(32, '0');
  std::string authority;
  std::int64_t clock_offset = 0;

 private:
  std::unique_ptr<HttpClient> http_;
};

/// A world's way over the wire.
class WireDoor final : public VaultDoor {
 public:
  explicit WireDoor(TestServer& server) : server_(server), client(server) {}
  Result<api::ClaimInfo> ShowClaim() override;
  Result<api::ClaimResponse> Claim(const api::ClaimRequest& request) override;
  Result<api::AppendResponse> Append(const PrivateIdentity& who, const api::AppendRequest& request) override;
  Result<api::ReserveResponse> Reserve(const PrivateIdentity& who,
                                       const api::ReserveRequest& request) override;
  Status Stage(const PrivateIdentity& who, const api::StageCiphertextRequest& request) override;
  Status Stage(const PrivateIdentity& who, const api::StageCopiesRequest& request) override;
  Status Stage(const PrivateIdentity& who, const api::StageEpochRequest& request) override;
  Result<api::EnrolmentStateResponse> Enrol(const InviteSecret& invite,
                                            const api::EnrolRequest& request) override;

 private:
  TestServer& server_;
  std::optional<InviteLine> claim_;

 public:
  RawClient client;
};

/// A server with a vault that was claimed and has the environment shop/prod.
struct ServedVault {
  explicit ServedVault(ServeOptions options = {}) : server(std::move(options)) {
    Must(world.Claim());
    Must(world.AddEnvironment("shop/prod"));
  }
  TestServer server;
  WireDoor door{server};
  VaultWorld world{door};
};

}  // namespace grantfs::testing

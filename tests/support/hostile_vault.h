#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "grantfs/api/routes.h"
#include "grantfs/json/json.h"
#include "grantfs/net/http_client.h"
#include "grantfs/net/http_server.h"
#include "grantfs/server/server.h"
#include "tcp_relay.h"
#include "temp_dir.h"

namespace grantfs::testing {

/// A vault whose server was taken: the real server with its real database, and in front of it one that shows
/// the same TLS key and rewrites what it answers. Clients find it at `port()`; its claim is in
/// directory()/claim.
class HostileVault {
 public:
  HostileVault();
  ~HostileVault();

  const std::string& directory() const { return options_.data_directory; }
  VaultServer& server() { return *server_; }
  std::uint16_t port() const { return relay_.port(); }

  /// Runs on what the real server answers, from now on; also tells what was asked. Empty: honest again.
  using Rewrite = std::function<void(const HttpRequest& request, HttpResponse& response)>;
  void SetRewrite(Rewrite rewrite);
  /// The same for the good answers of one route, in their shapes.
  template <typename Request, typename Response>
  void Lie(const api::Route& route, std::function<void(const Request&, Response&)> lie) {
    SetRewrite([&route, lie](const HttpRequest& asked, HttpResponse& answer) {
      if (asked.path != route.path || answer.status != 200) return;
      Response response = *Response::FromJson(*ParseJson(answer.body, {.max_bytes = kMaxAnswer}));
      lie(*Request::FromJson(*ParseJson(asked.body, {.max_bytes = kMaxAnswer})), response);
      answer.body = response.ToJson().Dump();
    });
  }
  /// The next answer of this route is lost: the server has done it, and the connection breaks.
  void LoseNextAnswer(const api::Route& route);
  bool lost() const { return lost_; }
  /// From now on what is asked of this route is never answered.
  void Silence(const api::Route& route);
  /// From now on each watch is answered with these lines, and ends at once.
  void EndWatches(const std::string& lines);
  std::size_t watches_ended() const { return watches_ended_; }
  void Stop() { server_.reset(); }
  /// Puts statements into its database that no honest server would have taken, and goes on as an honest one.
  void LetIn(const std::vector<std::string>& envelopes);

 private:
  static constexpr std::size_t kMaxAnswer = std::size_t{4} << 20;
  void StartReal();
  void Handle(HttpRequest request, const std::shared_ptr<Responder>& responder);
  void Follow(const HttpRequest& request, const std::shared_ptr<Responder>& responder);
  void Answer(const HttpRequest& request, HttpResponse response, const std::shared_ptr<Responder>& responder);

  TempDir dir_;
  TcpRelay relay_;
  ServeOptions options_;
  std::unique_ptr<VaultServer> server_;
  std::unique_ptr<HttpClient> client_;
  std::mutex mutex_;
  Rewrite rewrite_;
  std::string lose_;
  std::string silent_;
  std::optional<std::string> watch_lines_;
  std::atomic<std::size_t> watches_ended_{0};
  std::vector<std::shared_ptr<Responder>> unanswered_;
  std::atomic<bool> lost_{false};
  std::unique_ptr<HttpServer> front_;
};

}  // namespace grantfs::testing

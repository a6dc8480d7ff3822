#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "grantfs/crypto/random.h"
#include "grantfs/net/http_server.h"
#include "support/eventually.h"

namespace grantfs {

inline const TlsIdentity& TestIdentity() {
  static const TlsIdentity identity = [] {
    EXPECT_TRUE(InitCrypto());
    return MakeTlsIdentity("test").value();
  }();
  return identity;
}

/// A server on a free port of 127.0.0.1 whose paths are handled by functions that the test gives.
class TestServer {
 public:
  using Route = std::function<void(HttpRequest, std::shared_ptr<Responder>)>;

  static HttpServerOptions Options() {
    HttpServerOptions options;
    options.listen = {ParseListenAddress("127.0.0.1:0").value()};
    return options;
  }

  explicit TestServer(std::map<std::string, Route> routes = {}, HttpServerOptions options = Options(),
                      const TlsIdentity& identity = TestIdentity()) {
    routes.try_emplace("/hello", [](HttpRequest, std::shared_ptr<Responder> responder) {
      responder->Send({200, {{"content-type", "text/plain"}}, "hello"});
    });
    routes.try_emplace("/echo", [](HttpRequest request, std::shared_ptr<Responder> responder) {
      responder->Send(
          {200, {}, request.method + " " + request.path + "?" + request.query + " " + request.body});
    });
    auto server = HttpServer::Start(
        std::move(options), identity,
        [routes = std::move(routes)](HttpRequest request, std::shared_ptr<Responder> responder) {
          const auto route = routes.find(request.path);
          if (route == routes.end()) return responder->Send({404, {}, ""});
          route->second(std::move(request), std::move(responder));
        });
    EXPECT_TRUE(server) << Describe(server.error());
    server_ = std::move(*server);
  }

  HttpServer& operator*() { return *server_; }
  HttpServer* operator->() { return server_.get(); }
  std::uint16_t port() const { return server_->Ports().at(0); }

 private:
  std::unique_ptr<HttpServer> server_;
};

}  // namespace grantfs

#include "grantfs/net/http_server.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "gate_cases.h"
#include "test_server.h"
#include "tls_peer.h"

namespace grantfs {
namespace {

using namespace std::chrono_literals;

const std::string kHello = "GET /hello HTTP/1.1\r\nHost: vault.lan\r\n\r\n";

std::string Ask(std::uint16_t port, const std::string& raw) {
  TlsPeer peer(port);
  EXPECT_TRUE(peer.connected());
  peer.Send(raw);
  return peer.ReadResponse();
}

TEST(HttpServerTest, AnswersAndKeepsTheConnection) {
  TestServer server;
  TlsPeer peer(server.port());
  ASSERT_TRUE(peer.connected());
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(peer.Send(kHello));
    const std::string response = peer.ReadResponse();
    EXPECT_TRUE(response.starts_with("HTTP/1.1 200 OK\r\n")) << response;
    EXPECT_TRUE(response.ends_with("\r\ncontent-length: 5\r\n\r\nhello")) << response;
    EXPECT_NE(response.find("\r\ndate: "), std::string::npos) << response;
    EXPECT_EQ(response.find("connection: close"), std::string::npos) << response;
  }
  EXPECT_EQ(server->ConnectionCount(), 1u);
}

TEST(HttpServerTest, TheHandlerSeesTheRequest) {
  HttpRequest seen;
  TestServer server({{"/a%20b", [&](HttpRequest request, std::shared_ptr<Responder> responder) {
                        seen = std::move(request);
                        responder->Send({201, {}, ""});
                      }}});
  Ask(server.port(),
      "POST /a%20b?c=%2F HTTP/1.1\r\nHost: vault.lan:7843\r\nX-Odd-Case:  v 1 \r\nContent-Length: "
      "4\r\n\r\nbody");
  EXPECT_EQ(seen.method, "POST");
  EXPECT_EQ(seen.path, "/a%20b");
  EXPECT_EQ(seen.query, "c=%2F");
  EXPECT_EQ(seen.authority, "vault.lan:7843");
  EXPECT_EQ(seen.body, "body");
  EXPECT_EQ(seen.remote, "127.0.0.1");
  ASSERT_NE(FindHeader(seen.headers, "x-odd-case"), nullptr);
  EXPECT_EQ(*FindHeader(seen.headers, "x-odd-case"), "v 1");
}

TEST(HttpServerTest, RequestsMayComeInPiecesOrTogether) {
  TestServer server;
  TlsPeer peer(server.port());
  for (const char c : kHello) ASSERT_TRUE(peer.Send(std::string_view(&c, 1)));
  EXPECT_TRUE(peer.ReadResponse().ends_with("hello"));

  ASSERT_TRUE(peer.Send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\none" + kHello));
  std::string both;
  while (both.find("hello") == std::string::npos) {
    const std::string part = peer.Read();
    ASSERT_FALSE(part.empty()) << both;
    both += part;
  }
  EXPECT_LT(both.find("POST /echo? one"), both.find("hello")) << both;
}

TEST(HttpServerTest, TheGateRefusesOverARealConnection) {
  std::atomic<int> handled{0};
  auto options = TestServer::Options();
  const auto server =
      HttpServer::Start(options, TestIdentity(), [&](HttpRequest, std::shared_ptr<Responder> responder) {
        ++handled;
        responder->Send({200, {}, ""});
      }).value();
  for (const auto& [what, raw] : RefusedRequests()) {
    TlsPeer peer(server->Ports()[0]);
    ASSERT_TRUE(peer.connected());
    ASSERT_TRUE(peer.Send(raw));
    const std::string response = peer.ReadAll();  // to the end: the server closes
    EXPECT_TRUE(response.starts_with("HTTP/1.1 400 Bad Request\r\n")) << what << ": " << response;
    EXPECT_NE(response.find("\r\ncontent-type: application/problem+json\r\n"), std::string::npos) << what;
    EXPECT_NE(response.find("\r\nconnection: close\r\n"), std::string::npos) << what;
    EXPECT_NE(response.find("{\"type\":\"about:blank\",\"title\":\""), std::string::npos) << what;
    EXPECT_TRUE(response.ends_with(",\"status\":400,\"code\":\"bad-request\"}")) << what << ": " << response;
  }
  EXPECT_EQ(handled, 0);
  int accepted = 0;
  for (const auto& [what, raw] : AcceptedRequests()) {
    EXPECT_TRUE(Ask(server->Ports()[0], raw).starts_with("HTTP/1.1 200 OK\r\n")) << what;
    EXPECT_EQ(handled, ++accepted) << what;
  }
}

TEST(HttpServerTest, SizesAreBounded) {
  auto options = TestServer::Options();
  options.max_body_bytes = 1000;
  TestServer server({}, options);
  const auto post = [&](std::size_t size) {
    return Ask(server.port(), "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(size) +
                                  "\r\n\r\n" + std::string(size, 'x'));
  };
  EXPECT_TRUE(post(1000).starts_with("HTTP/1.1 200"));
  EXPECT_TRUE(post(1001).starts_with("HTTP/1.1 413"));
  EXPECT_TRUE(post(1u << 20).starts_with(
      "HTTP/1.1 413"));  // and the refusal arrives, though much was still to be sent
  const auto header = [&](std::size_t size) {
    return Ask(server.port(), "GET /hello HTTP/1.1\r\nHost: a\r\nX: " + std::string(size, 'x') + "\r\n\r\n");
  };
  EXPECT_TRUE(header(kMaxHeadBytes - 100).starts_with("HTTP/1.1 200"));
  EXPECT_TRUE(header(kMaxHeadBytes + 1).starts_with("HTTP/1.1 431"));
  // Without an end, too.
  EXPECT_TRUE(Ask(server.port(), "GET /" + std::string(40'000, 'x')).starts_with("HTTP/1.1 431"));
}

TEST(HttpServerTest, LargeBodiesGoBothWays) {
  TestServer server;
  const std::string body(kMaxRequestBytes, 'y');
  TlsPeer peer(server.port());
  std::thread sender([&] {
    peer.Send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) +
              "\r\n\r\n" + body);
  });
  sender.join();
  const std::string response = peer.ReadResponse();
  EXPECT_TRUE(response.ends_with("POST /echo? " + body)) << response.substr(0, 300);
}

TEST(HttpServerTest, OnlyTls13IsSpoken) {
  TestServer server;
  EXPECT_FALSE(TlsPeer(server.port(), TLS1_2_VERSION).connected());
  TlsPeer modern(server.port());
  ASSERT_TRUE(modern.connected());
  EXPECT_STREQ(SSL_get_version(modern.ssl()), "TLSv1.3");
}

TEST(HttpServerTest, NoSessionIsEverResumed) {
  TestServer server;
  TlsPeer first(server.port());
  first.Send(kHello);
  ASSERT_TRUE(first.ReadResponse().ends_with("hello"));  // tickets would have come by now
  SSL_SESSION* session = SSL_get1_session(first.ssl());
  ASSERT_NE(session, nullptr);
  EXPECT_EQ(SSL_SESSION_is_resumable(session), 0);
  EXPECT_EQ(SSL_SESSION_has_ticket(session), 0);
  TlsPeer second(server.port(), TLS1_3_VERSION, session);
  ASSERT_TRUE(second.connected());
  EXPECT_EQ(SSL_session_reused(second.ssl()), 0);
  SSL_SESSION_free(session);
}

TEST(HttpServerTest, TheGroupIsTheBestThatBothHave) {
  TestServer server;
  TlsPeer peer(server.port());
  ASSERT_TRUE(peer.connected());
  EXPECT_EQ(SSL_get_negotiated_group(peer.ssl()), NID_X25519);
  EXPECT_TRUE(std::string(TlsGroups()).ends_with("X25519"));
}

TEST(HttpServerTest, AResponderMayAnswerLaterFromAnotherThread) {
  std::shared_ptr<Responder> kept;
  std::atomic<bool> asked{false};
  TestServer server({{"/later", [&](HttpRequest, std::shared_ptr<Responder> responder) {
                        kept = std::move(responder);
                        asked = true;
                      }}});
  TlsPeer peer(server.port());
  peer.Send("GET /later HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_TRUE(Eventually([&] { return asked.load(); }));
  std::thread([&] { std::exchange(kept, nullptr)->Send({202, {}, "now"}); }).join();
  EXPECT_TRUE(peer.ReadResponse().starts_with("HTTP/1.1 202 Accepted\r\n"));
}

TEST(HttpServerTest, AForgottenOrFailedRequestIsAnswered500) {
  TestServer server(
      {{"/forget", [](HttpRequest, std::shared_ptr<Responder>) {}},
       {"/throw", [](HttpRequest, std::shared_ptr<Responder>) { throw std::runtime_error("no"); }},
       {"/split",
        [](HttpRequest, std::shared_ptr<Responder> responder) {
          responder->Send({200, {{"x", "a\r\n\r\nHTTP/1.1 200 OK"}}, ""});
        }},
       {"/status", [](HttpRequest, std::shared_ptr<Responder> responder) {
          responder->Send({1000, {}, ""});
        }}});
  for (const char* path : {"/forget", "/throw", "/split", "/status"}) {
    const std::string response =
        Ask(server.port(), std::string("GET ") + path + " HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_TRUE(response.starts_with("HTTP/1.1 500")) << path << ": " << response;
    EXPECT_TRUE(response.ends_with("\"code\":\"internal\"}")) << path << ": " << response;
  }
}

TEST(HttpServerDeathTest, TwoAnswersToOneRequestAbort) {
  ::testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_DEATH(
      {
        TestServer server({{"/twice", [](HttpRequest, std::shared_ptr<Responder> responder) {
                              responder->Send({200, {}, ""});
                              responder->Send({200, {}, ""});
                            }}});
        Ask(server.port(), "GET /twice HTTP/1.1\r\nHost: a\r\n\r\n");
        Eventually([] { return false; });  // the end comes first
      },
      "");
}

TEST(HttpServerTest, ConnectionCloseIsHonoured) {
  TestServer server;
  TlsPeer peer(server.port());
  peer.Send("GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  const std::string all = peer.ReadAll();
  EXPECT_NE(all.find("connection: close"), std::string::npos) << all;
  EXPECT_TRUE(all.ends_with("hello")) << all;
  EXPECT_TRUE(Eventually([&] { return server->ConnectionCount() == 0; }));
}

TEST(HttpServerTest, SilentPeersAreDropped) {
  auto options = TestServer::Options();
  options.handshake_timeout = options.idle_timeout = options.request_timeout = 100ms;
  TestServer server({}, options);
  TlsPeer idle(server.port());
  EXPECT_EQ(idle.ReadAll(), "");
  TlsPeer partial(server.port());
  partial.Send("GET /hello HT");
  EXPECT_EQ(partial.ReadAll(), "");
  // A request that trickles in has one deadline for all of it.
  TlsPeer trickle(server.port());
  EXPECT_TRUE(Eventually([&] { return !trickle.Send("x"); }));
  const int plain = ConnectPlain(server.port());
  ASSERT_GE(plain, 0);
  char byte = 0;
  EXPECT_LE(::recv(plain, &byte, 1, 0), 0);  // no handshake comes
  ::close(plain);
  EXPECT_TRUE(Eventually([&] { return server->ConnectionCount() == 0; }));
}

TEST(HttpServerTest, ASlowReaderOfALargeResponseIsDropped) {
  auto options = TestServer::Options();
  options.write_timeout = 100ms;
  TestServer server({{"/large",
                      [](HttpRequest, std::shared_ptr<Responder> responder) {
                        responder->Send({200, {}, std::string(64u << 20, 'x')});
                      }}},
                    options);
  TlsPeer peer(server.port());
  peer.Send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_TRUE(Eventually([&] { return server->ConnectionCount() == 1; }));
  EXPECT_TRUE(Eventually([&] { return server->ConnectionCount() == 0; }));
}

TEST(HttpServerTest, MoreConnectionsThanAllowedAreClosed) {
  auto options = TestServer::Options();
  options.max_connections = 3;
  TestServer server({}, options);
  std::vector<std::unique_ptr<TlsPeer>> peers;
  for (int i = 0; i < 3; ++i) {
    peers.push_back(std::make_unique<TlsPeer>(server.port()));
    ASSERT_TRUE(peers.back()->connected());
  }
  EXPECT_FALSE(TlsPeer(server.port()).connected());
  peers.pop_back();
  ASSERT_TRUE(Eventually([&] { return server->ConnectionCount() == 2; }));
  EXPECT_TRUE(TlsPeer(server.port()).connected());
}

TEST(HttpServerTest, AnAddressInUseIsSaid) {
  TestServer server;
  auto options = TestServer::Options();
  options.listen[0].port = server.port();
  const auto second =
      HttpServer::Start(options, TestIdentity(), [](HttpRequest, std::shared_ptr<Responder>) {});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::kConflict);
}

TEST(HttpServerTest, ListensAtSeveralAddresses) {
  auto options = TestServer::Options();
  options.listen.push_back(ParseListenAddress("localhost:0").value());
  TestServer server({}, options);
  ASSERT_EQ(server->Ports().size(), 2u);
  EXPECT_NE(server->Ports()[0], server->Ports()[1]);
}

TEST(HttpServerTest, BadOptionsAreRefused) {
  const auto code = [](auto change) {
    auto options = TestServer::Options();
    change(options);
    const auto server =
        HttpServer::Start(options, TestIdentity(), [](HttpRequest, std::shared_ptr<Responder>) {});
    return server ? "started" : CodeName(server.error().code);
  };
  EXPECT_STREQ(code([](auto& o) { o.listen.clear(); }), CodeName(Code::kInvalid));
  EXPECT_STREQ(code([](auto& o) { o.threads = 0; }), CodeName(Code::kInvalid));
  EXPECT_STREQ(code([](auto& o) { o.listen[0].host = "no-such-host.invalid"; }),
               CodeName(Code::kUnreachable));
  TlsIdentity mixed = MakeTlsIdentity("a").value();
  mixed.certificate_pem = TestIdentity().certificate_pem;
  EXPECT_FALSE(
      HttpServer::Start(TestServer::Options(), mixed, [](HttpRequest, std::shared_ptr<Responder>) {}));
}

}  // namespace
}  // namespace grantfs

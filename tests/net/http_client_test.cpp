#include "grantfs/net/http_client.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <future>
#include <mutex>
#include <thread>

#include "fake_peer.h"
#include "test_server.h"

namespace grantfs {
namespace {

using namespace std::chrono_literals;

HttpClientOptions OptionsFor(std::uint16_t port, const TlsIdentity& identity = TestIdentity()) {
  HttpClientOptions options;
  options.server = {"127.0.0.1", port};
  options.pins = {PinOf(identity.certificate_pem).value()};
  return options;
}

std::unique_ptr<HttpClient> ClientFor(std::uint16_t port) {
  return HttpClient::Create(OptionsFor(port)).value();
}

HttpRequest Get(std::string path) {
  HttpRequest request;
  request.path = std::move(path);
  return request;
}

const HttpClient::SendOptions kPatient{.deadline = 20s, .retry_safe = false};

std::string Outcome(const Result<HttpResponse>& result) {
  return result ? std::to_string(result->status)
                : std::string(CodeName(result.error().code)) + ": " + result.error().where;
}

TEST(HttpClientTest, GetsAnAnswer) {
  TestServer server;
  const auto client = ClientFor(server.port());
  const auto response = client->SendAndWait(Get("/hello"), kPatient);
  ASSERT_TRUE(response) << Describe(response.error());
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->body, "hello");
  ASSERT_NE(FindHeader(response->headers, "content-type"), nullptr);
  EXPECT_EQ(*FindHeader(response->headers, "content-type"), "text/plain");
}

TEST(HttpClientTest, SendsWhatItIsGiven) {
  HttpRequest seen;
  TestServer server({{"/see", [&](HttpRequest request, std::shared_ptr<Responder> responder) {
                        seen = std::move(request);
                        responder->Send({200, {}, ""});
                      }}});
  const auto client = ClientFor(server.port());
  HttpRequest request = Get("/see");
  request.method = "POST";
  request.query = "a=%20";
  request.headers = {{"grantfs-vault", "v"}, {"empty", ""}};
  request.body = "body";
  ASSERT_EQ(Outcome(client->SendAndWait(request, kPatient)), "200");
  EXPECT_EQ(seen.method, "POST");
  EXPECT_EQ(seen.query, "a=%20");
  EXPECT_EQ(seen.body, "body");
  EXPECT_EQ(seen.authority, "127.0.0.1:" + std::to_string(server.port()));
  EXPECT_EQ(*FindHeader(seen.headers, "grantfs-vault"), "v");
  EXPECT_EQ(*FindHeader(seen.headers, "empty"), "");
  request.authority = "vault.lan";
  ASSERT_EQ(Outcome(client->SendAndWait(request, kPatient)), "200");
  EXPECT_EQ(seen.authority, "vault.lan");
}

TEST(HttpClientTest, OneConnectionServesRequestAfterRequest) {
  TestServer server;
  const auto client = ClientFor(server.port());
  for (int i = 0; i < 50; ++i) ASSERT_EQ(Outcome(client->SendAndWait(Get("/hello"), kPatient)), "200");
  EXPECT_EQ(server->ConnectionCount(), 1u);
}

TEST(HttpClientTest, ManyRequestsShareABoundedPool) {
  TestServer server;
  auto options = OptionsFor(server.port());
  options.max_connections = 4;
  options.threads = 2;
  const auto client = HttpClient::Create(options).value();
  std::atomic<int> good{0};
  std::atomic<int> bad{0};
  std::vector<std::thread> callers;
  for (int i = 0; i < 8; ++i) {
    callers.emplace_back([&] {
      for (int j = 0; j < 100; ++j) {
        HttpRequest request = Get("/echo");
        request.query = "n=" + std::to_string(j);
        client->Send(request, kPatient,
                     [&, expected = "GET /echo?n=" + std::to_string(j) + " "](auto result) {
                       ++(result && result->body == expected ? good : bad);
                     });
      }
    });
  }
  for (auto& caller : callers) caller.join();
  EXPECT_TRUE(Eventually([&] { return good + bad == 800; }));
  EXPECT_EQ(bad, 0);
  EXPECT_LE(server->ConnectionCount(), 4u);
}

TEST(HttpClientTest, MoreThanMayWaitIsRefused) {
  TestServer server({{"/never", [](HttpRequest, std::shared_ptr<Responder> responder) {
                        static std::vector<std::shared_ptr<Responder>> kept;
                        kept.push_back(std::move(responder));
                      }}});
  auto options = OptionsFor(server.port());
  options.max_connections = 1;
  options.max_waiting = 2;
  const auto client = HttpClient::Create(options).value();
  std::atomic<int> throttled{0};
  std::vector<std::shared_ptr<PendingRequest>> pending;
  for (int i = 0; i < 6; ++i) {
    pending.push_back(client->Send(Get("/never"), kPatient, [&](auto result) {
      if (!result && result.error().code == Code::kThrottled) ++throttled;
    }));
  }
  EXPECT_TRUE(Eventually([&] { return throttled >= 3; }));
}

TEST(HttpClientTest, AnotherKeyThanThePinnedIsRefused) {
  TestServer server;
  const TlsIdentity other = MakeTlsIdentity("test").value();
  const auto client = HttpClient::Create(OptionsFor(server.port(), other)).value();
  const auto response = client->SendAndWait(Get("/hello"), kPatient);
  EXPECT_EQ(Outcome(response), std::string("integrity: ") + kWrongPin);
  EXPECT_EQ(response.error().subject, "127.0.0.1:" + std::to_string(server.port()));

  std::promise<Status> ended;
  client->OpenStream(Get("/hello"),
                     {.head = {}, .chunk = {}, .end = [&](Status status) { ended.set_value(status); }});
  EXPECT_EQ(ended.get_future().get().error().code, Code::kIntegrity);
}

TEST(HttpClientTest, EitherOfTwoPinsIsAccepted) {
  TestServer server;
  auto options = OptionsFor(server.port(), MakeTlsIdentity("next").value());
  options.pins.push_back(PinOf(TestIdentity().certificate_pem).value());
  EXPECT_EQ(Outcome(HttpClient::Create(options).value()->SendAndWait(Get("/hello"), kPatient)), "200");
}

TEST(HttpClientTest, NobodyThereIsSaid) {
  std::uint16_t port = 0;
  {
    TestServer gone;
    port = gone.port();
  }
  const auto client = ClientFor(port);
  const auto response = client->SendAndWait(Get("/hello"), kPatient);
  EXPECT_EQ(Outcome(response), "unreachable: no connection could be made");
  EXPECT_EQ(response.error().sys, ECONNREFUSED);

  auto options = OptionsFor(port);
  options.server.host = "no-such-host.invalid";
  EXPECT_EQ(Outcome(HttpClient::Create(options).value()->SendAndWait(Get("/hello"), kPatient)),
            "unreachable: the server's name cannot be looked up");
}

TEST(HttpClientTest, ANameIsLookedUp) {
  TestServer server;
  auto options = OptionsFor(server.port());
  options.server.host = "localhost";
  EXPECT_EQ(Outcome(HttpClient::Create(options).value()->SendAndWait(Get("/hello"), kPatient)), "200");
}

TEST(HttpClientTest, TheDeadlineHoldsWhereverTheServerHangs) {
  std::vector<std::shared_ptr<Responder>> kept;
  TestServer server(
      {{"/never", [&](HttpRequest, std::shared_ptr<Responder> responder) { kept.push_back(responder); }}});
  const auto client = ClientFor(server.port());
  EXPECT_EQ(Outcome(client->SendAndWait(Get("/never"), {.deadline = 50ms})),
            "unreachable: no answer came in time");
  // The connection is not used again.
  EXPECT_EQ(Outcome(client->SendAndWait(Get("/hello"), kPatient)), "200");

  FakePeer silent(FakePeer::Behaviour::kNoHandshake);
  EXPECT_EQ(Outcome(ClientFor(silent.port())->SendAndWait(Get("/hello"), {.deadline = 50ms})),
            "unreachable: no connection could be made in time");
}

TEST(HttpClientTest, CancelEndsARequestOnce) {
  std::vector<std::shared_ptr<Responder>> kept;
  std::atomic<bool> asked{false};
  TestServer server({{"/never", [&](HttpRequest, std::shared_ptr<Responder> responder) {
                        kept.push_back(responder);
                        asked = true;
                      }}});
  const auto client = ClientFor(server.port());
  std::atomic<int> ends{0};
  std::promise<Result<HttpResponse>> promise;
  const auto pending = client->Send(Get("/never"), kPatient, [&](auto result) {
    ++ends;
    promise.set_value(std::move(result));
  });
  ASSERT_TRUE(Eventually([&] { return asked.load(); }));
  pending->Cancel();
  pending->Cancel();
  EXPECT_EQ(Outcome(promise.get_future().get()), "cancelled: the request was cancelled");
  EXPECT_EQ(ends, 1);
  kept.clear();  // the server answers into a connection that is gone
  EXPECT_TRUE(Eventually([&] { return server->ConnectionCount() == 0; }));
  // Cancelling what is over does nothing, also when the client has gone.
  auto other = ClientFor(server.port());
  std::promise<void> done;
  const auto finished = other->Send(Get("/hello"), kPatient, [&](auto) { done.set_value(); });
  done.get_future().wait();
  finished->Cancel();
  other.reset();
  finished->Cancel();
}

TEST(HttpClientTest, TheEndOfTheClientEndsItsRequests) {
  std::vector<std::shared_ptr<Responder>> kept;
  TestServer server(
      {{"/never", [&](HttpRequest, std::shared_ptr<Responder> responder) { kept.push_back(responder); }}});
  std::atomic<int> cancelled{0};
  auto options = OptionsFor(server.port());
  options.max_connections = 2;
  auto client = HttpClient::Create(options).value();
  for (int i = 0; i < 5; ++i) {
    client->Send(Get("/never"), kPatient,
                 [&](auto result) { cancelled += result.error().code == Code::kCancelled; });
  }
  client->OpenStream(Get("/never"), {.head = {}, .chunk = {}, .end = [&](Status status) {
                                       cancelled += status.error().code == Code::kCancelled;
                                     }});
  client.reset();
  EXPECT_EQ(cancelled, 6);
}

TEST(HttpClientTest, ARestartedServerIsFoundAgain) {
  auto server = std::make_unique<TestServer>();
  auto server_options = TestServer::Options();
  server_options.listen[0].port = server->port();
  const auto client = ClientFor(server->port());
  const HttpClient::SendOptions retry_safe{.deadline = 20s, .retry_safe = true};
  for (int round = 0; round < 20; ++round) {
    // Several connections in the pool, all of which die with the server.
    std::atomic<int> good{0};
    std::atomic<int> over{0};
    for (int i = 0; i < 8; ++i) {
      client->Send(Get("/hello"), retry_safe, [&](auto result) {
        good += result && result->status == 200;
        ++over;
      });
    }
    ASSERT_TRUE(Eventually([&] { return over == 8; }));
    EXPECT_EQ(good, 8) << "round " << round;
    server.reset();
    server = std::make_unique<TestServer>(std::map<std::string, TestServer::Route>{}, server_options);
  }
}

TEST(HttpClientTest, ADeadConnectionIsRetriedOnlyIfThatIsSafe) {
  const auto ask = [](bool retry_safe, int* requests) {
    FakePeer peer(FakePeer::Behaviour::kAnswerOnceThenClose);
    const auto client = ClientFor(peer.port());
    EXPECT_EQ(Outcome(client->SendAndWait(Get("/"), kPatient)), "200");
    const std::string second =
        Outcome(client->SendAndWait(Get("/"), {.deadline = 20s, .retry_safe = retry_safe}));
    *requests = peer.requests();
    return second;
  };
  int requests = 0;
  EXPECT_EQ(ask(false, &requests), "unreachable: the connection broke before an answer came");
  EXPECT_EQ(requests, 2);
  EXPECT_EQ(ask(true, &requests), "200");
  EXPECT_EQ(requests, 3);
}

TEST(HttpClientTest, OddResponsesAreRefused) {
  const auto answer = [](const std::string& raw) {
    FakePeer peer(FakePeer::Behaviour::kAnswerRaw, raw);
    auto options = OptionsFor(peer.port());
    options.max_body_bytes = 1000;
    return Outcome(HttpClient::Create(options).value()->SendAndWait(Get("/"), kPatient));
  };
  const std::string malformed = "invalid: the server's response is malformed";
  const std::string large = "invalid: the server's response is too large";
  EXPECT_EQ(answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"), "200");
  EXPECT_EQ(answer("HTTP/1.1 200 \r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"), "200");
  EXPECT_EQ(answer("nonsense\r\n\r\n"), malformed);
  EXPECT_EQ(answer("HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"), malformed);
  EXPECT_EQ(answer("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nok"), malformed);
  EXPECT_EQ(answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
            malformed);
  EXPECT_EQ(answer("HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n" + std::string(1001, 'x')), large);
  EXPECT_EQ(answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n" + std::string(1001, 'x')),
            large);
  EXPECT_EQ(answer("HTTP/1.1 200 OK\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n"), large);
  EXPECT_EQ(answer("HTTP/1.1 200 OK\r\n\r\nuntil the end"), "invalid: the server's response has no length");
  EXPECT_EQ(answer("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n"),
            "invalid: the server's response is not one of HTTP/1.1");
  EXPECT_EQ(answer("HTTP/1.1 100 Continue\r\n\r\n"), "invalid: the server's response is not one of HTTP/1.1");
  EXPECT_EQ(answer("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhal"),
            "unreachable: the connection broke in the middle of the answer");
}

TEST(HttpClientTest, ARequestThatTheServerWouldRefuseIsNotSent) {
  TestServer server;
  const auto client = ClientFor(server.port());
  const auto refused = [&](auto change) {
    HttpRequest request = Get("/hello");
    change(request);
    const auto result = client->SendAndWait(request, kPatient);
    return !result && result.error().code == Code::kInvalid;
  };
  EXPECT_TRUE(refused([](HttpRequest& r) { r.path = "/a b"; }));
  EXPECT_TRUE(refused([](HttpRequest& r) { r.path = "/a?b"; }));
  EXPECT_TRUE(refused([](HttpRequest& r) { r.path = "/../x"; }));
  EXPECT_TRUE(refused([](HttpRequest& r) { r.query = "a\r\nx: y"; }));
  EXPECT_TRUE(refused([](HttpRequest& r) { r.method = "HEAD"; }));
  EXPECT_TRUE(refused([](HttpRequest& r) { r.body = "body on GET"; }));
  EXPECT_TRUE(refused([](HttpRequest& r) { r.authority = "Vault.lan:443"; }));
  EXPECT_TRUE(refused([](HttpRequest& r) { r.headers = {{"x", "a\r\ny: b"}}; }));
  EXPECT_TRUE(refused([](HttpRequest& r) { r.headers = {{"X", "a"}}; }));
  EXPECT_TRUE(refused([](HttpRequest& r) { r.headers = {{"host", "a"}}; }));
  EXPECT_TRUE(refused([](HttpRequest& r) { r.headers = {{"transfer-encoding", "chunked"}}; }));
  EXPECT_TRUE(refused([](HttpRequest& r) { r.headers = {{"x", std::string(kMaxHeadBytes, 'x')}}; }));
  EXPECT_TRUE(refused([](HttpRequest& r) {
    r.method = "POST";
    r.body = std::string(kMaxRequestBytes + 1, 'x');
  }));
  EXPECT_EQ(server->ConnectionCount(), 0u);
}

TEST(HttpClientTest, ARefusalOfALargeRequestIsRead) {
  auto options = TestServer::Options();
  options.max_body_bytes = 1000;
  TestServer server({}, options);
  const auto client = ClientFor(server.port());
  HttpRequest request = Get("/echo");
  request.method = "POST";
  request.body = std::string(kMaxRequestBytes, 'x');
  EXPECT_EQ(Outcome(client->SendAndWait(request, kPatient)), "413");
  EXPECT_EQ(Outcome(client->SendAndWait(Get("/hello"), kPatient)), "200");
}

TEST(HttpClientTest, LargeBodiesGoBothWays) {
  TestServer server;
  const auto client = ClientFor(server.port());
  HttpRequest request = Get("/echo");
  request.method = "PUT";
  request.body = std::string(kMaxRequestBytes, 'z');
  const auto response = client->SendAndWait(request, kPatient);
  ASSERT_EQ(Outcome(response), "200");
  EXPECT_EQ(response->body, "PUT /echo? " + request.body);
}

TEST(HttpClientTest, AnUnusedConnectionIsClosed) {
  TestServer server;
  auto options = OptionsFor(server.port());
  options.idle_timeout = 50ms;
  const auto client = HttpClient::Create(options).value();
  ASSERT_EQ(Outcome(client->SendAndWait(Get("/hello"), kPatient)), "200");
  EXPECT_TRUE(Eventually([&] { return server->ConnectionCount() == 0; }));
  EXPECT_EQ(Outcome(client->SendAndWait(Get("/hello"), kPatient)), "200");
}

TEST(HttpClientTest, DoneMaySendTheNextRequest) {
  TestServer server;
  const auto client = ClientFor(server.port());
  std::promise<int> last;
  std::function<void(int)> next = [&](int count) {
    client->Send(Get("/hello"), kPatient, [&, count](auto result) {
      if (!result || count == 20) return last.set_value(count);
      next(count + 1);
    });
  };
  next(1);
  EXPECT_EQ(last.get_future().get(), 20);
  EXPECT_EQ(server->ConnectionCount(), 1u);
}

TEST(HttpClientTest, BadOptionsAreRefused) {
  const auto refused = [](auto change) {
    auto options = OptionsFor(1);
    change(options);
    return !HttpClient::Create(options);
  };
  EXPECT_TRUE(refused([](auto& o) { o.pins.clear(); }));
  EXPECT_TRUE(refused([](auto& o) { o.pins.resize(3); }));
  EXPECT_TRUE(refused([](auto& o) { o.threads = 0; }));
  EXPECT_TRUE(refused([](auto& o) { o.server.port = 0; }));
  EXPECT_FALSE(refused([](auto&) {}));
}

}  // namespace
}  // namespace grantfs

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <atomic>
#include <filesystem>
#include <future>
#include <mutex>
#include <thread>

#include "grantfs/net/http_client.h"
#include "test_server.h"
#include "tls_peer.h"

namespace grantfs {
namespace {

using namespace std::chrono_literals;

/// A server whose /watch opens a stream and keeps it.
class StreamTest : public ::testing::Test {
 protected:
  void StartServer(HttpServerOptions options = TestServer::Options()) {
    server_ = std::make_unique<TestServer>(
        std::map<std::string, TestServer::Route>{
            {"/watch",
             [this](HttpRequest, std::shared_ptr<Responder> responder) {
               auto stream = responder->Stream({200, {{"content-type", "application/x-ndjson"}}, "first\n"});
               stream->OnClosed([this] { ++closed_; });
               const std::lock_guard lock(mutex_);
               streams_.push_back(std::move(stream));
             }}},
        std::move(options));
  }

  std::unique_ptr<HttpClient> Client(std::chrono::milliseconds stream_timeout = 20s) {
    HttpClientOptions options;
    options.server = {"127.0.0.1", server_->port()};
    options.pins = {PinOf(TestIdentity().certificate_pem).value()};
    options.stream_timeout = stream_timeout;
    return HttpClient::Create(options).value();
  }

  std::size_t StreamCount() {
    const std::lock_guard lock(mutex_);
    return streams_.size();
  }
  std::vector<std::shared_ptr<ResponseStream>> Streams() {
    const std::lock_guard lock(mutex_);
    return streams_;
  }

  std::mutex mutex_;
  std::vector<std::shared_ptr<ResponseStream>> streams_;  // guarded by mutex_
  std::atomic<int> closed_{0};
  std::unique_ptr<TestServer> server_;
};

/// Collects what a stream reports. Outlives the client, which reports the end of each stream at its own.
struct Reader {
  std::mutex mutex;
  std::string text;
  int status = 0;
  int heads = 0;
  std::vector<Status> ends;

  StreamEvents Events() {
    return {.head =
                [this](HttpResponse response) {
                  const std::lock_guard lock(mutex);
                  EXPECT_TRUE(text.empty() && ends.empty());
                  status = response.status;
                  ++heads;
                },
            .chunk =
                [this](std::string_view chunk) {
                  const std::lock_guard lock(mutex);
                  EXPECT_TRUE(heads == 1 && ends.empty());
                  text += chunk;
                },
            .end =
                [this](Status end) {
                  const std::lock_guard lock(mutex);
                  ends.push_back(std::move(end));
                }};
  }
  std::string Text() {
    const std::lock_guard lock(mutex);
    return text;
  }
  bool Ended() {
    const std::lock_guard lock(mutex);
    return !ends.empty();
  }
  std::string End() {
    const std::lock_guard lock(mutex);
    if (ends.size() != 1) return std::to_string(ends.size()) + " ends";
    return ends[0] ? "ok" : std::string(CodeName(ends[0].error().code)) + ": " + ends[0].error().where;
  }
};

HttpRequest Get(const char* path) {
  HttpRequest request;
  request.path = path;
  return request;
}

TEST_F(StreamTest, DeliversInOrderAndEnds) {
  StartServer();
  Reader reader;
  const auto client = Client();
  client->OpenStream(Get("/watch"), reader.Events());
  ASSERT_TRUE(Eventually([&] { return reader.Text() == "first\n"; })) << reader.Text();
  EXPECT_EQ(reader.status, 200);
  const auto stream = Streams()[0];
  std::string expected = "first\n";
  for (int i = 0; i < 1000; ++i) {
    const std::string line = "line " + std::to_string(i) + "\n";
    EXPECT_TRUE(stream->Write(line));
    EXPECT_TRUE(stream->Write(""));
    expected += line;
  }
  stream->Close();
  EXPECT_FALSE(stream->Write("late"));
  ASSERT_TRUE(Eventually([&] { return reader.Ended(); }));
  EXPECT_EQ(reader.Text(), expected);
  EXPECT_EQ(reader.End(), "ok");
  EXPECT_TRUE(Eventually([&] { return closed_ == 1; }));
}

TEST_F(StreamTest, LettingGoOfAStreamEndsIt) {
  StartServer();
  Reader reader;
  const auto client = Client();
  client->OpenStream(Get("/watch"), reader.Events());
  ASSERT_TRUE(Eventually([&] { return StreamCount() == 1; }));
  streams_.clear();
  ASSERT_TRUE(Eventually([&] { return reader.Ended(); }));
  EXPECT_EQ(reader.End(), "ok");
}

TEST_F(StreamTest, AnOrdinaryResponseIsAStreamToo) {
  StartServer();
  Reader reader;
  const auto client = Client();
  client->OpenStream(Get("/none"), reader.Events());
  ASSERT_TRUE(Eventually([&] { return reader.Ended(); }));
  EXPECT_EQ(reader.status, 404);
  EXPECT_EQ(reader.End(), "ok");
}

TEST_F(StreamTest, CancelReachesTheServer) {
  StartServer();
  Reader reader;
  const auto client = Client();
  const auto pending = client->OpenStream(Get("/watch"), reader.Events());
  ASSERT_TRUE(Eventually([&] { return reader.Text() == "first\n"; }));
  pending->Cancel();
  pending->Cancel();
  ASSERT_TRUE(Eventually([&] { return reader.Ended(); }));
  EXPECT_EQ(reader.End(), "cancelled: the request was cancelled");
  EXPECT_TRUE(Eventually([&] { return closed_ == 1; }));
  EXPECT_FALSE(Streams()[0]->Write("x"));
  // Asked for too late, it runs all the same.
  std::promise<void> late;
  Streams()[0]->OnClosed([&] { late.set_value(); });
  EXPECT_EQ(late.get_future().wait_for(20s), std::future_status::ready);
}

TEST_F(StreamTest, CancelWhileConnecting) {
  StartServer();
  const auto client = Client();
  for (int i = 0; i < 50; ++i) {
    Reader reader;
    client->OpenStream(Get("/watch"), reader.Events())->Cancel();
    ASSERT_TRUE(Eventually([&] { return reader.Ended(); }));
    EXPECT_EQ(reader.End(), "cancelled: the request was cancelled");
  }
}

TEST_F(StreamTest, ASilentServerIsNoticed) {
  StartServer();
  Reader reader;
  const auto client = Client(2000ms);
  client->OpenStream(Get("/watch"), reader.Events());
  ASSERT_TRUE(Eventually([&] { return StreamCount() == 1; }));
  // As long as something comes, it lives.
  const auto end = std::chrono::steady_clock::now() + 2500ms;
  ASSERT_TRUE(Eventually([&] {
    Streams()[0]->Write("beat\n");
    return std::chrono::steady_clock::now() > end;
  }));
  EXPECT_FALSE(reader.Ended()) << reader.End();
  ASSERT_TRUE(Eventually([&] { return reader.Ended(); }));
  EXPECT_EQ(reader.End(), "unreachable: the server went silent");
  EXPECT_TRUE(Eventually([&] { return closed_ == 1; }));
}

TEST_F(StreamTest, AServerThatDiesEndsTheStream) {
  StartServer();
  Reader reader;
  const auto client = Client();
  client->OpenStream(Get("/watch"), reader.Events());
  ASSERT_TRUE(Eventually([&] { return reader.Text() == "first\n"; }));
  (*server_)->Stop(0ms);
  ASSERT_TRUE(Eventually([&] { return reader.Ended(); }));
  EXPECT_EQ(closed_, 1);  // before Stop() returned
  EXPECT_FALSE(Streams()[0]->Write("x"));
}

TEST_F(StreamTest, AReaderThatIsTooSlowIsDisconnected) {
  auto options = TestServer::Options();
  options.max_stream_backlog = 100'000;
  options.write_timeout = 1h;  // so that it is the backlog that ends it
  StartServer(options);
  TlsPeer slow(server_->port());
  slow.Send("GET /watch HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_TRUE(Eventually([&] { return StreamCount() == 1; }));
  const auto stream = Streams()[0];
  const std::string chunk(10'000, 'x');
  EXPECT_TRUE(Eventually([&] { return !stream->Write(chunk); }));
  EXPECT_TRUE(Eventually([&] { return closed_ == 1; }));
  EXPECT_EQ((*server_)->ConnectionCount(), 0u);
}

TEST_F(StreamTest, AReaderThatKeepsUpMayGetAnyAmount) {
  StartServer();
  Reader reader;
  const auto client = Client();
  client->OpenStream(Get("/watch"), reader.Events());
  ASSERT_TRUE(Eventually([&] { return reader.Text() == "first\n"; }));
  const auto stream = Streams()[0];
  std::size_t sent = 6;
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(stream->Write(std::string(200'000, 'x')));
    sent += 200'000;
    ASSERT_TRUE(Eventually([&] { return reader.Text().size() == sent; }));
  }
}

TEST_F(StreamTest, APeerThatSpeaksOutOfTurnIsDisconnected) {
  StartServer();
  TlsPeer peer(server_->port());
  peer.Send("GET /watch HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_TRUE(Eventually([&] { return StreamCount() == 1; }));
  peer.Send("GET /watch HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_TRUE(Eventually([&] { return closed_ == 1; }));
  EXPECT_EQ(StreamCount(), 1u);
}

TEST_F(StreamTest, ManyThreadsMayWriteToOneStream) {
  StartServer();
  Reader reader;
  const auto client = Client();
  client->OpenStream(Get("/watch"), reader.Events());
  ASSERT_TRUE(Eventually([&] { return StreamCount() == 1; }));
  std::vector<std::thread> writers;
  for (int i = 0; i < 4; ++i) {
    writers.emplace_back([&, i] {
      for (int j = 0; j < 250; ++j) Streams()[0]->Write(std::string(9, static_cast<char>('a' + i)) + "\n");
    });
  }
  for (auto& writer : writers) writer.join();
  ASSERT_TRUE(Eventually([&] { return reader.Text().size() == 6 + 1000 * 10; }));
  const std::string text = reader.Text().substr(6);
  for (std::size_t at = 0; at < text.size(); at += 10) {
    ASSERT_EQ(text.substr(at, 9), std::string(9, text[at]));
    ASSERT_EQ(text[at + 9], '\n');
  }
}

std::size_t ThreadCount() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& task : std::filesystem::directory_iterator("/proc/self/task")) ++count;
  return count;
}

TEST_F(StreamTest, ThousandsOfIdleStreamsCostNoThreads) {
  constexpr int kStreams = 2000;
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  if (limit.rlim_max < 3 * kStreams) GTEST_SKIP() << "needs " << 3 * kStreams << " descriptors (ulimit -Hn)";
  limit.rlim_cur = std::max<rlim_t>(limit.rlim_cur, 3 * kStreams);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);

  const std::size_t threads_before = ThreadCount();
  StartServer();
  const auto client = Client();
  std::atomic<int> heads{0};
  std::atomic<int> beats{0};
  std::atomic<int> ends{0};
  const StreamEvents events{.head = [&](HttpResponse) { ++heads; },
                            .chunk =
                                [&](std::string_view chunk) {
                                  for (const char c : chunk) beats += c == '!';
                                },
                            .end = [&](Status) { ++ends; }};
  for (int opened = 0; opened < kStreams; ++opened) {
    // Not all handshakes at once: each has a deadline.
    ASSERT_TRUE(Eventually([&] { return heads > opened - 100; })) << heads << " heads, " << ends << " ends";
    client->OpenStream(Get("/watch"), events);
  }
  ASSERT_TRUE(Eventually([&] { return heads == kStreams && StreamCount() == kStreams; }))
      << heads << " heads, " << ends << " ends";
  EXPECT_EQ(ThreadCount(), threads_before + 2 + 1);  // the server's two and the client's one
  for (int beat = 1; beat <= 3; ++beat) {
    for (const auto& stream : Streams()) ASSERT_TRUE(stream->Write("!"));
    ASSERT_TRUE(Eventually([&] { return beats == beat * kStreams; })) << beats;
  }
  // Others are served meanwhile.
  const auto response = client->SendAndWait(Get("/hello"), {.deadline = 20s});
  EXPECT_TRUE(response && response->body == "hello");
  EXPECT_EQ(ends, 0);
  (*server_)->Stop(20s);
  EXPECT_EQ(closed_, kStreams);
  EXPECT_TRUE(Eventually([&] { return ends == kStreams; }));
}

class StopTest : public ::testing::Test {};

TEST_F(StopTest, RunningRequestsAreFinishedAndIdleConnectionsEnded) {
  std::promise<std::shared_ptr<Responder>> asked;
  TestServer server({{"/slow", [&](HttpRequest, std::shared_ptr<Responder> responder) {
                        asked.set_value(std::move(responder));
                      }}});
  TlsPeer idle(server.port());
  TlsPeer busy(server.port());
  ASSERT_TRUE(idle.connected() && busy.connected());
  busy.Send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n");
  auto responder = asked.get_future().get();
  std::thread stopper([&] { server->Stop(20s); });
  EXPECT_EQ(idle.ReadAll(), "");
  EXPECT_FALSE(TlsPeer(server.port()).connected());
  responder->Send({200, {}, "done"});
  responder.reset();
  const std::string response = busy.ReadAll();
  EXPECT_TRUE(response.ends_with("done")) << response;
  EXPECT_NE(response.find("connection: close"), std::string::npos) << response;
  stopper.join();
  EXPECT_EQ(server->ConnectionCount(), 0u);
}

TEST_F(StopTest, WhatTakesTooLongIsCutOff) {
  std::promise<std::shared_ptr<Responder>> asked;
  TestServer server({{"/slow", [&](HttpRequest, std::shared_ptr<Responder> responder) {
                        asked.set_value(std::move(responder));
                      }}});
  TlsPeer busy(server.port());
  busy.Send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n");
  auto responder = asked.get_future().get();
  server->Stop(20ms);
  EXPECT_EQ(busy.ReadAll(), "");
  responder->Send({200, {}, "nobody"});  // does nothing
  server->Stop(20ms);                    // nor does this
}

TEST_F(StopTest, AKeptResponderMayOutliveTheServer) {
  std::shared_ptr<Responder> kept;
  std::promise<void> asked;
  auto server = std::make_unique<TestServer>(std::map<std::string, TestServer::Route>{
      {"/slow", [&](HttpRequest, std::shared_ptr<Responder> responder) {
         kept = std::move(responder);
         asked.set_value();
       }}});
  TlsPeer busy(server->port());
  busy.Send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n");
  asked.get_future().wait();
  server.reset();
  const auto stream = kept->Stream({200, {}, ""});
  EXPECT_FALSE(stream->Write("x"));
  stream->Close();
}

}  // namespace
}  // namespace grantfs

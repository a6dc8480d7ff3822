#include <regex>

#include "grantfs/httpsig/signature.h"
#include "net/tls_peer.h"
#include "served.h"

namespace grantfs::testing {
namespace {

struct AuthenticationTest : ::testing::Test, ServedSecret {
  AuthenticationTest() : ServedSecret(WithFailures(100'000)) {}
  static ServeOptions WithFailures(std::uint64_t of_one) {
    ServeOptions options;
    options.failures_of_one = of_one;
    return options;
  }
  /// As the bytes go over the wire.
  static std::string Raw(const HttpRequest& request) {
    std::string raw =
        request.method + " " + request.path + " HTTP/1.1\r\nHost: " + request.authority + "\r\n";
    for (const HttpHeader& header : request.headers) raw += header.name + ": " + header.value + "\r\n";
    return raw + "Content-Length: " + std::to_string(request.body.size()) + "\r\n\r\n" + request.body;
  }
  /// The status of the answer; 0 where the connection was just closed.
  int SendRaw(const std::string& raw) {
    TlsPeer peer(server.address().port);
    if (!peer.connected() || !peer.Send(raw)) return -1;
    SSL_shutdown(peer.ssl());  // so that a server that was promised more does not wait for it
    const std::string answer = peer.ReadResponse();
    return answer.size() > 12 ? std::stoi(answer.substr(9, 3)) : 0;
  }
  HttpResponse Answer(const HttpRequest& request) { return Must(client().Send(request)); }
};

TEST_F(AuthenticationTest, ACapturedRequestIsWorthNothingOnceItWasUsed) {
  const HttpRequest request = SignedRead("x");
  EXPECT_EQ(StatusOf(request), 200);
  EXPECT_EQ(StatusOf(request), 401);
  EXPECT_EQ(StatusOf(SignedRead("x")), 200);
}

TEST_F(AuthenticationTest, NoByteOfARequestCanBeChanged) {
  const std::string raw = Raw(SignedRead("x"));
  for (std::size_t i = 0; i < raw.size(); ++i) {
    std::string altered = raw;
    altered[i] = static_cast<char>(altered[i] ^ 1);
    const int status = SendRaw(altered);
    EXPECT_TRUE(status == 400 || status == 401 || status == 0)
        << "byte " << i << " of " << raw.size() << ": " << status << "\n"
        << altered;
  }
  EXPECT_EQ(SendRaw(raw), 200) << "the request itself was good, and none of its shadows used it up";
  EXPECT_EQ(SendRaw(raw), 401);
}

TEST_F(AuthenticationTest, ASignatureIsForItsPathAndMethodAndHostAlone) {
  HttpRequest other = SignedRead("x");
  other.path = api::kMachineCheck.path;
  EXPECT_EQ(StatusOf(other), 401);
  other = SignedRead("x");
  other.method = "PUT";
  EXPECT_EQ(StatusOf(other), 401);
  other = SignedRead("x");
  other.authority = "localhost:" + std::to_string(server.address().port);
  EXPECT_EQ(StatusOf(other), 401);
  other = SignedRead("x");
  other.query = "a=b";
  EXPECT_EQ(StatusOf(other), 401);
}

TEST_F(AuthenticationTest, ARequestForAnotherVaultIsRefused) {
  const std::string own = client().vault;
  for (const std::string& vault : {std::string(64, '0'), std::string(64, 'a'), own.substr(1) + "0"}) {
    client().vault = vault;
    EXPECT_EQ(StatusOf(SignedRead("x")), 401) << vault;
  }
  client().vault = own;
  EXPECT_EQ(StatusOf(SignedRead("x")), 200);
}

TEST_F(AuthenticationTest, ACapturedRequestIsWorthNothingElsewhere) {
  ServedSecret other;
  HttpRequest captured = SignedRead("x");
  EXPECT_EQ(Must(other.client().Send(captured)).status, 401);
}

TEST_F(AuthenticationTest, ARestartedServerTeachesItsInstance) {
  const HttpRequest captured = SignedRead("before");
  server.Restart();
  const HttpResponse refused = Answer(captured);
  EXPECT_EQ(refused.status, 401);
  const std::string* instance = FindHeader(refused.headers, kInstanceHeader);
  ASSERT_NE(instance, nullptr);
  EXPECT_NE(*instance, client().instance);
  const auto answer =
      Must(client().Exchange(RequestSigner::Of(machine.key), api::kMachineRead, ReadBody("x")));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(client().instance, *instance);
}

TEST_F(AuthenticationTest, AClientWithAWrongClockLearnsTheOffset) {
  for (const std::int64_t off : {3600, -3600}) {
    client().clock_offset = off;
    const HttpResponse refused = Answer(SignedRead("x"));
    EXPECT_EQ(refused.status, 401);
    const std::string* date = FindHeader(refused.headers, "date");
    ASSERT_NE(date, nullptr);
    std::tm parts{};
    ASSERT_NE(::strptime(date->c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts), nullptr) << *date;
    client().clock_offset = ::timegm(&parts) - SystemClock().WallSeconds();
    EXPECT_EQ(StatusOf(SignedRead("x")), 200) << "offset " << client().clock_offset;
  }
}

TEST_F(AuthenticationTest, ARequestIsGoodForAMinuteAndHalfAMinuteAhead) {
  const auto at = [&](std::int64_t offset) {
    client().clock_offset = offset;
    return StatusOf(SignedRead("x"));
  };
  EXPECT_EQ(at(-45), 200);
  EXPECT_EQ(at(20), 200);
  EXPECT_EQ(at(-62), 401);
  EXPECT_EQ(at(45), 401);
}

TEST_F(AuthenticationTest, EveryFailureLooksTheSame) {
  const PrivateIdentity stranger = NewIdentity("eve");
  const PrivateIdentity impostor = NewIdentity("web-1", IdentityKind::kMachine);
  const HttpRequest replayed = SignedRead("x");
  Answer(replayed);
  std::vector<HttpRequest> requests{replayed};
  requests.push_back(client().Signed(RequestSigner::Of(stranger), api::kStatus, ""));
  requests.push_back(client().Signed({machine.key.Id().Hex(), &impostor.signing_key()}, api::kStatus, ""));
  requests.push_back(
      client().Signed({"claim:" + std::string(32, '0'), &stranger.signing_key()}, api::kClaimShow, ""));
  requests.push_back(client().Signed({"invite:nonsense", &stranger.signing_key()}, api::kEnrol, "{}"));
  requests.push_back(client().Signed(RequestSigner::Of(stranger), "GET", "/no/such/path", ""));
  HttpRequest unsigned_request = SignedRead("x");
  unsigned_request.headers.clear();
  requests.push_back(unsigned_request);
  HttpRequest altered = SignedRead("x");
  altered.body += " ";
  requests.push_back(altered);
  const auto shown = [](const HttpResponse& answer) {
    std::string text = std::to_string(answer.status) + "\n" + answer.body;
    for (const HttpHeader& header : answer.headers) {
      if (header.name != "date") text += "\n" + header.name + ": " + header.value;
    }
    return text;
  };
  const std::string first = shown(Answer(requests[0]));
  EXPECT_TRUE(first.starts_with("401\n{\"type\":\"about:blank\"")) << first;
  for (const HttpRequest& request : requests) EXPECT_EQ(shown(Answer(request)), first) << request.path;
}

TEST_F(AuthenticationTest, ARemovedMachineIsAStranger) {
  Must(world.RemoveMachine(machine));
  EXPECT_EQ(StatusOf(SignedRead("x")), 401);
}

TEST(AuthenticationBoundTest, WhoSignsWellPassesWhileOthersFailInHisNameAtHisAddress) {
  ServedSecret served(AuthenticationTest::WithFailures(2));
  HttpRequest forged = served.SignedRead("x");
  forged.body += " ";
  for (int i = 0; i < 4; ++i) EXPECT_EQ(served.StatusOf(forged), 401) << i;
  for (int i = 0; i < 4; ++i) EXPECT_EQ(served.StatusOf(served.SignedRead("x")), 200) << i;
}

TEST(AuthenticationBoundTest, OneIdentitysRequestsAreBoundedAndNothingIsForgottenEarly) {
  TestClock clock;
  ServeOptions options;
  options.clock = &clock;
  options.nonces_of_one = 30;
  ServedSecret served(options);
  const HttpRequest first = served.SignedRead("x");
  EXPECT_EQ(served.StatusOf(first), 200);
  int last = 200;
  for (int i = 0; i < 30 && last == 200; ++i) last = served.StatusOf(served.SignedRead("x"));
  EXPECT_EQ(last, 429);
  EXPECT_EQ(served.StatusOf(first), 401) << "a full memory still knows what it saw";
  const auto other = RequestSigner::Of(served.world.recovery);
  EXPECT_EQ(served.StatusOf(served.client().Signed(other, api::kStatus, "")), 200);
  clock.Pass(100);
  served.client().clock_offset = 100;
  EXPECT_EQ(served.StatusOf(served.SignedRead("x")), 200);
}

TEST(AuthenticationClockTest, SettingTheServersClockMakesNoRequestFreshAgain) {
  TestClock clock;
  ServeOptions options;
  options.clock = &clock;
  ServedSecret served(options);
  const HttpRequest captured = served.SignedRead("x");
  EXPECT_EQ(served.StatusOf(captured), 200);
  clock.Pass(200);
  clock.SetBy(-200);
  EXPECT_EQ(served.StatusOf(captured), 401);
  served.client().clock_offset = 200;
  EXPECT_EQ(served.StatusOf(served.SignedRead("x")), 200) << "the time that passed is what counts";
}

}  // namespace
}  // namespace grantfs::testing

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include <condition_variable>
#include <cstring>
#include <memory>
#include <mutex>
#include <thread>

#include "net/dial_internal.h"

namespace grantfs::net {
namespace {

using std::chrono::milliseconds;

/// A socket that listens on 127.0.0.1.
struct Listener {
  Listener() : fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at), 0);
    EXPECT_EQ(::listen(fd.get(), 1), 0);
    socklen_t size = sizeof at;
    EXPECT_EQ(::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&at), &size), 0);
    port = ntohs(at.sin_port);
  }
  UniqueFd fd;
  std::uint16_t port = 0;
};

/// A lookup that hangs until it is let go, as long as anybody looks.
struct HangingLookUp {
  struct State {
    std::mutex mutex;
    std::condition_variable changed;
    bool open = false;
  };
  ~HangingLookUp() {
    {
      const std::lock_guard lock(state->mutex);
      state->open = true;
    }
    state->changed.notify_all();
  }
  LookUp Function() const {
    return [state = state](const Address&) -> Result<std::vector<SocketAddress>> {
      std::unique_lock lock(state->mutex);
      state->changed.wait(lock, [&] { return state->open; });
      return std::vector<SocketAddress>();
    };
  }
  std::shared_ptr<State> state = std::make_shared<State>();
};

DialOptions To(std::uint16_t port, milliseconds within) {
  DialOptions options;
  options.server = {"127.0.0.1", port};
  options.subject = "the server";
  options.end = std::chrono::steady_clock::now() + within;
  return options;
}

TEST(DialTest, ConnectsToWhoListens) {
  Listener listener;
  const auto dialed = Dial(To(listener.port, milliseconds(20'000)));
  ASSERT_TRUE(dialed) << Describe(dialed.error());
  EXPECT_FALSE(dialed->v6);
  EXPECT_TRUE(UniqueFd(::accept(listener.fd.get(), nullptr, nullptr)));
}

TEST(DialTest, TriesOneAddressAfterTheOther) {
  Listener listener;
  DialOptions options = To(listener.port, milliseconds(20'000));
  options.look_up = [](const Address& server) {
    auto found = SystemLookUp(server);
    SocketAddress closed = (*found)[0];
    const std::uint16_t nobody = htons(1);
    std::memcpy(reinterpret_cast<char*>(&closed.storage) + offsetof(sockaddr_in, sin_port), &nobody,
                sizeof nobody);
    found->insert(found->begin(), closed);
    return found;
  };
  EXPECT_TRUE(Dial(options));
}

TEST(DialTest, OneThatNeverAnswersLeavesTimeForTheNext) {
  Listener full, listener;
  ASSERT_EQ(::listen(full.fd.get(), 0), 0);  // whoever comes when its queue is full is not heard
  std::vector<UniqueFd> waiting;
  for (int i = 0; i < 4; ++i) {
    auto one = Dial(To(full.port, milliseconds(100)));
    if (one) waiting.push_back(std::move(one->fd));
  }
  DialOptions options = To(listener.port, milliseconds(2'000));
  options.look_up = [&full](const Address& server) {
    auto found = SystemLookUp(server);
    found->insert(found->begin(), (*SystemLookUp({"127.0.0.1", full.port}))[0]);
    return found;
  };
  EXPECT_TRUE(Dial(options));
}

TEST(DialTest, ANameThatIsNotLookedUpInTimeIsUnreachable) {
  HangingLookUp hanging;
  DialOptions options = To(1, milliseconds(50));
  options.look_up = hanging.Function();
  const auto dialed = Dial(options);
  ASSERT_FALSE(dialed);
  EXPECT_EQ(dialed.error().code, Code::kUnreachable);
  EXPECT_EQ(dialed.error().subject, "the server");
}

TEST(DialTest, ALookupIsStopped) {
  HangingLookUp hanging;
  std::atomic<bool> stop{false};
  DialOptions options = To(1, std::chrono::hours(1));
  options.look_up = hanging.Function();
  options.stop = &stop;
  std::thread stopping([&stop] { stop = true; });
  const auto dialed = Dial(options);
  stopping.join();
  ASSERT_FALSE(dialed);
  EXPECT_EQ(dialed.error().code, Code::kCancelled);
}

TEST(DialTest, LookupsThatHangAreFew) {
  HangingLookUp hanging;
  DialOptions options = To(1, milliseconds(1));
  options.look_up = hanging.Function();
  Result<Dialed> dialed = Error{Code::kIo, ""};
  for (int i = 0; i < 20; ++i) {
    options.end = std::chrono::steady_clock::now() + milliseconds(1);
    dialed = Dial(options);
  }
  EXPECT_STREQ(dialed.error().where, "its name cannot be looked up: earlier lookups still hang");
}

}  // namespace
}  // namespace grantfs::net

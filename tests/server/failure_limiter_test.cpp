#include <gtest/gtest.h>

#include <atomic>

#include "server/failure_limiter_internal.h"

namespace grantfs {
namespace {

TEST(FailureLimiterTest, CountsByAddressAndByIdentityWithinAMinute) {
  FailureLimiter limiter(3);
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(limiter.Failed("10.0.0.1", "", 600)) << i;
  EXPECT_TRUE(limiter.Failed("10.0.0.1", "", 630));
  EXPECT_FALSE(limiter.Failed("10.0.0.2", "", 630)) << "another address";
  EXPECT_FALSE(limiter.Failed("10.0.0.1", "", 660)) << "another minute";
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(limiter.Failed("10.1.0." + std::to_string(i), "a", 661)) << i;
  EXPECT_TRUE(limiter.Failed("10.1.0.9", "a", 662)) << "one identity, from everywhere";
  EXPECT_FALSE(limiter.Failed("10.1.0.8", "b", 662));
}

TEST(FailureLimiterTest, ANetworkOfIpv6IsOneAddress) {
  EXPECT_EQ(NetworkOf("2001:db8:1:2::1"), NetworkOf("2001:db8:1:2:ffff::9"));
  EXPECT_NE(NetworkOf("2001:db8:1:2::1"), NetworkOf("2001:db8:1:3::1"));
  EXPECT_NE(NetworkOf("10.0.0.1"), NetworkOf("10.0.0.2"));
  EXPECT_NE(NetworkOf("::ffff:10.0.0.1"), NetworkOf("::ffff:10.0.0.2"));
  EXPECT_EQ(NetworkOf(""), "");
}

TEST(FailureLimiterTest, ItsMemoryIsBoundedAndStrangersBeyondItAreOne) {
  FailureLimiter limiter(3);
  bool limited = false;
  for (std::size_t i = 0; i < 3 * FailureLimiter::kMaxKnown; ++i)
    limited = limiter.Failed("host-" + std::to_string(i), "id-" + std::to_string(i), 60);
  EXPECT_LE(limiter.size(), 2 * FailureLimiter::kMaxKnown + 2);
  EXPECT_TRUE(limited);
}

class KeptAnswer final : public Responder {
 public:
  explicit KeptAnswer(std::atomic<int>* answers) : answers_(answers) {}
  void Send(HttpResponse response) override { *answers_ += response.status == 401 ? 1 : 100; }
  std::shared_ptr<ResponseStream> Stream(HttpResponse) override { return nullptr; }

 private:
  std::atomic<int>* answers_;
};

TEST(LateAnswersTest, AreHeldUpToABoundAndSentAtTheEnd) {
  std::atomic<int> answers{0};
  HttpResponse refusal;
  refusal.status = 401;
  {
    LateAnswers late(std::chrono::hours(1));
    for (std::size_t i = 0; i < LateAnswers::kMaxHeld; ++i)
      late.Send(std::make_shared<KeptAnswer>(&answers), refusal);
    EXPECT_EQ(answers, 0);
    late.Send(std::make_shared<KeptAnswer>(&answers), refusal);
    EXPECT_EQ(answers, 1) << "what cannot be held is answered";
  }
  EXPECT_EQ(answers, static_cast<int>(LateAnswers::kMaxHeld) + 1);
}

}  // namespace
}  // namespace grantfs

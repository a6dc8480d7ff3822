#include <gtest/gtest.h>

#include "../../src/net/request_gate_internal.h"
#include "gate_cases.h"

namespace grantfs::net {
namespace {

std::string_view HeadOf(std::string_view raw) {
  const std::size_t end = raw.find("\r\n\r\n");
  return end == std::string_view::npos ? raw : raw.substr(0, end + 4);
}

TEST(RequestGateTest, RefusesWhatTwoReadersCouldTakeDifferently) {
  for (const auto& [what, raw] : RefusedRequests()) {
    const Status status = CheckRequestHead(HeadOf(raw));
    ASSERT_FALSE(status) << what;
    EXPECT_EQ(status.error().code, Code::kInvalid) << what;
    // The sentence goes into a JSON string as it is.
    EXPECT_EQ(std::string_view(status.error().where).find_first_of("\"\\\n"), std::string_view::npos) << what;
  }
}

TEST(RequestGateTest, LetsOrdinaryRequestsThrough) {
  for (const auto& [what, raw] : AcceptedRequests()) {
    const Status status = CheckRequestHead(HeadOf(raw));
    EXPECT_TRUE(status) << what << ": " << status.error().where;
  }
}

TEST(RequestGateTest, EveryByteThatIsPutIntoTheTargetIsJudged) {
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    const std::string raw = std::string("GET /a") + c + "b HTTP/1.1\r\nHost: a\r\n\r\n";
    const bool allowed =
        std::isalnum(byte) != 0 || std::string_view("-._~!$&'()*+,;=:@/?").find(c) != std::string_view::npos;
    EXPECT_EQ(CheckRequestHead(raw).has_value(), allowed && byte != 0) << byte;
  }
}

TEST(RequestGateTest, ForeignBytesAreNoticedBeforeTheHeadIsWhole) {
  EXPECT_TRUE(CheckHeadBytes("GET / HTTP/1.1\r\nHo"));
  EXPECT_TRUE(CheckHeadBytes("GET / HTTP/1.1\r"));
  EXPECT_FALSE(CheckHeadBytes("GET / HTTP/1.1\n"));
  EXPECT_FALSE(CheckHeadBytes("GET / HTTP/1.1\rH"));
  EXPECT_FALSE(CheckHeadBytes("\x16"));
}

}  // namespace
}  // namespace grantfs::net

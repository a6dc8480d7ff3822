#include "grantfs/util/clock.h"

#include <gtest/gtest.h>

namespace grantfs {
namespace {

TEST(DurationTest, TakesANumberAndAUnit) {
  EXPECT_EQ(ParseDurationSeconds("90s"), 90);
  EXPECT_EQ(ParseDurationSeconds("1h"), 3600);
  EXPECT_EQ(ParseDurationSeconds("30d"), 30 * 86400);
}

TEST(DurationTest, RefusesAllElse) {
  for (const char* bad : {"", "1", "h", "0s", "-1h", "1h30m", "1 h", "99999999999999999999d"}) {
    EXPECT_EQ(ParseDurationSeconds(bad), -1) << bad;
  }
}

TEST(FormatTimeTest, IsRfc3339) { EXPECT_EQ(FormatTime(1'700'000'000), "2023-11-14T22:13:20Z"); }

}  // namespace
}  // namespace grantfs

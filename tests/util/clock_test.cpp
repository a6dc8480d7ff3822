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

TEST(ClockTest, TimesAreReadStrictly) {
  EXPECT_EQ(ParseTimeMs("1970-01-01T00:00:00Z"), 0);
  EXPECT_EQ(ParseTimeMs("2026-01-31T12:00:00Z"), 1769860800000);
  EXPECT_EQ(ParseTimeMs("2026-01-31T13:00:00.25+01:00"), 1769860800250);
  EXPECT_EQ(ParseTimeMs("2024-02-29T23:59:59.999-00:30"), 1709252999999);
  for (const char* bad : {"",
                          "2026-01-31",
                          "2026-01-31T12:00:00",
                          "2026-01-31 12:00:00Z",
                          "2026-1-31T12:00:00Z",
                          "2026-02-29T12:00:00Z",
                          "2026-04-31T12:00:00Z",
                          "2026-13-01T12:00:00Z",
                          "2026-00-01T12:00:00Z",
                          "2026-01-00T12:00:00Z",
                          "2026-01-31T24:00:00Z",
                          "2026-01-31T12:60:00Z",
                          "2026-01-31T12:00:60Z",
                          "2026-01-31T12:00:00.Z",
                          "2026-01-31T12:00:00.1234Z",
                          "2026-01-31T12:00:00z",
                          "2026-01-31T12:00:00+0100",
                          "2026-01-31T12:00:00+24:00",
                          "2026-01-31T12:00:00Zx",
                          "1969-12-31T23:59:59Z",
                          "1970-01-01T00:00:00+01:00",
                          "20260-1-31T12:00:00Z",
                          "-026-01-31T12:00:00Z"})
    EXPECT_EQ(ParseTimeMs(bad), -1) << bad;
}

}  // namespace
}  // namespace grantfs

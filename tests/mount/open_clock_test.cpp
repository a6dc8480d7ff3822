#include <gtest/gtest.h>

#include "../support/test_clock.h"
#include "mount/tree/open_files_internal.h"

namespace grantfs {
namespace {

TEST(OpenClockTest, AClockThatIsSetBackLetsNobodyReadOnForLonger) {
  testing::TestClock clock;
  const OpenClock open(&clock);
  const std::int64_t begun = open.Seconds();
  clock.SetBy(-1000);
  EXPECT_GE(open.Seconds(), begun);
  clock.Pass(60);
  EXPECT_GE(open.Seconds(), begun + 60);
  clock.SetBy(2000);
  EXPECT_GE(open.Seconds(), begun + 1060) << "what the clock says is believed where it is later";
  EXPECT_LT(OpenClock(&clock).Seconds(), begun + 1070) << "and for what is opened later as it is";
}

}  // namespace
}  // namespace grantfs

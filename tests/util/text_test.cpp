#include "grantfs/util/text.h"

#include <gtest/gtest.h>

namespace grantfs {
namespace {

TEST(Utf8Test, TakesWellFormedText) {
  EXPECT_TRUE(IsUtf8(""));
  EXPECT_TRUE(IsUtf8("db-password"));
  EXPECT_TRUE(IsUtf8("gr\xC3\xBC\xC3\x9F \xE2\x82\xAC \xF0\x9F\x94\x91"));
}

TEST(Utf8Test, RefusesOverlongSurrogateTruncatedAndStrayBytes) {
  for (const char* bad : {"\xC0\xAF", "\xE0\x80\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE2\x82", "\x80", "\xFF"}) {
    EXPECT_FALSE(IsUtf8(bad)) << Printable(bad);
  }
}

TEST(CountTest, OneHasNoPlural) {
  EXPECT_EQ(Count(0, "byte"), "0 bytes");
  EXPECT_EQ(Count(1, "byte"), "1 byte");
  EXPECT_EQ(Count(2, "byte"), "2 bytes");
}

TEST(PrintableTest, NeutralisesControlsAndBidirectionalMarks) {
  EXPECT_EQ(Printable("a\x1b[31mb\n"), "a?[31mb?");
  EXPECT_EQ(Printable("\xE2\x80\xAE" "abc"), "?abc");
  EXPECT_EQ(Printable("\xFFx"), "?x");
}

TEST(ParseNumberTest, HoldsTheBoundAndTheForm) {
  unsigned long long value = 0;
  EXPECT_TRUE(ParseNumber("255", 255, &value));
  EXPECT_EQ(value, 255u);
  for (const char* bad : {"", "256", "01", "-1", "1x", " 1", "99999999999999999999999"}) {
    EXPECT_FALSE(ParseNumber(bad, 255, &value)) << bad;
  }
}

TEST(SplitTest, KeepsEmptyParts) {
  EXPECT_EQ(Split("a//b", '/').size(), 3u);
  EXPECT_EQ(Split("", '/').size(), 1u);
}

}  // namespace
}  // namespace grantfs

#include "grantfs/log/event_format.h"

#include <gtest/gtest.h>

namespace grantfs {
namespace {

SyslogEvent Event() {
  SyslogEvent event;
  event.severity = 4;
  event.time_ms = 1'700'000'000'007;
  event.host = "vault.lan";
  event.id = "secret.read";
  event.data_id = "grantfs@32473";
  event.data = {{"record", "41"}, {"object", "shop/prod/db-password"}};
  event.text = "web-1 secret.read shop/prod/db-password: refused";
  return event;
}

TEST(SyslogFormatTest, AMessageIsThatOfTheRfc) {
  EXPECT_EQ(FormatSyslog(Event()),
            "<108>1 2023-11-14T22:13:20.007Z vault.lan grantfs - secret.read [grantfs@32473 record=\"41\" "
            "object=\"shop/prod/db-password\"] web-1 secret.read shop/prod/db-password: refused");
}

TEST(SyslogFormatTest, WhatIsMissingIsADash) {
  EXPECT_EQ(FormatSyslog(SyslogEvent{}), "<110>1 1970-01-01T00:00:00.000Z - grantfs - - -");
}

TEST(SyslogFormatTest, AHostileNameStaysWithinItsValue) {
  SyslogEvent event;
  event.data_id = "grantfs@32473";
  event.data = {{"object", "a\"] <13>1 - x\\ ]\n\x7F\xC3\xA4\xFF\x1B[0m"}};
  event.text = "a\nb";
  EXPECT_EQ(FormatSyslog(event),
            "<110>1 1970-01-01T00:00:00.000Z - grantfs - - [grantfs@32473 object=\"a\\\"\\] <13>1 - x\\\\ "
            "\\]#012#177\xC3\xA4\xEF\xBF\xBD#033[0m\"] a#012b");
}

TEST(SyslogFormatTest, HeadersAreBoundedAndPrintable) {
  SyslogEvent event = Event();
  event.host = std::string(300, 'h') + " x";
  event.id = "a b\xC3\xA4" + std::string(60, 'c');
  event.data_id = "x y=]\"";
  event.data.clear();
  event.text.clear();
  EXPECT_EQ(FormatSyslog(event), "<108>1 2023-11-14T22:13:20.007Z " + std::string(255, 'h') +
                                     " grantfs - a?b??" + std::string(27, 'c') + " [x?y???]");
}

TEST(SyslogFormatTest, ATextThatIsNotAsciiSaysSo) {
  SyslogEvent event;
  event.text = "\xC3\xA4";
  EXPECT_EQ(FormatSyslog(event), "<110>1 1970-01-01T00:00:00.000Z - grantfs - - - \xEF\xBB\xBF\xC3\xA4");
}

TEST(SyslogFormatTest, AFrameCountsBytes) {
  EXPECT_EQ(FrameByCount("<1>\xC3\xA4"), "5 <1>\xC3\xA4");
  EXPECT_EQ(FrameByCount(""), "0 ");
}

TEST(CefFormatTest, AnEventIsALine) {
  EXPECT_EQ(FormatCef({"1.0",
                       "secret.read",
                       "secret.read refused",
                       7,
                       {{"externalId", "41"}, {"reason", ""}, {"act", "x"}}}),
            "CEF:0|grantfs|grantfs|1.0|secret.read|secret.read refused|7|externalId=41 act=x");
}

TEST(CefFormatTest, AHostileNameStaysWithinItsField) {
  EXPECT_EQ(
      FormatCef({"1|0\\", "a\nb", "c\rd|", 3, {{"fname", "x=y\\z|\nCEF:0|\r\x01\xFF act=forged"}}}),
      "CEF:0|grantfs|grantfs|1\\|0\\\\|a b|c d\\||3|fname=x\\=y\\\\z|\\nCEF:0|\\r?\xEF\xBF\xBD act\\=forged");
}

}  // namespace
}  // namespace grantfs

#include "grantfs/log/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

namespace grantfs {
namespace {

using ::testing::MatchesRegex;

class LogTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ::unsetenv("JOURNAL_STREAM");
    ::testing::internal::CaptureStderr();
    StartLog(LogLevel::kInfo);
  }
  void TearDown() override { ::unsetenv("JOURNAL_STREAM"); }
  static std::string Written() { return ::testing::internal::GetCapturedStderr(); }
};

TEST_F(LogTest, WritesTimeLevelAndMessage) {
  Log(LogLevel::kWarning, "the vault does not answer");
  EXPECT_THAT(Written(), MatchesRegex("[0-9]+-[0-9]+-[0-9]+T[0-9]+:[0-9]+:[0-9]+\\.[0-9]+Z warning "
                                      "the vault does not answer\n"));
}

TEST_F(LogTest, AHostileNameForgesNeitherALineNorATerminalsCommand) {
  Log(LogLevel::kInfo, "read shop/x\n2026-01-31T12:00:00.000Z error forged\x1b[2J {} %s");
  const std::string written = Written();
  EXPECT_THAT(
      written,
      MatchesRegex(".* info read shop/x\\?2026-01-31T12:00:00.000Z error forged\\?\\[2J \\{\\} %s\n"));
}

TEST_F(LogTest, LeavesOutWhatIsBelowTheLevel) {
  Log(LogLevel::kDebug, "detail");
  EXPECT_EQ(Written(), "");
}

TEST_F(LogTest, CutsAnEndlessMessage) {
  Log(LogLevel::kError, std::string(3 * kMaxLogBytes, 'x'));
  const std::string written = Written();
  EXPECT_LT(written.size(), kMaxLogBytes + 64);
  EXPECT_THAT(written, ::testing::EndsWith("x...\n"));
}

TEST_F(LogTest, TellsAnErrorWithItsCode) {
  Log(LogLevel::kError, "could not start", Error{Code::kNoSpace, "the disk is full", 28, "/var/lib/x"});
  EXPECT_THAT(Written(),
              ::testing::EndsWith(
                  "could not start: /var/lib/x: the disk is full (No space left on device) [no-space]\n"));
}

TEST_F(LogTest, TheJournalGetsPrioritiesInsteadOfTimes) {
  struct stat info {};
  ASSERT_EQ(::fstat(STDERR_FILENO, &info), 0);
  const std::string stream = std::to_string(info.st_dev) + ":" + std::to_string(info.st_ino);
  ASSERT_EQ(::setenv("JOURNAL_STREAM", stream.c_str(), 1), 0);
  StartLog(LogLevel::kDebug);
  for (const LogLevel level : {LogLevel::kDebug, LogLevel::kInfo, LogLevel::kWarning, LogLevel::kError})
    Log(level, "m");
  EXPECT_EQ(Written(), "<7>m\n<6>m\n<4>m\n<3>m\n");
}

TEST_F(LogTest, AnInheritedJournalVariableDoesNotCount) {
  ASSERT_EQ(::setenv("JOURNAL_STREAM", "1:2", 1), 0);
  StartLog(LogLevel::kInfo);
  Log(LogLevel::kInfo, "m");
  EXPECT_THAT(Written(), MatchesRegex(".*Z info m\n"));
}

}  // namespace
}  // namespace grantfs

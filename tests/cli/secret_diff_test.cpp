#include <gtest/gtest.h>

#include <algorithm>

#include "cli/secret_diff_internal.h"

namespace grantfs {
namespace {

SecretValue Of(const std::string& text) {
  auto memory = *SecretMemory::Allocate(text.size());
  std::copy(text.begin(), text.end(), memory.Expose().begin());
  return SecretValue(std::move(memory));
}

/// "2-1+1": from line 2 of the first, so many lines gone and so many come; each piece.
std::string Diff(const std::string& first, const std::string& second) {
  std::string text;
  for (const DiffPiece& piece : DiffLines(Of(first), Of(second)))
    text += std::to_string(piece.first_at) + "-" + std::to_string(piece.first_lines) + " " +
            std::to_string(piece.second_at) + "+" + std::to_string(piece.second_lines) + ";";
  return text;
}

TEST(SecretDiffTest, SaysWhichLinesDiffer) {
  EXPECT_EQ(Diff("", ""), "");
  EXPECT_EQ(Diff("a\nb\n", "a\nb\n"), "");
  EXPECT_EQ(Diff("a\nb\nc\n", "a\nB\nc\n"), "2-1 2+1;");
  EXPECT_EQ(Diff("a\nc\n", "a\nb\nc\n"), "2-0 2+1;");
  EXPECT_EQ(Diff("a\nb\nc\n", "a\nc\n"), "2-1 2+0;");
  EXPECT_EQ(Diff("a\nb\nc\nd\ne\n", "A\nb\nc\nd\nE\n"), "1-1 1+1;5-1 5+1;");
  EXPECT_EQ(Diff("", "a"), "1-0 1+1;");
  EXPECT_EQ(Diff("a", ""), "1-1 1+0;");
}

TEST(SecretDiffTest, AMissingNewlineIsADifference) {
  EXPECT_EQ(Diff("a\nb\n", "a\nb"), "2-1 2+1;");
  EXPECT_EQ(Diff("a", "a\n"), "1-1 1+1;");
}

TEST(SecretDiffTest, RepeatedLinesAndBinaryAreTakenAsTheyAre) {
  EXPECT_EQ(Diff("x\nx\nx\n", "x\nx\n"), "3-1 3+0;");
  EXPECT_EQ(Diff(std::string("\0\n\xff", 3), std::string("\0\n\xfe", 3)), "2-1 2+1;");
}

TEST(SecretDiffTest, OfVeryManyLinesItNamesOnePiece) {
  std::string first, second;
  for (int i = 0; i < 3000; ++i) {
    first += "line " + std::to_string(i) + "\n";
    second += "line " + std::to_string(i % 1000 == 500 ? -i : i) + "\n";
  }
  EXPECT_EQ(Diff(first, second), "501-2001 501+2001;");
}

}  // namespace
}  // namespace grantfs

#include <gtest/gtest.h>

#include "cli/table_internal.h"

namespace grantfs {
namespace {

TEST(TableTest, AlignsColumnsAndEndsLinesWithoutSpaces) {
  Table table({"NAME", "N"});
  table.Add({"a", "1"});
  table.Add({"größer als", ""});
  EXPECT_EQ(table.Text(), "NAME        N\na           1\ngrößer als  -\n");
}

TEST(TableTest, WithoutHeader) {
  Table table;
  table.Add({"vault", "x"});
  table.Add({"a", "y"});
  EXPECT_EQ(table.Text(), "vault  x\na      y\n");
}

TEST(TableTest, HostileNamesCannotMoveTheCursor) {
  Table table;
  table.Add({"a\x1b[2Jb\nc", "\r"});
  EXPECT_EQ(table.Text(), "a?[2Jb?c  ?\n");
}

TEST(TableTest, Words) {
  EXPECT_EQ(JoinWords({}), "");
  EXPECT_EQ(JoinWords({"a"}), "a");
  EXPECT_EQ(JoinWords({"a", "b", "c"}), "a, b and c");
  EXPECT_EQ(Count(1, "secret"), "1 secret");
  EXPECT_EQ(Count(0, "secret"), "0 secrets");
  EXPECT_EQ(TimeCell(0), "");
}

}  // namespace
}  // namespace grantfs

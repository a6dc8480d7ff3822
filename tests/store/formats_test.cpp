#include <gmock/gmock.h>

#include "grantfs/tlog/leaf.h"
#include "grantfs/util/file.h"
#include "grantfs/util/text.h"
#include "store_fixture_internal.h"

namespace grantfs {
namespace {

class FormatsTest : public StoreTest {
 protected:
  void SetUp() override {
    StoreTest::SetUp();
    text_ = ToText(Get(ReadFile(std::string(GRANTFS_SOURCE_ROOT) + "/contrib/FORMATS.md", 1 << 20)));
  }
  /// The table's line in the document, "" if there is none.
  std::string LineOf(const std::string& table) const {
    const auto section = std::string_view(text_).substr(text_.find("\n## The database\n"));
    for (const std::string_view line : Split(section, '\n')) {
      if (line.starts_with("| `" + table + "` |")) return std::string(line);
    }
    return "";
  }

  std::string text_;
};

TEST_F(FormatsTest, EveryTableAndColumnIsDocumented) {
  Open();
  store_.reset();
  Database database = Get(Database::Open(DatabasePath(), {.mode = OpenMode::kReadOnly}));
  SqlStatement columns = Get(database.Prepare(
      "SELECT t.name, c.name FROM pragma_table_list AS t JOIN pragma_table_info(t.name) AS c "
      "WHERE t.schema = 'main' AND t.type = 'table' AND t.name NOT LIKE 'sqlite_%'"));
  int seen = 0;
  while (Get(columns.Step())) {
    EXPECT_THAT(LineOf(columns.Text(0)), ::testing::HasSubstr("`" + columns.Text(1) + "`"))
        << columns.Text(0);
    ++seen;
  }
  EXPECT_GT(seen, 100);
}

TEST_F(FormatsTest, TheLeafThatIsShownIsOne) {
  const std::string fence = "```audit-leaf\n";
  const auto at = text_.find(fence);
  ASSERT_NE(at, std::string::npos);
  const auto begin = at + fence.size();
  const auto leaf = ParseLeaf(AsBytes(text_.substr(begin, text_.find('\n', begin) - begin)));
  ASSERT_TRUE(leaf) << Describe(leaf.error());
  EXPECT_EQ(leaf->sequence, 41U);
  EXPECT_EQ(leaf->severity, AuditSeverity::kNotice);
}

}  // namespace
}  // namespace grantfs

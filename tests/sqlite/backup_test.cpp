#include <sys/stat.h>

#include <fstream>

#include "grantfs/sqlite/database.h"
#include "temp_dir_internal.h"

namespace grantfs {
namespace {

class BackupTest : public TempDirTest {
 protected:
  Database Make() {
    auto database = Database::Open(Path("db"));
    if (!database) std::abort();
    EXPECT_TRUE(database->Exec("CREATE TABLE t (id INTEGER PRIMARY KEY) STRICT; INSERT INTO t VALUES (42)"));
    EXPECT_TRUE(database->SetUserVersion(3));
    return std::move(*database);
  }
  std::ptrdiff_t Files() const { return std::distance(std::filesystem::directory_iterator(dir_), {}); }
};

TEST_F(BackupTest, IsAWholeDatabaseOfItsOwn) {
  Database database = Make();
  const auto done = database.BackupInto(Path("copy"));
  ASSERT_TRUE(done) << Describe(done.error());
  struct stat info {};
  ASSERT_EQ(::stat(Path("copy").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0600u);
  auto copy = Database::Open(Path("copy"), {.mode = OpenMode::kReadOnly});
  ASSERT_TRUE(copy) << Describe(copy.error());
  EXPECT_EQ(copy->UserVersion().value(), 3);
  EXPECT_TRUE(copy->IntegrityCheck());
  auto row = copy->Prepare("SELECT id FROM t");
  ASSERT_TRUE(row->Step().value());
  EXPECT_EQ(row->Int(0), 42);
}

TEST_F(BackupTest, ReplacesOnlyWhenTold) {
  Database database = Make();
  std::ofstream(Path("copy")) << "precious";
  const auto before = Files();
  EXPECT_EQ(database.BackupInto(Path("copy")).error().code, Code::kConflict);
  EXPECT_EQ(std::filesystem::file_size(Path("copy")), 8u);
  EXPECT_EQ(Files(), before) << "a temporary file was left";
  EXPECT_TRUE(database.BackupInto(Path("copy"), Database::Existing::kReplace));
  EXPECT_GT(std::filesystem::file_size(Path("copy")), 8u);
  EXPECT_EQ(Files(), before) << "a temporary file was left";
}

TEST_F(BackupTest, AFailureLeavesNothing) {
  Database database = Make();
  EXPECT_EQ(database.BackupInto(Path("no/such/copy")).error().code, Code::kNotFound);
  const auto before = Files();
  auto transaction = Transaction::Begin(database);
  ASSERT_TRUE(transaction);
  EXPECT_FALSE(database.BackupInto(Path("copy")));
  EXPECT_EQ(Files(), before) << "a temporary file was left";
}

}  // namespace
}  // namespace grantfs

#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "grantfs/sqlite/database.h"
#include "support/small_disk.h"
#include "temp_dir_internal.h"

namespace grantfs {
namespace {

class DatabaseFailureTest : public TempDirTest {
 protected:
  Database Make() {
    auto database = Database::Open(Path("db"));
    if (!database) std::abort();
    EXPECT_TRUE(
        database->Exec("CREATE TABLE parent (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;"
                       "CREATE TABLE child (parent INTEGER NOT NULL REFERENCES parent, body BLOB) STRICT;"));
    return std::move(*database);
  }
  void Overwrite(std::streamoff at, std::size_t size) {
    std::fstream file(Path("db"), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(at);
    file << std::string(size, '\x5A');
    ASSERT_TRUE(file.flush());
  }
};

TEST_F(DatabaseFailureTest, AMissingFileIsMadeOnlyWhereAskedFor) {
  EXPECT_EQ(Database::Open(Path("db"), {.mode = OpenMode::kReadOnly}).error().code, Code::kNotFound);
  EXPECT_EQ(Database::Open(Path("db"), {.mode = OpenMode::kReadWrite}).error().code, Code::kNotFound);
  EXPECT_FALSE(std::filesystem::exists(Path("db")));
  EXPECT_EQ(Database::Open(Path("no/such/db")).error().code, Code::kNotFound);
  const auto directory = Database::Open(dir_);
  ASSERT_FALSE(directory);
  EXPECT_EQ(directory.error().subject, dir_);
}

TEST_F(DatabaseFailureTest, ConstraintsAreConflictsThatNameNoValue) {
  Database database = Make();
  ASSERT_TRUE(database.Run("INSERT INTO parent VALUES (1, ?1)", "hush"));
  const auto twice = database.Run("INSERT INTO parent VALUES (2, ?1)", "hush");
  ASSERT_FALSE(twice);
  EXPECT_EQ(twice.error().code, Code::kConflict);
  EXPECT_EQ(twice.error().subject, Path("db"));
  EXPECT_EQ(database.Run("INSERT INTO child VALUES (7, NULL)").error().code, Code::kConflict)
      << "no such parent";
  EXPECT_EQ(database.Run("INSERT INTO child VALUES ('x', NULL)").error().code, Code::kConflict)
      << "not an integer";
  EXPECT_EQ(database.Run("INSERT INTO parent VALUES (3, NULL)").error().code, Code::kConflict) << "NOT NULL";
}

TEST_F(DatabaseFailureTest, AStatementWorksAgainAfterAFailure) {
  Database database = Make();
  auto insert = database.Prepare("INSERT INTO parent VALUES (?1, ?2)");
  ASSERT_TRUE(insert->BindAll(1, "a").Run());
  EXPECT_FALSE(insert->BindAll(1, "b").Run());
  EXPECT_TRUE(insert->BindAll(2, "b").Run());
}

TEST_F(DatabaseFailureTest, AReadOnlyConnectionWritesNothing) {
  Database database = Make();
  auto reader = Database::Open(Path("db"), {.mode = OpenMode::kReadOnly});
  ASSERT_TRUE(reader) << Describe(reader.error());
  EXPECT_EQ(reader->Run("INSERT INTO parent VALUES (1, 'a')").error().code, Code::kIo);
  EXPECT_TRUE(reader->Exec("SELECT * FROM parent"));
}

TEST_F(DatabaseFailureTest, ASecondWriterIsAConflictOnceItsPatienceEnds) {
  Database first = Make();
  auto second = Database::Open(Path("db"), {.busy_timeout = std::chrono::milliseconds(20)});
  ASSERT_TRUE(second);
  auto transaction = Transaction::Begin(first);
  ASSERT_TRUE(transaction);
  EXPECT_EQ(Transaction::Begin(*second).error().code, Code::kConflict);
  ASSERT_TRUE(transaction->Commit());
  EXPECT_TRUE(Transaction::Begin(*second));
}

TEST_F(DatabaseFailureTest, AFileOfSomethingElseIsRefused) {
  std::ofstream(Path("db")) << std::string(8192, 'x');
  const auto opened = Database::Open(Path("db"));
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Code::kIntegrity);
}

TEST_F(DatabaseFailureTest, ADamagedPageIsIntegrityForQueriesAndTheCheck) {
  {
    Database database = Make();
    ASSERT_TRUE(database.IntegrityCheck());
    for (int i = 0; i < 200; ++i) {
      ASSERT_TRUE(
          database.Run("INSERT INTO parent VALUES (?1, ?2)", i, std::to_string(i) + std::string(200, 'n')));
    }
    ASSERT_TRUE(database.Checkpoint());
  }
  const auto size = static_cast<std::streamoff>(std::filesystem::file_size(Path("db")));
  ASSERT_GT(size, 8 * 4096);
  for (std::streamoff at = 5 * 4096; at < size; at += 4096) Overwrite(at, 64);
  auto database = Database::Open(Path("db"));
  ASSERT_TRUE(database) << "the schema is whole";
  const auto checked = database->IntegrityCheck();
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().code, Code::kIntegrity);
  EXPECT_EQ(database->Exec("SELECT sum(length(name)) FROM parent NOT INDEXED").error().code,
            Code::kIntegrity);
}

TEST_F(DatabaseFailureTest, AnOrphanIsFoundByTheCheck) {
  Database database = Make();
  ASSERT_TRUE(database.Exec("PRAGMA foreign_keys=OFF; INSERT INTO child VALUES (7, NULL)"));
  EXPECT_EQ(database.IntegrityCheck().error().code, Code::kIntegrity);
}

TEST_F(DatabaseFailureTest, ABoundThatIsReachedIsNoSpaceAndRollsBack) {
  Database database = Make();
  ASSERT_TRUE(database.Exec("PRAGMA max_page_count=16"));
  ASSERT_TRUE(database.Run("INSERT INTO parent VALUES (1, 'a')"));
  {
    auto transaction = Transaction::Begin(database);
    ASSERT_TRUE(transaction);
    ASSERT_TRUE(database.Run("INSERT INTO child VALUES (1, NULL)"));
    EXPECT_EQ(database.Run("INSERT INTO child VALUES (1, ?1)", Bytes(1 << 20, 7)).error().code,
              Code::kNoSpace);
  }
  EXPECT_FALSE(database.InTransaction());
  auto count = database.Prepare("SELECT count(*) FROM child");
  ASSERT_TRUE(count->Step());
  EXPECT_EQ(count->Int(0), 0);
}

// Runs in a child. 0: as it should be; 77: no such disk here; else what went wrong.
int FillDisk() {
  if (!EnterSmallDisk("256k")) return 77;
  auto database = Database::Open("/db");
  if (!database || !database->Exec("CREATE TABLE t (body BLOB) STRICT")) return 1;
  if (!database->Run("INSERT INTO t VALUES (?1)", Bytes(1000, 1))) return 2;
  const auto full = database->Run("INSERT INTO t VALUES (?1)", Bytes(1 << 20, 2));
  if (full || full.error().code != Code::kNoSpace) return 3;
  auto count = database->Prepare("SELECT count(*) FROM t");
  if (!count || !count->Step() || count->Int(0) != 1) return 4;
  count->Reset();
  return database->Run("INSERT INTO t VALUES (?1)", Bytes(1000, 3)) ? 0 : 5;
}

TEST_F(DatabaseFailureTest, AFullDiskIsNoSpaceAndWhatWasThereStays) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) ::_exit(FillDisk());
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == 77) GTEST_SKIP() << "this kernel or user may not mount a small disk of its own";
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace grantfs

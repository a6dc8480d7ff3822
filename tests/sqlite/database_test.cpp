#include "grantfs/sqlite/database.h"

#include <sys/stat.h>

#include <thread>

#include "temp_dir_internal.h"

namespace grantfs {
namespace {

class DatabaseTest : public TempDirTest {
 protected:
  void SetUp() override {
    TempDirTest::SetUp();
    auto opened = Database::Open(Path("db"));
    ASSERT_TRUE(opened) << Describe(opened.error());
    database_.emplace(std::move(*opened));
    ASSERT_TRUE(database_->Exec("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, body BLOB) STRICT"));
  }
  void TearDown() override {
    database_.reset();
    TempDirTest::TearDown();
  }
  std::string Pragma(Sql sql) {
    auto statement = database_->Prepare(sql);
    EXPECT_TRUE(statement);
    EXPECT_TRUE(statement->Step());
    return statement->Text(0);
  }
  std::int64_t Count() {
    auto statement = database_->Prepare("SELECT count(*) FROM t");
    EXPECT_TRUE(statement && statement->Step());
    return statement->Int(0);
  }
  std::optional<Database> database_;
};

TEST_F(DatabaseTest, IsHardened) {
  EXPECT_EQ(Pragma("PRAGMA journal_mode"), "wal");
  EXPECT_EQ(Pragma("PRAGMA synchronous"), "2");
  EXPECT_EQ(Pragma("PRAGMA foreign_keys"), "1");
  EXPECT_EQ(Pragma("PRAGMA trusted_schema"), "0");
  EXPECT_EQ(Pragma("PRAGMA secure_delete"), "1");
  EXPECT_EQ(Pragma("PRAGMA cell_size_check"), "1");
  EXPECT_FALSE(database_->Exec("SELECT \"no such column\" FROM t")) << "a misspelt name read as text";
  EXPECT_FALSE(database_->Exec("PRAGMA writable_schema=ON; DELETE FROM sqlite_schema"));
}

TEST_F(DatabaseTest, NobodyElseMayReadTheFileOrItsLog) {
  ASSERT_TRUE(database_->Run("INSERT INTO t VALUES (1, 'a', NULL)"));
  for (const char* name : {"db", "db-wal", "db-shm"}) {
    struct stat info {};
    ASSERT_EQ(::stat(Path(name).c_str(), &info), 0) << name;
    EXPECT_EQ(info.st_mode & 07777, 0600u) << name;
  }
}

TEST_F(DatabaseTest, KeepsEveryKindOfValue) {
  const Bytes blob{0, 1, 255};
  const std::string text("a\0b", 3);
  ASSERT_TRUE(database_->Run("INSERT INTO t VALUES (?1, ?2, ?3)", INT64_MIN, text, blob));
  ASSERT_TRUE(database_->Run("INSERT INTO t VALUES (?1, ?2, ?3)", 2, "", Bytes{}));
  ASSERT_TRUE(database_->Run("INSERT INTO t VALUES (?1, ?2, ?3)", 3, nullptr, std::optional<Bytes>{}));
  auto rows = database_->Prepare("SELECT id, name, body FROM t ORDER BY id");
  ASSERT_TRUE(rows);
  ASSERT_TRUE(rows->Step().value());
  EXPECT_EQ(rows->Int(0), INT64_MIN);
  EXPECT_EQ(rows->Text(1), text);
  EXPECT_EQ(rows->Blob(2), blob);
  ASSERT_TRUE(rows->Step().value());
  EXPECT_FALSE(rows->IsNull(1)) << "empty text became NULL";
  EXPECT_FALSE(rows->IsNull(2)) << "an empty blob became NULL";
  ASSERT_TRUE(rows->Step().value());
  EXPECT_TRUE(rows->IsNull(1));
  EXPECT_TRUE(rows->IsNull(2));
  EXPECT_EQ(rows->Text(1), "");
  EXPECT_FALSE(rows->Step().value());
}

TEST_F(DatabaseTest, ABadBindIsToldByStep) {
  auto insert = database_->Prepare("INSERT INTO t VALUES (?1, 'a', NULL)");
  ASSERT_TRUE(insert);
  EXPECT_FALSE(insert->Bind(1, 1).Bind(2, "x").Step());
  EXPECT_EQ(Count(), 0);
  EXPECT_EQ(insert->Bind(1, std::string(17 << 20, 'x')).Step().error().code, Code::kInvalid);
}

TEST_F(DatabaseTest, AReturnedStatementForgetsWhatWasBound) {
  database_->Prepare("INSERT INTO t (name) VALUES (?1)").value().Bind(1, "secret");
  ASSERT_TRUE(database_->Prepare("INSERT INTO t (name) VALUES (?1)").value().Run());
  auto rows = database_->Prepare("SELECT count(*) FROM t WHERE name IS NULL");
  ASSERT_TRUE(rows->Step());
  EXPECT_EQ(rows->Int(0), 1);
}

TEST_F(DatabaseTest, OneTextMayBeInUseTwice) {
  for (int i = 1; i <= 3; ++i) ASSERT_TRUE(database_->Run("INSERT INTO t (id) VALUES (?1)", i));
  auto outer = database_->Prepare("SELECT id FROM t ORDER BY id");
  int pairs = 0;
  while (outer->Step().value()) {
    auto inner = database_->Prepare("SELECT id FROM t ORDER BY id");
    while (inner->Step().value()) ++pairs;
  }
  EXPECT_EQ(pairs, 9);
}

TEST_F(DatabaseTest, WrongSqlIsToldWithItsReason) {
  const auto wrong = database_->Prepare("SELECT x FROM nowhere");
  ASSERT_FALSE(wrong);
  EXPECT_NE(wrong.error().subject.find("nowhere"), std::string::npos) << wrong.error().subject;
  EXPECT_FALSE(database_->Prepare("SELECT 1; SELECT 2")) << "half of the text would be dropped in silence";
  EXPECT_FALSE(database_->Prepare(""));
}

TEST_F(DatabaseTest, ATransactionThatIsDroppedLeavesNothing) {
  {
    auto transaction = Transaction::Begin(*database_);
    ASSERT_TRUE(transaction);
    ASSERT_TRUE(database_->Run("INSERT INTO t (id) VALUES (1)"));
  }
  EXPECT_EQ(Count(), 0);
  auto transaction = Transaction::Begin(*database_);
  ASSERT_TRUE(database_->Run("INSERT INTO t (id) VALUES (1)"));
  ASSERT_TRUE(transaction->Commit());
  EXPECT_FALSE(database_->InTransaction());
  EXPECT_EQ(Count(), 1);
  EXPECT_EQ(database_->Changes(), 1);
  EXPECT_EQ(database_->LastInsertRowId(), 1);
}

TEST_F(DatabaseTest, ReadersSeeOneStateWhileAnotherThreadWrites) {
  auto reader = Database::Open(Path("db"), {.mode = OpenMode::kReadOnly});
  ASSERT_TRUE(reader);
  auto snapshot = Transaction::BeginRead(*reader);
  ASSERT_TRUE(snapshot);
  auto count = reader->Prepare("SELECT count(*) FROM t");
  ASSERT_TRUE(count->Step());
  EXPECT_EQ(count->Int(0), 0);
  count->Reset();
  std::thread writer([&] { EXPECT_TRUE(database_->Run("INSERT INTO t (id) VALUES (1)")); });
  writer.join();
  ASSERT_TRUE(count->Step());
  EXPECT_EQ(count->Int(0), 0) << "the snapshot moved";
  count->Reset();
  ASSERT_TRUE(snapshot->Commit());
  ASSERT_TRUE(count->Step());
  EXPECT_EQ(count->Int(0), 1);
}

TEST_F(DatabaseTest, ACheckpointEmptiesTheLog) {
  ASSERT_TRUE(database_->Run("INSERT INTO t (id) VALUES (1)"));
  ASSERT_GT(std::filesystem::file_size(Path("db-wal")), 0u);
  ASSERT_TRUE(database_->Checkpoint());
  EXPECT_EQ(std::filesystem::file_size(Path("db-wal")), 0u);
}

TEST_F(DatabaseTest, AnImmutableFileIsReadAloneAndLeftAlone) {
  ASSERT_TRUE(database_->Run("INSERT INTO t (id) VALUES (1)"));
  ASSERT_TRUE(database_->Checkpoint());
  ASSERT_TRUE(database_->Run("INSERT INTO t (id) VALUES (2)"));
  std::filesystem::create_directory(Path("copies"));
  const std::string copy = Path("copies/a?immutable=0&b#c%41 d.db");
  std::filesystem::copy_file(Path("db"), copy);
  auto opened = Database::Open(copy, {.mode = OpenMode::kImmutable});
  ASSERT_TRUE(opened) << Describe(opened.error());
  auto count = opened->Prepare("SELECT count(*) FROM t");
  ASSERT_TRUE(count->Step().value());
  EXPECT_EQ(count->Int(0), 1) << "its log was not copied";
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(Path("copies")), {}), 1);
  EXPECT_FALSE(opened->Run("INSERT INTO t (id) VALUES (3)"));
  EXPECT_EQ(Database::Open(Path("none"), {.mode = OpenMode::kImmutable}).error().code, Code::kNotFound);
}

TEST_F(DatabaseTest, MovesWithItsStatements) {
  auto statement = database_->Prepare("SELECT count(*) FROM t");
  Database moved = std::move(*database_);
  SqlStatement other = std::move(*statement);
  EXPECT_TRUE(other.Step().value());
  EXPECT_EQ(moved.path(), Path("db"));
}

}  // namespace
}  // namespace grantfs

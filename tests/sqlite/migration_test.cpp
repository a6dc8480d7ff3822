#include "grantfs/sqlite/migration.h"

#include <gmock/gmock.h>

#include "temp_dir_internal.h"

namespace grantfs {
namespace {

constexpr int kApplication = 0x67667474;
constexpr Migration kOne[] = {{1, "CREATE TABLE a (x INTEGER NOT NULL) STRICT"}};
constexpr Migration kTwo[] = {{1, "CREATE TABLE a (x INTEGER NOT NULL) STRICT"},
                              {2, "CREATE TABLE b (y INTEGER) STRICT; INSERT INTO b SELECT x + 1 FROM a"}};
constexpr Migration kBroken[] = {{1, "CREATE TABLE a (x INTEGER NOT NULL) STRICT"},
                                 {2, "CREATE TABLE b (y INTEGER) STRICT; INSERT INTO a VALUES (NULL)"}};

class MigrationTest : public TempDirTest {
 protected:
  Database Open() {
    auto database = Database::Open(Path("db"));
    if (!database) std::abort();
    return std::move(*database);
  }
  bool HasBackup(int schema) const {
    return std::filesystem::exists(Path("db.schema-" + std::to_string(schema) + ".bak"));
  }
};

TEST_F(MigrationTest, ANewDatabaseGetsEveryStepAndNoBackup) {
  Database database = Open();
  const auto done = Migrate(database, kApplication, kTwo);
  ASSERT_TRUE(done) << Describe(done.error());
  EXPECT_EQ(database.UserVersion().value(), 2);
  EXPECT_EQ(database.ApplicationId().value(), kApplication);
  EXPECT_TRUE(database.Exec("SELECT y FROM b"));
  EXPECT_FALSE(HasBackup(0));
}

TEST_F(MigrationTest, AnOlderOneIsCopiedAndBroughtForward) {
  {
    Database database = Open();
    ASSERT_TRUE(Migrate(database, kApplication, kOne));
    ASSERT_TRUE(database.Run("INSERT INTO a VALUES (41)"));
  }
  Database database = Open();
  ASSERT_TRUE(Migrate(database, kApplication, kTwo));
  auto row = database.Prepare("SELECT y FROM b");
  ASSERT_TRUE(row->Step().value());
  EXPECT_EQ(row->Int(0), 42);
  ASSERT_TRUE(HasBackup(1));
  auto copy = Database::Open(Path("db.schema-1.bak"), {.mode = OpenMode::kReadOnly});
  ASSERT_TRUE(copy);
  EXPECT_EQ(copy->UserVersion().value(), 1);
  EXPECT_TRUE(copy->Exec("SELECT x FROM a"));
}

TEST_F(MigrationTest, TheNewestIsLeftAlone) {
  Database database = Open();
  ASSERT_TRUE(Migrate(database, kApplication, kTwo));
  ASSERT_TRUE(Migrate(database, kApplication, kTwo));
  EXPECT_FALSE(HasBackup(2));
}

TEST_F(MigrationTest, AStepThatFailsLeavesTheSchemaBefore) {
  Database database = Open();
  EXPECT_EQ(Migrate(database, kApplication, kBroken).error().code, Code::kConflict);
  EXPECT_EQ(database.UserVersion().value(), 1);
  EXPECT_FALSE(database.Exec("SELECT y FROM b")) << "half a step was committed";
  ASSERT_TRUE(Migrate(database, kApplication, kTwo)) << "the mended program goes on from there";
  EXPECT_TRUE(HasBackup(1));
}

TEST_F(MigrationTest, ANewerSchemaIsRefusedNamingBothNumbers) {
  Database database = Open();
  ASSERT_TRUE(Migrate(database, kApplication, kTwo));
  ASSERT_TRUE(database.SetUserVersion(7));
  const auto refused = Migrate(database, kApplication, kTwo);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kUnsupported);
  EXPECT_THAT(Describe(refused.error()),
              ::testing::HasSubstr("has schema 7, this grantfs knows none above 2: upgrade"));
}

TEST_F(MigrationTest, AnotherProgramsDatabaseIsRefusedUntouched) {
  Database database = Open();
  ASSERT_TRUE(database.Exec("CREATE TABLE bookmarks (x INTEGER) STRICT"));
  EXPECT_EQ(Migrate(database, kApplication, kTwo).error().code, Code::kInvalid);
  ASSERT_TRUE(database.SetApplicationId(5));
  EXPECT_EQ(Migrate(database, kApplication, kTwo).error().code, Code::kInvalid);
  EXPECT_FALSE(database.Exec("SELECT x FROM a"));
}

TEST_F(MigrationTest, ANegativeNumberIsDamage) {
  Database database = Open();
  ASSERT_TRUE(Migrate(database, kApplication, kOne));
  ASSERT_TRUE(database.SetUserVersion(-1));
  EXPECT_EQ(Migrate(database, kApplication, kTwo).error().code, Code::kIntegrity);
}

}  // namespace
}  // namespace grantfs

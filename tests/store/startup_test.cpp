#include <gmock/gmock.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "grantfs/store/audit_verify.h"
#include "store_fixture_internal.h"

namespace grantfs {
namespace {

using ::testing::HasSubstr;

class StartupTest : public StoreTest {
 protected:
  Error Refusal() {
    auto opened = OpenEmbeddedStore({.directory = dir_});
    if (!opened) return opened.error();
    ADD_FAILURE() << "was opened";
    return {};
  }
  void DamagePage(Sql number) {
    std::int64_t page = 0;
    {
      Database database = Get(Database::Open(DatabasePath()));
      SqlStatement found = Get(database.Prepare(number));
      ASSERT_TRUE(Get(found.Step()));
      page = found.Int(0);
    }
    std::fstream file(DatabasePath(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp((page - 1) * 4096);
    file << std::string(64, '\x5A');
  }
  mode_t Mode(const std::string& path) {
    struct stat found {};
    EXPECT_EQ(::stat(path.c_str(), &found), 0) << path;
    return found.st_mode & 07777;
  }
};

TEST_F(StartupTest, TheDirectoryAndItsFilesAreTheServersAlone) {
  dir_ += "/a/b";
  OpenServing();
  Record(1);
  EXPECT_EQ(Mode(dir_), 0700U);
  for (const auto& entry : std::filesystem::directory_iterator(dir_)) {
    EXPECT_EQ(Mode(entry.path()), 0600U) << entry.path();
  }
  store_.reset();
  EXPECT_FALSE(std::filesystem::exists(DatabasePath() + "-wal")) << "closed, it is one file";
  dir_.resize(dir_.size() - 4);
}

TEST_F(StartupTest, ADirectoryThatOthersMayEnterIsRefused) {
  ASSERT_EQ(::chmod(dir_.c_str(), 0755), 0);
  const Error refused = Refusal();
  EXPECT_EQ(refused.code, Code::kDenied);
  EXPECT_THAT(Describe(refused), HasSubstr("chmod 700"));
  EXPECT_FALSE(std::filesystem::exists(DatabasePath()));
}

TEST_F(StartupTest, AnotherUsersDirectoryIsRefused) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a directory away";
  ASSERT_EQ(::chown(dir_.c_str(), 12345, 12345), 0);
  EXPECT_EQ(Refusal().code, Code::kDenied);
}

TEST_F(StartupTest, ASecondServerIsRefusedByName) {
  Open();
  const Error refused = Refusal();
  EXPECT_EQ(refused.code, Code::kConflict);
  EXPECT_THAT(Describe(refused), HasSubstr(DatabasePath() + " (process " + std::to_string(::getpid()) + ")"));
  Must([](StoreWriter& out) -> Status {
    GRANTFS_TRY(out.NextChange());
    return {};
  });
  Reopen();
}

TEST_F(StartupTest, AnotherProcessesServerIsRefusedToo) {
  Open();
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const auto opened = OpenEmbeddedStore({.directory = dir_});
    ::_exit(!opened && opened.error().code == Code::kConflict ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST_F(StartupTest, ANewerSchemaIsRefused) {
  OpenServing();
  store_.reset();
  ASSERT_TRUE(Get(Database::Open(DatabasePath())).SetUserVersion(6));
  const Error refused = Refusal();
  EXPECT_EQ(refused.code, Code::kUnsupported);
  EXPECT_THAT(Describe(refused), HasSubstr("has schema 6, this grantfs knows none above 5: upgrade grantfs"));
}

TEST_F(StartupTest, AnotherProgramsDatabaseIsRefused) {
  ASSERT_TRUE(Get(Database::Open(DatabasePath())).Exec("CREATE TABLE t (x TEXT) STRICT"));
  EXPECT_EQ(Refusal().code, Code::kInvalid);
}

TEST_F(StartupTest, ADamagedDatabaseIsRefused) {
  OpenServing();
  store_.reset();
  // One that nothing reads at the start but the check itself.
  DamagePage("SELECT rootpage FROM sqlite_schema WHERE name = 'statements'");
  const Error refused = Refusal();
  EXPECT_EQ(refused.code, Code::kIntegrity);
  EXPECT_THAT(Describe(refused), HasSubstr("restore a backup"));
}

// Whoever has ten million records would wait for minutes: what is damaged is met by who reads it.
TEST_F(StartupTest, ADamagedRecordKeepsNoVaultFromServing) {
  OpenServing();
  Record(500);
  store_.reset();
  DamagePage("SELECT pageno FROM dbstat WHERE name = 'audit_bodies' AND pagetype = 'leaf' LIMIT 1 OFFSET 3");
  Open();
  Record(1);
  store_.reset();
  const auto verified = OpenAuditDatabase(DatabasePath());
  ASSERT_FALSE(verified);
  EXPECT_EQ(verified.error().code, Code::kIntegrity);
}

TEST_F(StartupTest, AFileThatIsNoDatabaseIsRefused) {
  std::ofstream(DatabasePath()) << std::string(8192, 'x');
  EXPECT_EQ(Refusal().code, Code::kIntegrity);
}

TEST_F(StartupTest, ALogThatItsCheckpointContradictsIsRefused) {
  OpenServing();
  Record(5);
  store_.reset();
  const auto tamper = [&](Sql sql) {
    Database database = Get(Database::Open(DatabasePath()));
    ASSERT_TRUE(database.Exec(sql));
  };
  tamper("PRAGMA foreign_keys=OFF; DELETE FROM audit_leaves WHERE sequence = 4");
  const Error refused = Refusal();
  EXPECT_EQ(refused.code, Code::kIntegrity);
  EXPECT_THAT(Describe(refused), HasSubstr("audit verify --database"));
  tamper("INSERT INTO audit_leaves SELECT 4, leaf, hash FROM audit_leaves WHERE sequence = 3");
  Open();
  store_.reset();
  tamper("UPDATE audit_tree SET edge = zeroblob(length(edge))");
  EXPECT_EQ(Refusal().code, Code::kIntegrity);
}

TEST_F(StartupTest, ABackupIsAVaultOfItsOwn) {
  OpenServing();
  Record(5);
  const std::string path = Path("backup.db");
  const Status done = store_->Backup(path);
  ASSERT_TRUE(done) << Describe(done.error());
  EXPECT_EQ(Mode(path), 0600U);
  EXPECT_EQ(store_->Backup(path).error().code, Code::kConflict);
  Record(1, 5);
  store_.reset();
  std::filesystem::rename(path, DatabasePath());
  Open();
  EXPECT_EQ(Get(Reader()->AuditSize()), 5U);
  EXPECT_TRUE(Get(Reader()->Server()));
  Record(1, 5);
}

}  // namespace
}  // namespace grantfs

#include "grantfs/sqlite/database.h"

#include <string>
#include <utility>

#include "connection_internal.h"

namespace grantfs {

Database::Database(std::unique_ptr<SqlConnection> connection) : connection_(std::move(connection)) {}
Database::Database(Database&&) noexcept = default;
Database& Database::operator=(Database&&) noexcept = default;
Database::~Database() = default;

Result<Database> Database::Open(const std::string& path, const DatabaseOptions& options) {
  auto connection = std::make_unique<SqlConnection>(path);
  GRANTFS_CHECK(connection->Open(options));
  return Database(std::move(connection));
}

const std::string& Database::path() const { return connection_->path(); }

Status Database::Exec(Sql sql) { return connection_->Exec(sql.text()); }

Result<SqlStatement> Database::Prepare(Sql sql) {
  sqlite3_stmt* const statement = GRANTFS_TRY(connection_->Take(sql.text()));
  return SqlStatement(connection_.get(), statement, sql.text());
}

std::int64_t Database::Changes() const { return sqlite3_changes64(connection_->handle()); }
std::int64_t Database::LastInsertRowId() const { return sqlite3_last_insert_rowid(connection_->handle()); }
bool Database::InTransaction() const { return sqlite3_get_autocommit(connection_->handle()) == 0; }

Result<int> Database::UserVersion() {
  SqlStatement statement = GRANTFS_TRY(Prepare("PRAGMA user_version"));
  GRANTFS_TRY(statement.Step());
  return static_cast<int>(statement.Int(0));
}

Status Database::SetUserVersion(int version) {
  return connection_->Exec(("PRAGMA user_version=" + std::to_string(version)).c_str());
}

Result<int> Database::ApplicationId() {
  SqlStatement statement = GRANTFS_TRY(Prepare("PRAGMA application_id"));
  GRANTFS_TRY(statement.Step());
  return static_cast<int>(statement.Int(0));
}

Status Database::SetApplicationId(int id) {
  return connection_->Exec(("PRAGMA application_id=" + std::to_string(id)).c_str());
}

Status Database::IntegrityCheck() {
  const auto damaged = [&](const std::string& what) {
    return Error{Code::kIntegrity, "the database is damaged: restore a backup", 0,
                 path() + " (" + what + ")"};
  };
  {
    SqlStatement check = GRANTFS_TRY(Prepare("PRAGMA integrity_check(1)"));
    if (GRANTFS_TRY(check.Step()) && check.Text(0) != "ok") return damaged(check.Text(0));
  }
  SqlStatement references = GRANTFS_TRY(Prepare("PRAGMA foreign_key_check"));
  if (GRANTFS_TRY(references.Step())) return damaged("a row of " + references.Text(0) + " refers to none");
  return {};
}

Result<Bytes> Database::Image() {
  sqlite3_int64 size = 0;
  unsigned char* const image = sqlite3_serialize(connection_->handle(), "main", &size, 0);
  if (image == nullptr) return Error{Code::kIo, "could not read the database", 0, path()};
  Bytes copy(image, image + size);
  sqlite3_free(image);
  return copy;
}

Status Database::Checkpoint() { return Exec("PRAGMA wal_checkpoint(TRUNCATE)"); }

Result<bool> Database::EmptyLog(std::chrono::milliseconds patience) {
  const auto wait = [&](std::chrono::milliseconds time) {
    sqlite3_busy_timeout(connection_->handle(), static_cast<int>(time.count()));
  };
  SqlStatement checkpoint = GRANTFS_TRY(Prepare("PRAGMA wal_checkpoint(TRUNCATE)"));
  wait(patience);
  const auto done = checkpoint.Step();
  wait(connection_->busy_timeout());
  if (!done) return done.error();
  return *done && checkpoint.Int(0) == 0;
}

Result<Transaction> Transaction::Begin(Database& database) {
  GRANTFS_CHECK(database.Run("BEGIN IMMEDIATE"));
  return Transaction(&database);
}

Result<Transaction> Transaction::BeginRead(Database& database) {
  GRANTFS_CHECK(database.Run("BEGIN"));
  return Transaction(&database);
}

// SQLite itself rolls back after some failures (a full disk), hence the question. A rollback that fails
// leaves nothing to be done here: whatever was not committed is gone when the connection is.
Transaction::~Transaction() {
  if (database_ != nullptr && database_->InTransaction()) (void)database_->Run("ROLLBACK");
}

Status Transaction::Commit() {
  GRANTFS_CHECK(database_->Run("COMMIT"));
  database_ = nullptr;
  return {};
}

}  // namespace grantfs

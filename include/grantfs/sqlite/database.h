#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "grantfs/util/bytes.h"
#include "grantfs/util/result.h"

struct sqlite3_stmt;

namespace grantfs {

/// The text of a statement: a literal of the program, never put together at run time. So nothing that came
/// from outside can stand in it; values are bound.
class Sql {
 public:
  consteval Sql(const char* text) : text_(text) {}  // NOLINT: implicit by design
  const char* text() const { return text_; }

 private:
  const char* text_;
};

enum class OpenMode {
  kCreate,     ///< read and write; a missing file is made, 0600
  kReadWrite,  ///< a missing file is kNotFound
  kReadOnly,   ///< the same, and nothing is written to it
  kImmutable,  ///< a file that nobody changes meanwhile: without locks, its write-ahead log is not looked at,
               ///< and nothing is made beside it
};

struct DatabaseOptions {
  OpenMode mode = OpenMode::kCreate;
  std::chrono::milliseconds busy_timeout{5000};  ///< how long to wait for a lock of another connection
  bool wal = true;                               ///< write-ahead log; ignored unless it may be written
  bool secure_delete = true;                     ///< deleted content is overwritten with zeros
};

class SqlConnection;

/// A prepared statement, borrowed from its database's cache: going out of scope resets it, forgets what was
/// bound and returns it. Must not outlive the database. Move-only. Threads: as its database.
class SqlStatement {
 public:
  SqlStatement(SqlStatement&& other) noexcept;
  SqlStatement& operator=(SqlStatement&& other) noexcept;
  SqlStatement(const SqlStatement&) = delete;
  SqlStatement& operator=(const SqlStatement&) = delete;
  ~SqlStatement();

  /// Binds parameter `index` (from 1); the value is copied. A failure (no such parameter, too large) is told
  /// by Step.
  SqlStatement& Bind(int index, std::int64_t value);
  SqlStatement& Bind(int index, std::string_view text);
  SqlStatement& Bind(int index, const char* text) { return Bind(index, std::string_view(text)); }
  SqlStatement& Bind(int index, ByteView blob);
  SqlStatement& Bind(int index, std::nullptr_t);  ///< NULL
  template <typename T>
  SqlStatement& Bind(int index, const std::optional<T>& value) {
    return value ? Bind(index, *value) : Bind(index, nullptr);
  }
  /// Binds parameters 1, 2, ... in order.
  template <typename... Values>
  SqlStatement& BindAll(const Values&... values) {
    int index = 0;
    (Bind(++index, values), ...);
    return *this;
  }

  /// True: a row can be read. False: done. After an error the statement is reset.
  /// Errors: kNoSpace, kIntegrity, kConflict (locked; a constraint), kInvalid (a value too large), kIo.
  Result<bool> Step();
  /// Steps to the end and forgets the rows. Errors: as Step.
  Status Run();

  /// Columns (from 0) of the row, copied out. NULL reads as 0, "" and no bytes.
  std::int64_t Int(int column) const;
  std::string Text(int column) const;
  Bytes Blob(int column) const;
  bool IsNull(int column) const;

  /// Ready to be bound and stepped anew; what was bound is forgotten.
  void Reset();

 private:
  friend class Database;
  SqlStatement(SqlConnection* connection, sqlite3_stmt* statement, const char* text)
      : connection_(connection), statement_(statement), text_(text) {}
  void Return();
  SqlStatement& Note(int code);

  SqlConnection* connection_ = nullptr;
  sqlite3_stmt* statement_ = nullptr;
  const char* text_ = nullptr;
  int bind_failure_ = 0;
};

/// One connection to one SQLite database, hardened: synchronous=FULL, foreign_keys, trusted_schema=OFF,
/// defensive, cell_size_check, no double-quoted strings, bounded lengths. The `subject` of its errors is the
/// path, never a value. Move-only. Threads: one at a time; give each thread a connection of its own. The
/// journal's WAL may be checkpointed by this connection only: let one connection do all the writing.
class Database {
 public:
  /// Errors: kNotFound, kIntegrity (damaged, or no database), kConflict (locked), kNoSpace, kIo (also where
  /// the file system cannot hold a write-ahead log).
  static Result<Database> Open(const std::string& path, const DatabaseOptions& options = {});
  Database(Database&&) noexcept;
  Database& operator=(Database&&) noexcept;
  ~Database();

  const std::string& path() const;

  /// Runs one or more statements without parameters; rows are dropped. Errors: as SqlStatement::Step.
  Status Exec(Sql sql);
  /// One statement, from the cache if it was prepared before. Errors: kIo (wrong SQL, say what), and as Step.
  Result<SqlStatement> Prepare(Sql sql);
  /// Prepares, binds in order and runs to the end.
  template <typename... Values>
  Status Run(Sql sql, const Values&... values) {
    SqlStatement statement = GRANTFS_TRY(Prepare(sql));
    return statement.BindAll(values...).Run();
  }

  /// Rows that the last INSERT, UPDATE or DELETE touched.
  std::int64_t Changes() const;
  std::int64_t LastInsertRowId() const;
  bool InTransaction() const;

  /// The schema's number. Errors: as Step.
  Result<int> UserVersion();
  Status SetUserVersion(int version);
  /// The program's mark in the file's header. Errors: as Step.
  Result<int> ApplicationId();
  Status SetApplicationId(int id);

  /// Reads the whole file: structure, indexes, foreign keys. Does not see a flipped bit within a blob.
  /// Errors: kIntegrity (the subject says the first thing that is wrong), and as Step.
  Status IntegrityCheck();
  /// The whole file as it is now, as one that is opened anew. Errors: kIo.
  Result<Bytes> Image();

  enum class Existing { kRefuse, kReplace };
  /// Writes a compact copy to `path`, 0600: a temporary file beside it, fsync, rename, fsync of the
  /// directory. Not within a transaction. Errors: kConflict (something is there already), kNoSpace, those of
  /// `check`, and as Step.
  /// @param check  looks at the copy before it has its name; with an error of it there is none.
  Status BackupInto(const std::string& path, Existing existing = Existing::kRefuse,
                    const std::function<Status(const std::string& copy)>& check = nullptr);

  /// Moves the write-ahead log into the file and empties it, as far as readers let it. Errors: as Step.
  Status Checkpoint();
  /// The same, waiting so long for readers. @return whether the log is empty now.
  Result<bool> EmptyLog(std::chrono::milliseconds patience);

 private:
  explicit Database(std::unique_ptr<SqlConnection> connection);
  std::unique_ptr<SqlConnection> connection_;
};

/// A transaction: committed by Commit, otherwise rolled back when it goes out of scope. Must not outlive the
/// database, and transactions do not nest. Threads: as its database.
class Transaction {
 public:
  /// BEGIN IMMEDIATE: takes the writer's lock at once. Errors: kConflict (another connection writes), kIo.
  static Result<Transaction> Begin(Database& database);
  /// BEGIN: what is read from here on is one state of the database. Errors: kIo.
  static Result<Transaction> BeginRead(Database& database);
  Transaction(Transaction&& other) noexcept : database_(std::exchange(other.database_, nullptr)) {}
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();

  /// Durable when it returns. After an error nothing was committed. Errors: as SqlStatement::Step.
  Status Commit();

 private:
  explicit Transaction(Database* database) : database_(database) {}
  Database* database_;
};

}  // namespace grantfs

#pragma once

#include <sqlite3.h>

#include <chrono>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "grantfs/sqlite/database.h"

namespace grantfs {

/// The connection behind a Database: its handle, and the prepared statements that nobody uses at the moment.
class SqlConnection {
 public:
  explicit SqlConnection(std::string path) : path_(std::move(path)) {}
  SqlConnection(const SqlConnection&) = delete;
  SqlConnection& operator=(const SqlConnection&) = delete;
  ~SqlConnection();

  Status Open(const DatabaseOptions& options);
  sqlite3* handle() const { return handle_; }
  const std::string& path() const { return path_; }
  std::chrono::milliseconds busy_timeout() const { return busy_timeout_; }

  /// Runs SQL that the module itself put together from numbers and literals.
  Status Exec(const char* sql);
  Result<sqlite3_stmt*> Take(const char* text);
  void Return(const char* text, sqlite3_stmt* statement);

  /// What SQLite's last failure on this connection means.
  Error Failure(int code) const;

 private:
  Status Harden(const DatabaseOptions& options);
  Status UseWal();
  Status MakeFile();

  std::string path_;
  std::chrono::milliseconds busy_timeout_{};
  sqlite3* handle_ = nullptr;
  std::map<std::string_view, std::vector<sqlite3_stmt*>> idle_;
};

}  // namespace grantfs

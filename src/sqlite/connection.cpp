#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

#include "connection_internal.h"
#include "grantfs/util/unique_fd.h"

namespace grantfs {
namespace {

// The largest text or blob that the database may hold or return: a request's bound with room for its record.
constexpr int kMaxLength = 16 << 20;
constexpr int kMaxSqlLength = 1 << 20;

struct Meaning {
  Code code;
  const char* where;
};

Meaning ConstraintMeaning(int extended) {
  switch (extended) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_ROWID:
      return {Code::kConflict, "such a row exists already"};
    case SQLITE_CONSTRAINT_FOREIGNKEY:
      return {Code::kConflict, "a row refers to one that does not exist"};
    default:
      return {Code::kConflict, "a rule of the database's schema forbids it"};
  }
}

Meaning MeaningOf(int extended, int system_error) {
  switch (extended & 0xFF) {
    case SQLITE_FULL:
      return {Code::kNoSpace, "the disk is full, or the database's bound is reached"};
    case SQLITE_CORRUPT:
      return {Code::kIntegrity, "the database is damaged: restore a backup"};
    case SQLITE_NOTADB:
      return {Code::kIntegrity, "the file is damaged or no database: restore a backup"};
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {Code::kConflict, "the database is locked by another program or connection"};
    case SQLITE_CONSTRAINT:
      return ConstraintMeaning(extended);
    case SQLITE_TOOBIG:
      return {Code::kInvalid, "a value is larger than the database takes"};
    case SQLITE_READONLY:
      return {Code::kIo, "the database may only be read: make its file, directory and filesystem writable"};
    case SQLITE_CANTOPEN:
      return {system_error == ENOENT ? Code::kNotFound : Code::kIo, "could not open the database"};
    case SQLITE_IOERR:
      if (system_error == ENOSPC || system_error == EDQUOT) return {Code::kNoSpace, "the disk is full"};
      return {Code::kIo, "could not read or write the database"};
    case SQLITE_NOMEM:
      return {Code::kIo, "the database found no memory"};
    default:
      return {Code::kIo, "the database refused the statement"};
  }
}

bool IsReadOnly(OpenMode mode) { return mode == OpenMode::kReadOnly || mode == OpenMode::kImmutable; }

// No other way leads to this mode. Whatever a URI could take for its own is escaped.
std::string ImmutableUri(const std::string& path) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string uri = "file:";
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '/' || c == '.' || c == '_' || c == '-';
    if (plain) {
      uri += c;
    } else {
      uri.append({'%', kDigits[byte >> 4], kDigits[byte & 15]});
    }
  }
  return uri + "?immutable=1";
}

constexpr std::string_view kDescriptors = "/proc/self/fd/";

// A path below a directory that this process has open and may not come to from the root: SQLite would follow
// the link and name the files by where it leads.
int KeepPath(sqlite3_vfs*, const char* path, int size, char* out) {
  const std::string_view text = path;
  if (text.size() >= static_cast<std::size_t>(size)) return SQLITE_CANTOPEN;
  out[text.copy(out, text.size())] = 0;
  return SQLITE_OK;
}

const char* DescriptorVfs() {
  static sqlite3_vfs vfs = [] {
    sqlite3_vfs own = *sqlite3_vfs_find(nullptr);
    own.pNext = nullptr;
    own.zName = "grantfs-descriptor";
    own.xFullPathname = KeepPath;
    return own;
  }();
  static const int registered = sqlite3_vfs_register(&vfs, 0);
  return registered == SQLITE_OK ? vfs.zName : nullptr;
}

bool HasSystemError(int extended) {
  const int primary = extended & 0xFF;
  return primary == SQLITE_CANTOPEN || primary == SQLITE_IOERR;
}

}  // namespace

SqlConnection::~SqlConnection() {
  for (const auto& [text, statements] : idle_) {
    for (sqlite3_stmt* statement : statements) sqlite3_finalize(statement);
  }
  sqlite3_close_v2(handle_);
}

Error SqlConnection::Failure(int code) const {
  const int system_error = handle_ != nullptr && HasSystemError(code) ? sqlite3_system_errno(handle_) : 0;
  const Meaning meaning = MeaningOf(code, system_error);
  return Error{meaning.code, meaning.where, system_error, path_};
}

// SQLite would make it readable to others. Only a file that is new is touched: closing a descriptor of one
// that another connection of this process has open would drop that one's locks.
Status SqlConnection::MakeFile() {
  const UniqueFd fd(::open(path_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (fd || errno == EEXIST) return {};
  const Code code = errno == ENOSPC || errno == EDQUOT ? Code::kNoSpace
                    : errno == ENOENT                  ? Code::kNotFound
                                                       : Code::kIo;
  return Error{code, "could not make the database", errno, path_};
}

Status SqlConnection::Open(const DatabaseOptions& options) {
  if (options.mode == OpenMode::kCreate) GRANTFS_CHECK(MakeFile());
  const int access = IsReadOnly(options.mode) ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
  const bool immutable = options.mode == OpenMode::kImmutable;
  const std::string name = immutable ? ImmutableUri(path_) : path_;
  const int flags = access | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE | (immutable ? SQLITE_OPEN_URI : 0);
  const bool by_descriptor = path_.starts_with(kDescriptors);
  const int code = sqlite3_open_v2(name.c_str(), &handle_, flags, by_descriptor ? DescriptorVfs() : nullptr);
  if (code != SQLITE_OK) return Failure(code);
  return Harden(options);
}

Status SqlConnection::Harden(const DatabaseOptions& options) {
  busy_timeout_ = options.busy_timeout;
  sqlite3_busy_timeout(handle_, static_cast<int>(busy_timeout_.count()));
  sqlite3_limit(handle_, SQLITE_LIMIT_LENGTH, kMaxLength);
  sqlite3_limit(handle_, SQLITE_LIMIT_SQL_LENGTH, kMaxSqlLength);
  const std::pair<int, int> switches[] = {
      {SQLITE_DBCONFIG_DEFENSIVE, 1},   {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
      {SQLITE_DBCONFIG_ENABLE_FKEY, 1}, {SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
      {SQLITE_DBCONFIG_DQS_DDL, 0},     {SQLITE_DBCONFIG_DQS_DML, 0},
  };
  for (const auto& [name, value] : switches) {
    int now = -1;
    const int code = sqlite3_db_config(handle_, name, value, &now);
    if (code != SQLITE_OK || now != value) {
      return Error{Code::kIo, "the SQLite library lacks a safety switch: install a newer one", 0, path_};
    }
  }
  GRANTFS_CHECK(Exec("PRAGMA cell_size_check=ON; PRAGMA mmap_size=0; PRAGMA temp_store=MEMORY;"));
  GRANTFS_CHECK(Exec(options.secure_delete ? "PRAGMA secure_delete=ON" : "PRAGMA secure_delete=OFF"));
  if (!IsReadOnly(options.mode)) {
    if (options.wal) GRANTFS_CHECK(UseWal());
    GRANTFS_CHECK(Exec("PRAGMA synchronous=FULL; PRAGMA journal_size_limit=67108864;"));
  }
  // The first read: a damaged file shows itself here, not at the first query.
  return Exec("SELECT count(*) FROM sqlite_schema");
}

Status SqlConnection::UseWal() {
  sqlite3_stmt* statement = nullptr;
  int code = sqlite3_prepare_v2(handle_, "PRAGMA journal_mode=WAL", -1, &statement, nullptr);
  if (code == SQLITE_OK) code = sqlite3_step(statement);
  const bool switched =
      code == SQLITE_ROW &&
      std::string_view(reinterpret_cast<const char*>(sqlite3_column_text(statement, 0))) == "wal";
  const Error failure = Failure(code);
  sqlite3_finalize(statement);
  if (code != SQLITE_ROW) return failure;
  if (!switched) {
    return Error{Code::kIo,
                 "the database cannot have a write-ahead log there: keep it on a local file system", 0,
                 path_};
  }
  return {};
}

Status SqlConnection::Exec(const char* sql) {
  const int code = sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return Failure(code);
  return {};
}

Result<sqlite3_stmt*> SqlConnection::Take(const char* text) {
  if (const auto found = idle_.find(text); found != idle_.end() && !found->second.empty()) {
    sqlite3_stmt* const statement = found->second.back();
    found->second.pop_back();
    return statement;
  }
  sqlite3_stmt* statement = nullptr;
  const char* rest = nullptr;
  const int code = sqlite3_prepare_v3(handle_, text, -1, SQLITE_PREPARE_PERSISTENT, &statement, &rest);
  if (code == SQLITE_OK && statement != nullptr && rest[0] == '\0') return statement;
  Error failure = Failure(code);
  // The message speaks of the text alone, since nothing is bound yet.
  if ((code & 0xFF) == SQLITE_ERROR) failure.subject += std::string(" (") + sqlite3_errmsg(handle_) + ")";
  if (code == SQLITE_OK) failure = Error{Code::kIo, "not exactly one statement was to be prepared", 0, path_};
  sqlite3_finalize(statement);
  return failure;
}

void SqlConnection::Return(const char* text, sqlite3_stmt* statement) {
  sqlite3_reset(statement);
  sqlite3_clear_bindings(statement);
  idle_[text].push_back(statement);
}

}  // namespace grantfs

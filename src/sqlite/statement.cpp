#include <utility>

#include "connection_internal.h"

namespace grantfs {

SqlStatement::SqlStatement(SqlStatement&& other) noexcept
    : connection_(other.connection_),
      statement_(std::exchange(other.statement_, nullptr)),
      text_(other.text_),
      bind_failure_(other.bind_failure_) {}

SqlStatement& SqlStatement::operator=(SqlStatement&& other) noexcept {
  if (this == &other) return *this;
  Return();
  connection_ = other.connection_;
  statement_ = std::exchange(other.statement_, nullptr);
  text_ = other.text_;
  bind_failure_ = other.bind_failure_;
  return *this;
}

SqlStatement::~SqlStatement() { Return(); }

void SqlStatement::Return() {
  if (statement_ != nullptr) connection_->Return(text_, std::exchange(statement_, nullptr));
}

SqlStatement& SqlStatement::Note(int code) {
  if (code != SQLITE_OK && bind_failure_ == SQLITE_OK) bind_failure_ = code;
  return *this;
}

SqlStatement& SqlStatement::Bind(int index, std::int64_t value) {
  return Note(sqlite3_bind_int64(statement_, index, value));
}

// A null pointer would bind NULL: empty text and an empty blob are values.
SqlStatement& SqlStatement::Bind(int index, std::string_view text) {
  const char* const data = text.empty() ? "" : text.data();
  return Note(sqlite3_bind_text64(statement_, index, data, text.size(), SQLITE_TRANSIENT, SQLITE_UTF8));
}

SqlStatement& SqlStatement::Bind(int index, ByteView blob) {
  const void* const data = blob.empty() ? static_cast<const void*>("") : blob.data();
  return Note(sqlite3_bind_blob64(statement_, index, data, blob.size(), SQLITE_TRANSIENT));
}

SqlStatement& SqlStatement::Bind(int index, std::nullptr_t) {
  return Note(sqlite3_bind_null(statement_, index));
}

Result<bool> SqlStatement::Step() {
  const int code = bind_failure_ != SQLITE_OK ? bind_failure_ : sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  Error failure = connection_->Failure(code);
  Reset();
  return failure;
}

Status SqlStatement::Run() {
  for (;;) {
    if (!GRANTFS_TRY(Step())) break;
  }
  Reset();
  return {};
}

void SqlStatement::Reset() {
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
  bind_failure_ = SQLITE_OK;
}

std::int64_t SqlStatement::Int(int column) const { return sqlite3_column_int64(statement_, column); }

std::string SqlStatement::Text(int column) const {
  const auto* const text = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column));
  return text == nullptr ? std::string() : std::string(text, size);
}

Bytes SqlStatement::Blob(int column) const {
  const auto* const data = static_cast<const std::uint8_t*>(sqlite3_column_blob(statement_, column));
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column));
  return data == nullptr ? Bytes() : Bytes(data, data + size);
}

bool SqlStatement::IsNull(int column) const { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }

}  // namespace grantfs

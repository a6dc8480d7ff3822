#pragma once

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include "grantfs/crypto/hash.h"
#include "grantfs/sqlite/database.h"
#include "grantfs/store/rows.h"

namespace grantfs {

/// The columns of a row, one after the other. A blob of a wrong size marks the row as damaged.
class RowColumns {
 public:
  explicit RowColumns(const SqlStatement& row) : row_(row) {}
  std::int64_t Int() { return row_.Int(next_++); }
  std::uint64_t Number() { return static_cast<std::uint64_t>(Int()); }
  std::uint32_t Number32() { return static_cast<std::uint32_t>(Int()); }
  std::string Text() { return row_.Text(next_++); }
  Bytes Blob() { return row_.Blob(next_++); }
  bool NextIsNull() const { return row_.IsNull(next_); }
  Hash Digest() { return Hash{Fixed()}; }
  std::array<std::uint8_t, 32> Fixed() {
    std::array<std::uint8_t, 32> bytes{};
    const Bytes blob = Blob();
    if (blob.size() == bytes.size()) {
      std::memcpy(bytes.data(), blob.data(), bytes.size());
    } else {
      damaged_ = true;
    }
    return bytes;
  }
  bool damaged() const { return damaged_; }

 private:
  const SqlStatement& row_;
  int next_ = 0;
  bool damaged_ = false;
};

inline Error DamagedRow(const Database& database) {
  return Error{Code::kIntegrity, "a row of the database is damaged: restore a backup", 0, database.path()};
}

/// A query that is prepared, bound and read in one go:
///
///     Query(database, "SELECT value FROM counters WHERE name = ?1", "change").One(ReadNumber)
///
/// A reader is a function of RowColumns.
class Query {
 public:
  template <typename... Values>
  Query(Database& database, Sql sql, const Values&... values)
      : database_(database), statement_(database.Prepare(sql)) {
    if (statement_) statement_->BindAll(values...);
  }

  template <typename Read>
  auto One(Read read) -> Result<std::optional<decltype(read(std::declval<RowColumns&>()))>> {
    using Value = decltype(read(std::declval<RowColumns&>()));
    if (!statement_) return statement_.error();
    if (!GRANTFS_TRY(statement_->Step())) return std::optional<Value>();
    RowColumns columns(*statement_);
    std::optional<Value> value(read(columns));
    if (columns.damaged()) return DamagedRow(database_);
    return value;
  }

  template <typename Read>
  auto All(Read read) -> Result<std::vector<decltype(read(std::declval<RowColumns&>()))>> {
    std::vector<decltype(read(std::declval<RowColumns&>()))> rows;
    GRANTFS_CHECK(While([&](RowColumns& columns) {
      rows.push_back(read(columns));
      return true;
    }));
    return rows;
  }

  /// As long as `read` returns true.
  template <typename Read>
  Status While(Read read) {
    if (!statement_) return statement_.error();
    while (GRANTFS_TRY(statement_->Step())) {
      RowColumns columns(*statement_);
      const bool more = read(columns);
      if (columns.damaged()) return DamagedRow(database_);
      if (!more) break;
    }
    return {};
  }

 private:
  Database& database_;
  Result<SqlStatement> statement_;
};

inline std::int64_t ReadInt(RowColumns& row) { return row.Int(); }
inline std::uint64_t ReadNumber(RowColumns& row) { return row.Number(); }
inline std::uint32_t ReadNumber32(RowColumns& row) { return row.Number32(); }
inline std::string ReadText(RowColumns& row) { return row.Text(); }
inline Bytes ReadBlob(RowColumns& row) { return row.Blob(); }

/// Columns secret, kind, number, grantee, sequence, label, expires, leaf.
inline StoredGrant ReadGrant(RowColumns& row) {
  StoredGrant grant;
  grant.secret = row.Number();
  grant.kind = static_cast<GranteeKind>(row.Int());
  grant.number = row.Number();
  grant.grantee = row.Digest();
  grant.sequence = row.Number();
  grant.label = row.Text();
  grant.expires = row.Int();
  grant.leaf = row.Digest();
  return grant;
}

/// The number of rows as LIMIT takes it.
inline std::int64_t RowLimit(std::size_t limit) {
  return static_cast<std::int64_t>(std::min<std::size_t>(limit, std::size_t{1} << 30));
}

// The kinds as they are stored: they never change.
static_assert(static_cast<int>(GranteeKind::kMachine) == 0 && static_cast<int>(GranteeKind::kGroup) == 1);
static_assert(static_cast<int>(RecipientKind::kEnvironment) == 0 &&
              static_cast<int>(RecipientKind::kMachine) == 1 && static_cast<int>(RecipientKind::kGroup) == 2 &&
              static_cast<int>(RecipientKind::kInvitation) == 3);
static_assert(static_cast<int>(FrozenKind::kMachine) == 0 &&
              static_cast<int>(FrozenKind::kEnvironment) == 1 &&
              static_cast<int>(FrozenKind::kMachineIn) == 2);
static_assert(static_cast<int>(TripAction::kFreeze) == 0 && static_cast<int>(TripAction::kAlert) == 1);
static_assert(static_cast<int>(TripScope::kEnvironment) == 0 && static_cast<int>(TripScope::kProject) == 1);
static_assert(static_cast<int>(EnrolmentState::kPending) == 0 &&
              static_cast<int>(EnrolmentState::kApproved) == 1);
template <typename Enum>
std::int64_t Stored(Enum value) {
  return static_cast<std::int64_t>(value);
}

}  // namespace grantfs

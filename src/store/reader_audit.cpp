#include <limits>

#include "query_internal.h"
#include "reader_internal.h"

namespace grantfs {
namespace {

AuditEntry ReadLeaf(RowColumns& row) {
  AuditEntry entry;
  entry.sequence = row.Number();
  entry.leaf = row.Blob();
  entry.leaf_hash = row.Digest();
  return entry;
}

AuditEntry ReadRecord(RowColumns& row) {
  AuditEntry entry = ReadLeaf(row);
  if (row.NextIsNull()) return entry;  // the body was purged
  entry.salt = row.Blob();
  entry.body = row.Text();
  AuditColumns columns;
  columns.time_ms = row.Int();
  columns.severity = static_cast<int>(row.Int());
  columns.environment = row.Text();
  columns.object = row.Text();
  columns.actor = row.Text();
  entry.columns = std::move(columns);
  return entry;
}

// One text for each column that leads the search. The plus signs keep SQLite from choosing another one.
#define GRANTFS_SEARCH(lead)                                                                     \
  "SELECT b.sequence, leaf, hash, salt, body, time_ms, severity, environment, object, actor "    \
  "FROM audit_bodies AS b CROSS JOIN audit_leaves AS l ON l.sequence = b.sequence WHERE " lead   \
  " AND b.sequence < ?1 AND (?2 IS NULL OR +environment = ?2) AND (?3 IS NULL OR +object = ?3) " \
  "AND (?4 IS NULL OR +actor = ?4) AND +severity >= ?5 AND +time_ms >= ?6 AND +time_ms < ?7 "    \
  "ORDER BY b.sequence DESC LIMIT ?8"

Sql SearchText(const AuditQuery& query) {
  if (!query.object.empty()) return GRANTFS_SEARCH("object = ?3");
  if (!query.actor.empty()) return GRANTFS_SEARCH("actor = ?4");
  if (query.at_least.value_or(AuditSeverity::kInfo) > AuditSeverity::kInfo) {
    return GRANTFS_SEARCH("severity > 0 AND severity >= ?5");
  }
  if (query.since_ms || query.until_ms) return GRANTFS_SEARCH("time_ms >= ?6 AND time_ms < ?7");
  if (!query.environment.empty()) return GRANTFS_SEARCH("environment = ?2");
  return GRANTFS_SEARCH("TRUE");
}
#undef GRANTFS_SEARCH

std::optional<std::string_view> IfAny(const std::string& text) {
  if (text.empty()) return std::nullopt;
  return text;
}

constexpr std::int64_t kNoEnd = std::numeric_limits<std::int64_t>::max();

}  // namespace

Result<std::uint64_t> SqliteReader::AuditSize() {
  return GRANTFS_TRY(Query(database_, "SELECT size FROM audit_tree").One(ReadNumber)).value_or(0);
}

Result<std::vector<AuditEntry>> SqliteReader::ReadAudit(std::uint64_t from, std::size_t limit,
                                                        std::size_t max_bytes, bool bodies) {
  std::vector<AuditEntry> found;
  std::size_t bytes = 0;
  const auto take = [&](AuditEntry entry) {
    bytes += entry.leaf.size() + (entry.body ? entry.body->size() : 0);
    if (!found.empty() && bytes > max_bytes) return false;
    found.push_back(std::move(entry));
    return true;
  };
  const auto first = static_cast<std::int64_t>(from);
  if (!bodies) {
    GRANTFS_CHECK(
        Query(database_,
              "SELECT sequence, leaf, hash FROM audit_leaves WHERE sequence >= ?1 ORDER BY sequence LIMIT ?2",
              first, RowLimit(limit))
            .While([&](RowColumns& row) { return take(ReadLeaf(row)); }));
    return found;
  }
  GRANTFS_CHECK(
      Query(database_,
            "SELECT l.sequence, leaf, hash, salt, body, time_ms, severity, environment, object, actor "
            "FROM audit_leaves AS l LEFT JOIN audit_bodies AS b ON b.sequence = l.sequence "
            "WHERE l.sequence >= ?1 ORDER BY l.sequence LIMIT ?2",
            first, RowLimit(limit))
          .While([&](RowColumns& row) { return take(ReadRecord(row)); }));
  return found;
}

Result<std::vector<AuditEntry>> SqliteReader::SearchAudit(const AuditQuery& query) {
  const auto before =
      static_cast<std::int64_t>(std::min<std::uint64_t>(query.before.value_or(kNoEnd), kNoEnd));
  return Query(database_, SearchText(query), before, IfAny(query.environment), IfAny(query.object),
               IfAny(query.actor), Stored(query.at_least.value_or(AuditSeverity::kInfo)),
               query.since_ms.value_or(std::numeric_limits<std::int64_t>::min()),
               query.until_ms.value_or(kNoEnd), RowLimit(query.limit))
      .All(ReadRecord);
}

// The index of severities leads; what is said of it twice is what makes SQLite use it.
Result<std::vector<AuditEntry>> SqliteReader::CriticalAudit(std::uint64_t from, std::size_t limit) {
  return Query(database_,
               "SELECT b.sequence, leaf, hash, salt, body, time_ms, severity, environment, object, actor "
               "FROM audit_bodies AS b CROSS JOIN audit_leaves AS l ON l.sequence = b.sequence "
               "WHERE severity > 0 AND severity = ?1 AND b.sequence >= ?2 ORDER BY b.sequence LIMIT ?3",
               Stored(AuditSeverity::kCritical), static_cast<std::int64_t>(from), RowLimit(limit))
      .All(ReadRecord);
}

Result<std::uint64_t> SqliteReader::CountCritical(std::uint64_t from) {
  return GRANTFS_TRY(
             Query(
                 database_,
                 "SELECT count(*) FROM audit_bodies WHERE severity > 0 AND severity = ?1 AND sequence >= ?2",
                 Stored(AuditSeverity::kCritical), static_cast<std::int64_t>(from))
                 .One(ReadNumber))
      .value_or(0);
}

Result<std::optional<std::string>> SqliteReader::LatestCheckpoint() {
  return Query(database_, "SELECT checkpoint FROM audit_checkpoints ORDER BY size DESC LIMIT 1")
      .One(ReadText);
}

}  // namespace grantfs

#include "audit_rows_internal.h"
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

}  // namespace

AuditColumns ReadAuditColumns(RowColumns& row) {
  AuditColumns columns;
  columns.time_ms = row.Int();
  columns.severity = static_cast<int>(row.Int());
  columns.environment = row.Text();
  columns.object = row.Text();
  columns.actor = row.Text();
  columns.type = row.Text();
  columns.outcome = row.Text();
  return columns;
}

AuditEntry ReadAuditRecord(RowColumns& row) {
  AuditEntry entry = ReadLeaf(row);
  if (row.NextIsNull()) return entry;  // the body was purged
  entry.salt = row.Blob();
  entry.body = row.Text();
  entry.columns = ReadAuditColumns(row);
  return entry;
}

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
            "SELECT l.sequence, leaf, hash, salt, body, time_ms, severity, environment, object, actor, "
            "type, outcome FROM audit_leaves AS l LEFT JOIN audit_bodies AS b ON b.sequence = l.sequence "
            "WHERE l.sequence >= ?1 ORDER BY l.sequence LIMIT ?2",
            first, RowLimit(limit))
          .While([&](RowColumns& row) { return take(ReadAuditRecord(row)); }));
  return found;
}

// `severity = 3` as it stands is what makes SQLite use the index of critical records.
Result<std::vector<AuditEntry>> SqliteReader::CriticalAudit(std::uint64_t from, std::size_t limit) {
  return Query(database_,
               "SELECT b.sequence, leaf, hash, salt, body, time_ms, severity, environment, object, actor, "
               "type, outcome FROM audit_bodies AS b CROSS JOIN audit_leaves AS l ON l.sequence = b.sequence "
               "WHERE severity = 3 AND b.sequence >= ?1 ORDER BY b.sequence LIMIT ?2",
               static_cast<std::int64_t>(from), RowLimit(limit))
      .All(ReadAuditRecord);
}

Result<std::uint64_t> SqliteReader::CountCritical(std::uint64_t from) {
  return GRANTFS_TRY(Query(database_,
                           "SELECT count(*) FROM audit_bodies WHERE severity = 3 AND sequence >= ?1",
                           static_cast<std::int64_t>(from))
                         .One(ReadNumber))
      .value_or(0);
}

Result<std::optional<std::string>> SqliteReader::LatestCheckpoint() {
  return Query(database_, "SELECT checkpoint FROM audit_checkpoints ORDER BY size DESC LIMIT 1")
      .One(ReadText);
}

}  // namespace grantfs

#include "audit_body_internal.h"
#include "audit_rows_internal.h"
#include "grantfs/store/audit_purge.h"
#include "query_internal.h"
#include "writer_internal.h"

// Taking away the bodies that a purge names, a bounded number of them at once.

namespace grantfs {
namespace {

/// What is filed under another severity or time than its leaf's is somebody's work: it stays as evidence.
Status CheckFiled(const AuditEntry& entry, const AuditPurge& purge) {
  const auto header = ParseLeaf(entry.leaf);
  if (header && purge.Takes(header->severity, entry.sequence, header->time_ms)) return {};
  return Error{Code::kIntegrity,
               "a record is filed under another severity or time than its header's: run grantfs audit verify",
               0, std::to_string(entry.sequence)};
}

/// An open's key says who read what to whoever can guess the rest.
Result<std::optional<Bytes>> OpenOf(const AuditEntry& entry) {
  const auto body = ParseJson(*entry.body);
  const Json* const open = body ? body->Find("open") : nullptr;
  if (open == nullptr || !open->is(Json::Kind::kString)) return std::optional<Bytes>();
  AuditRecord record;
  record.type = entry.columns->type;
  record.environment = entry.columns->environment;
  record.open_id = open->AsString();
  record.body = *body;
  return std::optional<Bytes>(OpenKey(record));
}

}  // namespace

Result<std::uint64_t> SqliteReader::AuditBefore(std::int64_t before_ms) {
  return GRANTFS_TRY(Query(database_, "SELECT max(span) + 1 FROM audit_spans WHERE first_ms < ?1", before_ms)
                         .One(ReadNumber))
             .value_or(0) *
         kAuditSpan;
}

Result<AuditPurge> SqliteReader::FindPurgeable(AuditPurge rule) {
  const auto found = GRANTFS_TRY(
      Query(database_,
            "SELECT count(*), min(sequence), max(sequence) + 1 FROM audit_bodies WHERE sequence >= ?1 AND "
            "sequence < ?2 AND severity = ?3 AND time_ms < ?4",
            static_cast<std::int64_t>(rule.first), static_cast<std::int64_t>(rule.end), Stored(rule.severity),
            rule.before_ms)
          .One([&](RowColumns& row) {
            AuditPurge window = rule;
            window.count = row.Number();
            window.first = row.Number();
            window.end = row.Number();
            return window;
          }));
  return found.value_or(rule);
}

Result<AuditPurged> SqliteWriter::PurgeAudit(const AuditPurge& purge, std::uint64_t from, std::size_t limit) {
  AuditPurged done;
  done.next = std::min(purge.end, std::max(from, purge.first) + kAuditSpan);
  auto found =
      Query(database_,
            "SELECT l.sequence, leaf, hash, salt, body, time_ms, severity, environment, object, "
            "actor, type, outcome FROM audit_bodies AS b CROSS JOIN audit_leaves AS l ON l.sequence "
            "= b.sequence WHERE b.sequence >= ?1 AND b.sequence < ?2 AND severity = ?3 AND time_ms "
            "< ?4 ORDER BY b.sequence LIMIT ?5",
            static_cast<std::int64_t>(std::max(from, purge.first)), static_cast<std::int64_t>(done.next),
            Stored(purge.severity), purge.before_ms, RowLimit(limit))
          .All(ReadAuditRecord);
  if (!found) {
    GRANTFS_CHECK(Note(found.error()));
    return found.error();
  }
  for (const AuditEntry& entry : *found) {
    GRANTFS_CHECK(CheckFiled(entry, purge));
    if (const auto open = GRANTFS_TRY(OpenOf(entry)))
      GRANTFS_CHECK(Run("DELETE FROM audit_opens WHERE open = ?1", *open));
    GRANTFS_CHECK(
        Run("DELETE FROM audit_bodies WHERE sequence = ?1", static_cast<std::int64_t>(entry.sequence)));
  }
  done.purged = found->size();
  if (done.purged == limit) done.next = found->back().sequence + 1;
  if (done.next == purge.end) erased_ = true;  // once for all: the log's emptying holds up who waits
  return done;
}

}  // namespace grantfs

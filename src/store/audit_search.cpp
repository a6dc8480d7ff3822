#include <limits>

#include "audit_appender_internal.h"
#include "audit_rows_internal.h"
#include "query_internal.h"
#include "reader_internal.h"

// A search goes along one index, in the order of sequences, and looks at a bounded number of records.

namespace grantfs {
namespace {

constexpr std::int64_t kNoEnd = std::numeric_limits<std::int64_t>::max();

/// Sequences from `low` on, below `high`.
struct Bounds {
  std::int64_t low = 0;
  std::int64_t high = kNoEnd;
};

std::int64_t Sequence(std::uint64_t number) {
  return static_cast<std::int64_t>(std::min<std::uint64_t>(number, kNoEnd));
}

/// The texts of a search that one index leads, newest first and oldest first, and what it looks for there.
struct Lead {
  Sql newest;
  Sql oldest;
  const std::string* value = nullptr;
};

// The index is named, so that a search that it cannot lead in the order of sequences fails in every test.
#define GRANTFS_SEARCH(index, lead, order)                                                              \
  "SELECT b.sequence, time_ms, severity, environment, object, actor, type, outcome, leaf, hash, salt, " \
  "body FROM audit_bodies AS b " index                                                                  \
  " CROSS JOIN audit_leaves AS l ON l.sequence = b.sequence WHERE "                                     \
  "b.sequence >= ?1 AND b.sequence < ?2 AND " lead " ORDER BY b.sequence " order " LIMIT ?3"
#define GRANTFS_LEAD(index, lead, value) \
  Lead { GRANTFS_SEARCH(index, lead, "DESC"), GRANTFS_SEARCH(index, lead, "ASC"), value }

Lead LeadOf(const AuditQuery& query) {
  if (query.within)
    return GRANTFS_LEAD("INDEXED BY audit_by_environment", "environment = ?4", &query.environment);
  if (!query.object.empty() && !query.below)
    return GRANTFS_LEAD("INDEXED BY audit_by_object", "object = ?4", &query.object);
  if (!query.actor.empty()) return GRANTFS_LEAD("INDEXED BY audit_by_actor", "actor = ?4", &query.actor);
  if (!query.type.empty() && query.type != kAuditReadType)
    return GRANTFS_LEAD("INDEXED BY audit_by_type", "type = ?4 AND type <> 'secret.read'", &query.type);
  if (query.at_least == AuditSeverity::kCritical)
    return GRANTFS_LEAD("INDEXED BY audit_critical", "severity = 3 AND ?4 IS NULL", nullptr);
  if (!query.outcome.empty() && query.outcome != "done")
    return GRANTFS_LEAD("INDEXED BY audit_by_outcome", "outcome = ?4 AND outcome <> 'done'", &query.outcome);
  if (query.at_least.value_or(AuditSeverity::kInfo) > AuditSeverity::kInfo)
    return GRANTFS_LEAD("INDEXED BY audit_notable", "severity > 0 AND ?4 IS NULL", nullptr);
  if (!query.environment.empty())
    return GRANTFS_LEAD("INDEXED BY audit_by_environment", "environment = ?4", &query.environment);
  return GRANTFS_LEAD("", "?4 IS NULL", nullptr);
}
#undef GRANTFS_LEAD
#undef GRANTFS_SEARCH

std::optional<std::string_view> IfAny(const std::string* text) {
  return text == nullptr ? std::nullopt : std::optional<std::string_view>(*text);
}

bool Is(const std::string& wanted, const std::string& found) { return wanted.empty() || wanted == found; }

bool Matches(const AuditQuery& query, const AuditColumns& columns) {
  const bool object =
      query.below ? columns.object.starts_with(query.object) : Is(query.object, columns.object);
  return object && Is(query.environment, columns.environment) && Is(query.actor, columns.actor) &&
         Is(query.type, columns.type) && Is(query.outcome, columns.outcome) &&
         columns.severity >= Stored(query.at_least.value_or(AuditSeverity::kInfo)) &&
         columns.time_ms >= query.since_ms.value_or(std::numeric_limits<std::int64_t>::min()) &&
         columns.time_ms < query.until_ms.value_or(kNoEnd);
}

/// The sequences between which records of that time lie.
Result<Bounds> BoundsOf(Database& database, const AuditQuery& query) {
  Bounds bounds;
  if (query.since_ms || query.until_ms) {
    const auto spans = GRANTFS_TRY(
        Query(database,
              "SELECT min(span), max(span) + 1 FROM audit_spans WHERE last_ms >= ?1 AND first_ms < ?2",
              query.since_ms.value_or(std::numeric_limits<std::int64_t>::min()),
              query.until_ms.value_or(kNoEnd))
            .One([](RowColumns& row) {
              const auto span = static_cast<std::int64_t>(kAuditSpan);
              const std::int64_t low = row.Int();
              return Bounds{low * span, row.Int() * span};
            }));
    bounds = spans.value_or(Bounds{0, 0});
  }
  if (query.before) bounds.high = std::min(bounds.high, Sequence(*query.before));
  if (query.from) bounds.low = std::max(bounds.low, Sequence(*query.from));
  return bounds;
}

}  // namespace

Result<AuditFound> SqliteReader::SearchAudit(const AuditQuery& query) {
  const Bounds bounds = GRANTFS_TRY(BoundsOf(database_, query));
  const Lead lead = LeadOf(query);
  AuditFound found;
  std::uint64_t last = 0;
  const auto take = [&](RowColumns& row) {
    AuditEntry entry;
    entry.sequence = last = row.Number();
    entry.columns = ReadAuditColumns(row);
    ++found.scanned;
    if (!Matches(query, *entry.columns)) return true;
    entry.leaf = row.Blob();
    entry.leaf_hash = row.Digest();
    entry.salt = row.Blob();
    entry.body = row.Text();
    found.records.push_back(std::move(entry));
    return found.records.size() < query.limit;
  };
  GRANTFS_CHECK(Query(database_, query.from ? lead.oldest : lead.newest, bounds.low, bounds.high,
                      RowLimit(query.scan), IfAny(lead.value))
                    .While(take));
  const bool whole = found.scanned < query.scan && found.records.size() < query.limit;
  if (!whole) found.next = query.from ? last + 1 : last;
  if (whole && query.from) found.next = std::max(*query.from, GRANTFS_TRY(AuditSize()));
  return found;
}

}  // namespace grantfs

#include <sys/stat.h>

#include <iterator>

#include "audit_rows_internal.h"
#include "grantfs/store/audit_purge.h"
#include "grantfs/store/audit_verify.h"
#include "query_internal.h"
#include "reader_internal.h"
#include "schema_internal.h"

namespace grantfs {
namespace {

constexpr int kTypedSchema = 4;  // from this on bodies are filed by type and outcome
constexpr std::size_t kPurgesAtOnce = 1000;
constexpr std::size_t kMaxBatchBytes = std::size_t{16} << 20;

class DatabaseAuditSource final : public AuditSource {
 public:
  DatabaseAuditSource(std::unique_ptr<Database> database, Transaction view, int schema)
      : database_(std::move(database)),
        view_(std::move(view)),
        reader_(*database_),
        typed_(schema >= kTypedSchema) {}

  Result<std::optional<std::string>> Checkpoint() override { return reader_.LatestCheckpoint(); }

  Result<std::vector<AuditEntry>> Fetch(std::uint64_t from, std::size_t limit) override {
    return typed_ ? reader_.ReadAudit(from, limit, kMaxBatchBytes, true) : FetchUntyped(from, limit);
  }

  Result<std::vector<std::string>> OlderCheckpoints(std::uint64_t above, std::size_t limit) override {
    return Query(*database_,
                 "SELECT checkpoint FROM audit_checkpoints WHERE size > ?1 ORDER BY size LIMIT ?2",
                 static_cast<std::int64_t>(above), RowLimit(limit))
        .All(ReadText);
  }

  Result<std::vector<AuditEntry>> Purges() override {
    std::vector<AuditEntry> purges;
    AuditQuery query;
    query.type = kAuditPurgeType;
    query.limit = kPurgesAtOnce;
    query.from = 0;
    while (typed_ && purges.size() < kMaxPurgesRead) {
      auto found = GRANTFS_TRY(reader_.SearchAudit(query));
      std::move(found.records.begin(), found.records.end(), std::back_inserter(purges));
      if (found.scanned == 0 || found.next == query.from) break;
      query.from = found.next;
    }
    return purges;
  }

  bool complete() const override { return true; }

 private:
  // A copy of an older schema is read as it is.
  Result<std::vector<AuditEntry>> FetchUntyped(std::uint64_t from, std::size_t limit) {
    return Query(*database_,
                 "SELECT l.sequence, leaf, hash, salt, body, time_ms, severity, environment, object, actor, "
                 "NULL, NULL FROM audit_leaves AS l LEFT JOIN audit_bodies AS b ON b.sequence = l.sequence "
                 "WHERE l.sequence >= ?1 ORDER BY l.sequence LIMIT ?2",
                 static_cast<std::int64_t>(from), RowLimit(limit))
        .All([](RowColumns& row) {
          AuditEntry entry = ReadAuditRecord(row);
          if (entry.columns) entry.columns->typed = false;
          return entry;
        });
  }

  std::unique_ptr<Database> database_;
  Transaction view_;
  SqliteReader reader_;
  const bool typed_;
};

// A copy without its log cannot be opened the usual way where nothing may be written beside it; and nobody
// changes it. A served database has both files beside it.
OpenMode ModeFor(const std::string& path) {
  struct stat found {};
  const bool has_log = ::stat((path + "-wal").c_str(), &found) == 0 && found.st_size > 0;
  const bool has_index = ::stat((path + "-shm").c_str(), &found) == 0;
  return has_log || has_index ? OpenMode::kReadOnly : OpenMode::kImmutable;
}

}  // namespace

Result<std::unique_ptr<AuditSource>> OpenAuditDatabase(const std::string& path) {
  auto database = std::make_unique<Database>(GRANTFS_TRY(Database::Open(path, {.mode = ModeFor(path)})));
  GRANTFS_CHECK(CheckStoreSchema(*database));
  Transaction view = GRANTFS_TRY(Transaction::BeginRead(*database));
  GRANTFS_CHECK(QuickCheck(*database, CheckedPages::kAll));
  const int schema = GRANTFS_TRY(database->UserVersion());
  return std::unique_ptr<AuditSource>(
      std::make_unique<DatabaseAuditSource>(std::move(database), std::move(view), schema));
}

}  // namespace grantfs

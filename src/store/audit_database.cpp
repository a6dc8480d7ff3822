#include <sys/stat.h>

#include "grantfs/store/audit_verify.h"
#include "query_internal.h"
#include "reader_internal.h"
#include "schema_internal.h"

namespace grantfs {
namespace {

constexpr std::size_t kMaxBatchBytes = std::size_t{16} << 20;

class DatabaseAuditSource final : public AuditSource {
 public:
  DatabaseAuditSource(std::unique_ptr<Database> database, Transaction view)
      : database_(std::move(database)), view_(std::move(view)), reader_(*database_) {}

  Result<std::optional<std::string>> Checkpoint() override { return reader_.LatestCheckpoint(); }

  Result<std::vector<AuditEntry>> Fetch(std::uint64_t from, std::size_t limit) override {
    return reader_.ReadAudit(from, limit, kMaxBatchBytes, true);
  }

  Result<std::vector<std::string>> OlderCheckpoints(std::uint64_t above, std::size_t limit) override {
    return Query(*database_,
                 "SELECT checkpoint FROM audit_checkpoints WHERE size > ?1 ORDER BY size LIMIT ?2",
                 static_cast<std::int64_t>(above), RowLimit(limit))
        .All(ReadText);
  }

  bool complete() const override { return true; }

 private:
  std::unique_ptr<Database> database_;
  Transaction view_;
  SqliteReader reader_;
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
  GRANTFS_CHECK(QuickCheck(*database));
  return std::unique_ptr<AuditSource>(
      std::make_unique<DatabaseAuditSource>(std::move(database), std::move(view)));
}

}  // namespace grantfs

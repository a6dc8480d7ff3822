#include "grantfs/sqlite/migration.h"

#include <cstdlib>
#include <string>

namespace grantfs {
namespace {

Result<bool> IsEmpty(Database& database) {
  SqlStatement count = GRANTFS_TRY(database.Prepare("SELECT count(*) FROM sqlite_schema"));
  GRANTFS_TRY(count.Step());
  return count.Int(0) == 0;
}

// The number and the content change together, or neither does.
Status Apply(Database& database, int application_id, const Migration& step) {
  Transaction transaction = GRANTFS_TRY(Transaction::Begin(database));
  // Another process may have been here while this one waited for the lock.
  if (GRANTFS_TRY(database.UserVersion()) >= step.version) return {};
  GRANTFS_CHECK(database.Exec(step.sql));
  GRANTFS_CHECK(database.SetApplicationId(application_id));
  GRANTFS_CHECK(database.SetUserVersion(step.version));
  return transaction.Commit();
}

Status CheckOrigin(Database& database, int application_id, int newest, bool empty) {
  const int mark = GRANTFS_TRY(database.ApplicationId());
  const int version = GRANTFS_TRY(database.UserVersion());
  if (mark != application_id && !(empty && mark == 0 && version == 0)) {
    return Error{Code::kInvalid, "is a database of another program or another kind", 0, database.path()};
  }
  if (version < 0)
    return Error{Code::kIntegrity, "the number of its schema is damaged: restore a backup", 0,
                 database.path()};
  if (version <= newest) return {};
  return Error{Code::kUnsupported, "upgrade grantfs, or restore the backup of before its upgrade", 0,
               database.path() + " has schema " + std::to_string(version) +
                   ", this grantfs knows none above " + std::to_string(newest)};
}

}  // namespace

Status Migrate(Database& database, int application_id, std::span<const Migration> steps) {
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (steps[i].version != static_cast<int>(i) + 1) std::abort();  // a gap in the program's own table
  }
  const bool empty = GRANTFS_TRY(IsEmpty(database));
  GRANTFS_CHECK(CheckOrigin(database, application_id, static_cast<int>(steps.size()), empty));
  const int version = GRANTFS_TRY(database.UserVersion());
  const auto missing = steps.subspan(static_cast<std::size_t>(version));
  if (missing.empty()) return {};
  if (!empty) {
    const std::string copy = database.path() + ".schema-" + std::to_string(version) + ".bak";
    GRANTFS_CHECK(database.BackupInto(copy, Database::Existing::kReplace));
  }
  for (const Migration& step : missing) GRANTFS_CHECK(Apply(database, application_id, step));
  return {};
}

}  // namespace grantfs

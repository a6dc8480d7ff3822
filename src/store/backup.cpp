#include "grantfs/store/backup.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "grantfs/store/server_keys.h"
#include "grantfs/store/store.h"
#include "grantfs/util/unique_fd.h"
#include "schema_internal.h"

namespace grantfs {
namespace {

Status CheckThere(const std::string& database) {
  if (::access(database.c_str(), R_OK) == 0) return {};
  if (errno == ENOENT || errno == ENOTDIR)
    return Error{Code::kNotFound, "there is no vault: name its directory with --data", 0, database};
  return Error{Code::kDenied, "run it as the user that serves the vault, or as root", errno, database};
}

/// Keeps a vault that is not served from being served meanwhile; holds nothing where it is served.
UniqueFd HoldStopped(const std::string& directory) {
  UniqueFd lock(::open((directory + "/" + kLockFile).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (lock && ::flock(lock.get(), LOCK_SH | LOCK_NB) == 0) return lock;
  return {};
}

// Of a vault that stopped as it should, everything is in the file, and nothing need be made beside it.
OpenMode ModeFor(const std::string& database, bool stopped) {
  struct stat found {};
  const bool has_log = ::stat((database + "-wal").c_str(), &found) == 0 && found.st_size > 0;
  return stopped && !has_log ? OpenMode::kImmutable : OpenMode::kReadOnly;
}

Status CheckCopy(const std::string& copy, AuditVerdict* log) {
  {
    Database database = GRANTFS_TRY(Database::Open(copy, {.mode = OpenMode::kImmutable}));
    GRANTFS_CHECK(database.IntegrityCheck());
  }
  const auto source = GRANTFS_TRY(OpenAuditDatabase(copy));
  *log = GRANTFS_TRY(VerifyAudit(*source, {}));
  if (log->good) return {};
  const std::string where = log->bad ? "record " + std::to_string(*log->bad) : "the checkpoint";
  return Error{Code::kIntegrity,
               "the vault's audit log is not what was written, so that nothing was copied; keep the vault's "
               "directory as evidence, and restore an earlier backup",
               0, where + ": " + log->what};
}

}  // namespace

namespace {

/// A vault's database, to be read beside whoever serves it.
struct OpenedVault {
  UniqueFd stopped;
  Database connection;
};

Result<OpenedVault> OpenBeside(const std::string& directory) {
  const std::string database = directory + "/" + kDatabaseFile;
  GRANTFS_CHECK(CheckThere(database));
  UniqueFd stopped = HoldStopped(directory);
  Database connection =
      GRANTFS_TRY(Database::Open(database, {.mode = ModeFor(database, static_cast<bool>(stopped))}));
  GRANTFS_CHECK(CheckStoreSchema(connection));
  return OpenedVault{std::move(stopped), std::move(connection)};
}

}  // namespace

Result<StoredCertificates> ReadCertificates(const std::string& directory) {
  OpenedVault vault = GRANTFS_TRY(OpenBeside(directory));
  StoredCertificates found;
  {
    SqlStatement current = GRANTFS_TRY(vault.connection.Prepare("SELECT tls_certificate FROM server"));
    if (!GRANTFS_TRY(current.Step()))
      return Error{Code::kNotFound, "the vault has no keys yet: grantfs serve makes them", 0, directory};
    found.current = current.Text(0);
  }
  if (GRANTFS_TRY(vault.connection.UserVersion()) < kTlsNextSchema) return found;
  SqlStatement next = GRANTFS_TRY(vault.connection.Prepare("SELECT certificate FROM tls_next"));
  if (GRANTFS_TRY(next.Step())) found.next = next.Text(0);
  return found;
}

Result<StoreBackup> BackupStore(const std::string& directory, const std::string& path) {
  OpenedVault vault = GRANTFS_TRY(OpenBeside(directory));
  StoreBackup done;
  GRANTFS_CHECK(vault.connection.BackupInto(path, Database::Existing::kRefuse, [&](const std::string& copy) {
    return CheckCopy(copy, &done.log);
  }));
  struct stat found {};
  if (::stat(path.c_str(), &found) == 0) done.bytes = static_cast<std::uint64_t>(found.st_size);
  return done;
}

}  // namespace grantfs

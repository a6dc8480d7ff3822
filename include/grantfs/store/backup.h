#pragma once

#include <cstdint>
#include <string>

#include "grantfs/store/audit_verify.h"
#include "grantfs/util/result.h"

namespace grantfs {

/// What was copied.
struct StoreBackup {
  std::uint64_t bytes = 0;
  AuditVerdict log;  ///< of the copy's audit log: good; by the copy alone, so not authenticated
};

/// Writes all that the embedded store in a directory holds now, the server's keys too, to a new file (0600),
/// which a vault can start from; whether it is served meanwhile or not. The copy has its name only once every
/// page, index and record of its audit log was found to be good. Blocks: it reads and writes the whole vault.
/// Errors: kNotFound (no vault there), kDenied (it is another user's), kConflict (the file exists),
/// kUnsupported (a newer schema), kIntegrity (the vault itself is damaged: how), kNoSpace, kIo.
Result<StoreBackup> BackupStore(const std::string& directory, const std::string& path);

}  // namespace grantfs

#pragma once

#include "grantfs/sqlite/database.h"

namespace grantfs {

/// Marks a file as a vault's database: "gfsv".
inline constexpr int kStoreApplicationId = 0x67667376;
/// The newest schema that this program knows.
inline constexpr int kStoreSchema = 5;
inline constexpr int kTlsNextSchema = 5;  ///< the first with tls_next

/// Brings a vault's database to kStoreSchema. Errors: as Migrate.
Status MigrateStore(Database& database);

/// That a database, opened for reading only, is a vault's and of a known schema.
/// Errors: kInvalid, kUnsupported, kIntegrity, kIo.
Status CheckStoreSchema(Database& database);

enum class CheckedPages {
  kAll,
  /// Not those of the audit log's records: they are nearly all of a large database, and a start would wait
  /// minutes for them. What is damaged there is met where it is read, and `doctor` looks at all.
  kAllButRecords,
};

/// Structure of these pages; a sentence names what is wrong. Errors: kIntegrity, kIo.
Status QuickCheck(Database& database, CheckedPages pages);

}  // namespace grantfs

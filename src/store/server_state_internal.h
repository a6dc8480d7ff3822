#pragma once

#include "grantfs/sqlite/database.h"
#include "grantfs/store/rows.h"

namespace grantfs {

/// The one row of the server's own keys: here alone they leave locked memory, for the database.
Result<std::optional<ServerState>> LoadServerState(Database& database);
Status SaveServerState(Database& database, const ServerState& state);
Result<std::optional<StoredTls>> LoadNextTls(Database& database);
Status SaveNextTls(Database& database, const StoredTls& next);

}  // namespace grantfs

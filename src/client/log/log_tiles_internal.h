#pragma once

#include "grantfs/client/vault_connection.h"
#include "grantfs/tlog/tile.h"

namespace grantfs {

/// The newest checkpoint's text, as the vault serves it. Errors: kNotFound (the log is empty), and as the
/// connection's.
Result<std::string> FetchCheckpoint(VaultConnection& vault);

/// The hashes of a tile. Errors: kUnsupported (it has another size), and as the connection's.
Result<std::vector<Hash>> FetchTile(VaultConnection& vault, const TileName& name);

}  // namespace grantfs

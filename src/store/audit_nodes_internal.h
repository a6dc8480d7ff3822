#pragma once

#include <cstdint>

#include "grantfs/sqlite/database.h"
#include "grantfs/util/result.h"

// The roots of the tree's whole subtrees of 256, 65536, ... leaves: what stands in tiles above the lowest.

namespace grantfs {

/// Adds those that the leaf before `size` completes; it and all before it are in the database. Within a
/// transaction. Errors: kIntegrity (a leaf is missing), and as the database's.
Status AddNodes(Database& database, std::uint64_t size);

/// Adds all that are missing of a tree of `size` leaves, in a transaction of its own. Errors: as AddNodes.
Status FillNodes(Database& database, std::uint64_t size);

}  // namespace grantfs

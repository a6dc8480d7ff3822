#pragma once

#include <span>

#include "grantfs/sqlite/database.h"

namespace grantfs {

/// One step of a schema's history: the statements that lead from the schema before to number `version`.
struct Migration {
  int version;  ///< 1, 2, 3, ... without a gap
  Sql sql;
};

/// Brings a database to the newest schema, each step in one transaction with its number, so that a crash
/// leaves a whole one. A database with content is first copied to `PATH.schema-N.bak` (N: the schema that it
/// has), replacing an older such copy.
///
/// @param application_id marks the file as this kind of database; any number but 0.
/// Errors: kUnsupported (the schema is newer than this program; the sentence names both numbers), kInvalid (a
/// database of another program), and as SqlStatement::Step.
Status Migrate(Database& database, int application_id, std::span<const Migration> steps);

}  // namespace grantfs

#include "known_schema_internal.h"

namespace grantfs {

const std::array<Migration, 2> kKnownSchema{{{1, R"(
CREATE TABLE statements (
  list TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  hash BLOB NOT NULL,
  envelope TEXT NOT NULL,
  PRIMARY KEY (list, sequence)
) STRICT, WITHOUT ROWID;
CREATE TABLE heads (
  list TEXT PRIMARY KEY,
  sequence INTEGER NOT NULL,
  hash BLOB NOT NULL,
  minimum INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE TABLE numbers (
  number INTEGER PRIMARY KEY,
  environment TEXT NOT NULL,
  path TEXT NOT NULL,
  UNIQUE (environment, path)
) STRICT;
CREATE TABLE granted (
  number INTEGER PRIMARY KEY,
  data TEXT NOT NULL
) STRICT;
CREATE TABLE texts (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
)"},
                                                 {2, R"(
ALTER TABLE heads ADD COLUMN restored INTEGER NOT NULL DEFAULT 0;
)"}}};

}  // namespace grantfs

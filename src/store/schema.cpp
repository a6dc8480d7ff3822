#include <string>

#include "grantfs/sqlite/migration.h"
#include "schema_5_internal.h"
#include "schema_internal.h"

namespace grantfs {
namespace {

// What each table holds is told in contrib/FORMATS.md, "The database". A schema that was released never
// changes: add a migration behind it.
constexpr Migration kMigrations[] = {
    {1, R"sql(
CREATE TABLE server (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  name TEXT NOT NULL,
  tls_certificate TEXT NOT NULL,
  tls_key BLOB NOT NULL,
  log_origin TEXT NOT NULL,
  log_seed BLOB NOT NULL CHECK (length(log_seed) = 32)
) STRICT;
CREATE TABLE vault (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  hash BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;
CREATE TABLE claim (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  claim TEXT NOT NULL,
  verify BLOB NOT NULL CHECK (length(verify) = 32),
  seal BLOB NOT NULL CHECK (length(seal) = 32)
) STRICT;
CREATE TABLE counters (
  name TEXT PRIMARY KEY,
  value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO counters VALUES ('change', 0), ('secret', 1);

CREATE TABLE lists (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  sequence INTEGER NOT NULL CHECK (sequence >= 0),
  hash BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;
CREATE TABLE statements (
  list INTEGER NOT NULL REFERENCES lists (id),
  sequence INTEGER NOT NULL CHECK (sequence >= 0),
  hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
  signer BLOB NOT NULL CHECK (length(signer) = 32),
  envelope TEXT NOT NULL,
  UNIQUE (list, sequence)
) STRICT;
CREATE INDEX statements_by_signer ON statements (signer, list);

CREATE TABLE secrets (
  number INTEGER PRIMARY KEY CHECK (number BETWEEN 1 AND 274877906943),
  environment TEXT NOT NULL,
  path TEXT NOT NULL,
  UNIQUE (environment, path)
) STRICT;
CREATE TABLE grants (
  secret INTEGER NOT NULL REFERENCES secrets (number) ON DELETE CASCADE,
  kind INTEGER NOT NULL CHECK (kind IN (0, 1)),
  number INTEGER NOT NULL,
  grantee BLOB NOT NULL CHECK (length(grantee) = 32),
  sequence INTEGER NOT NULL,
  label TEXT NOT NULL,
  expires INTEGER NOT NULL,
  leaf BLOB NOT NULL CHECK (length(leaf) = 32),
  PRIMARY KEY (secret, kind, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX grants_by_grantee ON grants (kind, number, secret);

CREATE TABLE blobs (
  id INTEGER PRIMARY KEY,
  data BLOB NOT NULL
) STRICT;
CREATE TABLE versions (
  secret INTEGER NOT NULL REFERENCES secrets (number) ON DELETE CASCADE,
  version INTEGER NOT NULL CHECK (version BETWEEN 1 AND 16777215),
  sequence INTEGER NOT NULL,
  statement BLOB NOT NULL CHECK (length(statement) = 32),
  commitment BLOB NOT NULL CHECK (length(commitment) = 32),
  ciphertext BLOB NOT NULL CHECK (length(ciphertext) = 32),
  size INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  time INTEGER NOT NULL,
  blob INTEGER NOT NULL,
  PRIMARY KEY (secret, version)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER versions_deleted AFTER DELETE ON versions BEGIN
  DELETE FROM blobs WHERE id = OLD.blob;
END;
CREATE TABLE labels (
  secret INTEGER NOT NULL,
  label TEXT NOT NULL,
  version INTEGER NOT NULL,
  PRIMARY KEY (secret, label),
  FOREIGN KEY (secret, version) REFERENCES versions (secret, version) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE TABLE superseded (
  secret INTEGER NOT NULL,
  label TEXT NOT NULL,
  version INTEGER NOT NULL,
  time_ms INTEGER NOT NULL,
  PRIMARY KEY (secret, label, version),
  FOREIGN KEY (secret, version) REFERENCES versions (secret, version) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE TABLE copies (
  secret INTEGER NOT NULL,
  version INTEGER NOT NULL,
  kind INTEGER NOT NULL CHECK (kind IN (0, 1, 2)),
  number INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  sealed BLOB NOT NULL,
  PRIMARY KEY (secret, version, kind, number, epoch),
  FOREIGN KEY (secret, version) REFERENCES versions (secret, version) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE TABLE epoch_copies (
  environment TEXT NOT NULL,
  recipient BLOB NOT NULL CHECK (length(recipient) = 32),
  epoch INTEGER NOT NULL,
  sealed BLOB NOT NULL,
  PRIMARY KEY (environment, recipient, epoch)
) STRICT, WITHOUT ROWID;

CREATE TABLE staging (
  signer BLOB PRIMARY KEY CHECK (length(signer) = 32),
  items INTEGER NOT NULL,
  bytes INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE staged_ciphertexts (
  signer BLOB NOT NULL,
  secret INTEGER NOT NULL,
  version INTEGER NOT NULL,
  commitment BLOB NOT NULL CHECK (length(commitment) = 32),
  hash BLOB NOT NULL CHECK (length(hash) = 32),
  size INTEGER NOT NULL,
  blob INTEGER,
  expires INTEGER NOT NULL,
  PRIMARY KEY (signer, secret, version, commitment)
) STRICT, WITHOUT ROWID;
CREATE INDEX staged_ciphertexts_by_expires ON staged_ciphertexts (expires);
CREATE TRIGGER staged_ciphertexts_made AFTER INSERT ON staged_ciphertexts BEGIN
  INSERT INTO staging VALUES (NEW.signer, 1, NEW.size)
    ON CONFLICT (signer) DO UPDATE SET items = items + 1, bytes = bytes + excluded.bytes;
END;
CREATE TRIGGER staged_ciphertexts_gone AFTER DELETE ON staged_ciphertexts BEGIN
  UPDATE staging SET items = items - 1, bytes = bytes - OLD.size WHERE signer = OLD.signer;
  DELETE FROM blobs WHERE id = OLD.blob;
END;
CREATE TABLE staged_copies (
  signer BLOB NOT NULL,
  secret INTEGER NOT NULL,
  version INTEGER NOT NULL,
  commitment BLOB NOT NULL CHECK (length(commitment) = 32),
  kind INTEGER NOT NULL CHECK (kind IN (0, 1, 2)),
  number INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  sealed BLOB NOT NULL,
  expires INTEGER NOT NULL,
  PRIMARY KEY (signer, secret, version, commitment, kind, number, epoch)
) STRICT, WITHOUT ROWID;
CREATE INDEX staged_copies_by_expires ON staged_copies (expires);
CREATE TRIGGER staged_copies_made AFTER INSERT ON staged_copies BEGIN
  INSERT INTO staging VALUES (NEW.signer, 1, length(NEW.sealed))
    ON CONFLICT (signer) DO UPDATE SET items = items + 1, bytes = bytes + excluded.bytes;
END;
CREATE TRIGGER staged_copies_gone AFTER DELETE ON staged_copies BEGIN
  UPDATE staging SET items = items - 1, bytes = bytes - length(OLD.sealed) WHERE signer = OLD.signer;
END;
CREATE TABLE staged_epoch_copies (
  signer BLOB NOT NULL,
  environment TEXT NOT NULL,
  epoch INTEGER NOT NULL,
  recipient BLOB NOT NULL CHECK (length(recipient) = 32),
  sealed BLOB NOT NULL,
  expires INTEGER NOT NULL,
  PRIMARY KEY (signer, environment, epoch, recipient)
) STRICT, WITHOUT ROWID;
CREATE INDEX staged_epoch_copies_by_expires ON staged_epoch_copies (expires);
CREATE TRIGGER staged_epoch_copies_made AFTER INSERT ON staged_epoch_copies BEGIN
  INSERT INTO staging VALUES (NEW.signer, 1, length(NEW.sealed))
    ON CONFLICT (signer) DO UPDATE SET items = items + 1, bytes = bytes + excluded.bytes;
END;
CREATE TRIGGER staged_epoch_copies_gone AFTER DELETE ON staged_epoch_copies BEGIN
  UPDATE staging SET items = items - 1, bytes = bytes - length(OLD.sealed) WHERE signer = OLD.signer;
END;

CREATE TABLE enrolments (
  invitation TEXT PRIMARY KEY,
  enrolment TEXT NOT NULL,
  received INTEGER NOT NULL,
  state INTEGER NOT NULL CHECK (state IN (0, 1)),
  changed INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX enrolments_by_state ON enrolments (state, received);

CREATE TABLE audit_leaves (
  sequence INTEGER PRIMARY KEY,
  leaf BLOB NOT NULL,
  hash BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;
CREATE TABLE audit_bodies (
  sequence INTEGER PRIMARY KEY REFERENCES audit_leaves (sequence),
  salt BLOB NOT NULL,
  body TEXT NOT NULL,
  time_ms INTEGER NOT NULL,
  severity INTEGER NOT NULL,
  environment TEXT,
  object TEXT,
  actor TEXT
) STRICT;
CREATE INDEX audit_by_time ON audit_bodies (time_ms);
CREATE INDEX audit_by_severity ON audit_bodies (severity) WHERE severity > 0;
CREATE INDEX audit_by_environment ON audit_bodies (environment) WHERE environment IS NOT NULL;
CREATE INDEX audit_by_object ON audit_bodies (object) WHERE object IS NOT NULL;
CREATE INDEX audit_by_actor ON audit_bodies (actor) WHERE actor IS NOT NULL;
CREATE TABLE audit_opens (
  open BLOB PRIMARY KEY CHECK (length(open) = 16),
  sequence INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE audit_tree (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  size INTEGER NOT NULL,
  edge BLOB NOT NULL
) STRICT;
CREATE TABLE audit_checkpoints (
  size INTEGER PRIMARY KEY,
  checkpoint TEXT NOT NULL
) STRICT;
)sql"},
    {2, R"sql(
CREATE TABLE journals (
  machine BLOB NOT NULL CHECK (length(machine) = 32),
  journal TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  hash BLOB NOT NULL CHECK (length(hash) = 32),
  changed INTEGER NOT NULL,
  PRIMARY KEY (machine, journal)
) STRICT, WITHOUT ROWID;
CREATE INDEX journals_by_changed ON journals (machine, changed);
)sql"},
    {3, R"sql(
CREATE TABLE freezes (
  kind INTEGER NOT NULL CHECK (kind IN (0, 1)),
  object TEXT NOT NULL,
  signer BLOB NOT NULL CHECK (length(signer) = 32),
  name TEXT NOT NULL,
  time INTEGER NOT NULL,
  reason TEXT NOT NULL,
  PRIMARY KEY (kind, object)
) STRICT, WITHOUT ROWID;
)sql"},
    // A leaf's type is its fifth word, behind that of its severity.
    {4, R"sql(
ALTER TABLE audit_bodies ADD COLUMN type TEXT NOT NULL DEFAULT '';
ALTER TABLE audit_bodies ADD COLUMN outcome TEXT;
UPDATE audit_bodies SET
  type = (SELECT substr(told, instr(told, word) + length(word), length(told) - 65 - instr(told, word) - length(word) + 1)
          FROM (SELECT CAST(leaf AS TEXT) AS told, CASE audit_bodies.severity WHEN 0 THEN ' info ' WHEN 1 THEN ' notice '
                       WHEN 2 THEN ' warning ' ELSE ' critical ' END AS word
                FROM audit_leaves WHERE sequence = audit_bodies.sequence)),
  outcome = CASE WHEN json_type(body, '$.outcome') = 'text' AND body ->> '$.outcome' <> '' THEN body ->> '$.outcome' END;
DROP INDEX audit_by_time;
DROP INDEX audit_by_severity;
CREATE INDEX audit_notable ON audit_bodies (sequence) WHERE severity > 0;
CREATE INDEX audit_critical ON audit_bodies (sequence) WHERE severity = 3;
CREATE INDEX audit_by_type ON audit_bodies (type) WHERE type <> 'secret.read';
CREATE INDEX audit_by_outcome ON audit_bodies (outcome) WHERE outcome <> 'done';
CREATE TABLE audit_spans (
  span INTEGER PRIMARY KEY,
  first_ms INTEGER NOT NULL,
  last_ms INTEGER NOT NULL
) STRICT;
INSERT INTO audit_spans SELECT sequence / 4096, min(time_ms), max(time_ms) FROM audit_bodies GROUP BY sequence / 4096;
CREATE TABLE audit_nodes (
  level INTEGER NOT NULL CHECK (level BETWEEN 1 AND 7),
  number INTEGER NOT NULL,
  hash BLOB NOT NULL CHECK (length(hash) = 32),
  PRIMARY KEY (level, number)
) STRICT, WITHOUT ROWID;
ALTER TABLE secrets ADD COLUMN deleted INTEGER NOT NULL DEFAULT 0 CHECK (deleted IN (0, 1));
ALTER TABLE versions ADD COLUMN expires INTEGER NOT NULL DEFAULT 0;
CREATE TABLE canaries (
  secret INTEGER PRIMARY KEY REFERENCES secrets (number) ON DELETE CASCADE,
  name TEXT NOT NULL,
  time INTEGER NOT NULL
) STRICT;
CREATE TABLE tripwires (
  environment TEXT PRIMARY KEY,
  signer BLOB NOT NULL CHECK (length(signer) = 32),
  name TEXT NOT NULL,
  time INTEGER NOT NULL,
  canary INTEGER NOT NULL CHECK (canary IN (0, 1)),
  scope INTEGER NOT NULL CHECK (scope IN (0, 1)),
  rate INTEGER NOT NULL CHECK (rate >= 0),
  rate_action INTEGER NOT NULL CHECK (rate_action IN (0, 1)),
  passes TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE alert_sinks (
  sink TEXT PRIMARY KEY,
  reached INTEGER NOT NULL CHECK (reached >= 0)
) STRICT, WITHOUT ROWID;
CREATE TABLE destroyed (
  number INTEGER PRIMARY KEY,
  environment TEXT NOT NULL,
  path TEXT NOT NULL
) STRICT;
)sql"},
    {5, kSchema5},
};
static_assert(std::size(kMigrations) == kStoreSchema);

}  // namespace

Status MigrateStore(Database& database) { return Migrate(database, kStoreApplicationId, kMigrations); }

Status CheckStoreSchema(Database& database) {
  if (GRANTFS_TRY(database.ApplicationId()) != kStoreApplicationId) {
    return Error{Code::kInvalid, "is not the database of a grantfs vault", 0, database.path()};
  }
  const int version = GRANTFS_TRY(database.UserVersion());
  if (version >= 1 && version <= kStoreSchema) return {};
  return Error{Code::kUnsupported, "upgrade grantfs to read it", 0,
               database.path() + " has schema " + std::to_string(version) +
                   ", this grantfs knows none above " + std::to_string(kStoreSchema)};
}

Status QuickCheck(Database& database, CheckedPages pages) {
  SqlStatement check = GRANTFS_TRY(
      pages == CheckedPages::kAll
          ? database.Prepare("PRAGMA quick_check(1)")
          : database.Prepare("SELECT checked.* FROM sqlite_schema AS listed, pragma_quick_check(listed.name) "
                             "AS checked WHERE "
                             "listed.type = 'table' AND listed.name NOT IN ('audit_leaves', 'audit_bodies', "
                             "'audit_opens')"));
  while (GRANTFS_TRY(check.Step())) {
    if (check.Text(0) == "ok") continue;
    return Error{Code::kIntegrity, "the database is damaged: restore a backup", 0,
                 database.path() + " (" + check.Text(0) + ")"};
  }
  return {};
}

}  // namespace grantfs

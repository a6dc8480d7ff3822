#pragma once

namespace grantfs {

/// The step to schema 5: requests to an environment's owners; groups; freezes of a machine in one
/// environment; what a tripwire's project stands for; the TLS key that is to come.
inline constexpr char kSchema5[] = R"sql(
CREATE TABLE requests (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  id BLOB NOT NULL UNIQUE CHECK (length(id) = 32),
  environment TEXT NOT NULL,
  signer BLOB NOT NULL CHECK (length(signer) = 32),
  type TEXT NOT NULL,
  subject TEXT NOT NULL,
  envelope TEXT NOT NULL,
  received INTEGER NOT NULL,
  expires INTEGER NOT NULL,
  state INTEGER NOT NULL CHECK (state BETWEEN 0 AND 3),
  changed INTEGER NOT NULL,
  settled_by TEXT NOT NULL,
  reason TEXT NOT NULL
) STRICT;
CREATE INDEX requests_by_environment ON requests (environment, number);
CREATE INDEX requests_open ON requests (environment, signer) WHERE state = 0;
CREATE INDEX requests_by_signer ON requests (environment, signer, number);
CREATE INDEX requests_by_expires ON requests (expires);

-- Groups. epoch is the group's, of which there are copies of the newest alone; recipient_epoch is that of the
-- environment's key where the recipient is the environment.
CREATE TABLE group_copies (
  environment TEXT NOT NULL,
  grp INTEGER NOT NULL,
  kind INTEGER NOT NULL CHECK (kind IN (0, 1, 3)),
  number INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  recipient_epoch INTEGER NOT NULL,
  sealed BLOB NOT NULL,
  PRIMARY KEY (environment, grp, kind, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX group_copies_by_recipient ON group_copies (kind, number);
CREATE TABLE staged_group_copies (
  signer BLOB NOT NULL,
  environment TEXT NOT NULL,
  grp INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  kind INTEGER NOT NULL CHECK (kind IN (0, 1, 3)),
  number INTEGER NOT NULL,
  recipient_epoch INTEGER NOT NULL,
  sealed BLOB NOT NULL,
  expires INTEGER NOT NULL,
  PRIMARY KEY (signer, environment, grp, epoch, kind, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX staged_group_copies_by_expires ON staged_group_copies (expires);
CREATE TRIGGER staged_group_copies_made AFTER INSERT ON staged_group_copies BEGIN
  INSERT INTO staging VALUES (NEW.signer, 1, length(NEW.sealed))
    ON CONFLICT (signer) DO UPDATE SET items = items + 1, bytes = bytes + excluded.bytes;
END;
CREATE TRIGGER staged_group_copies_gone AFTER DELETE ON staged_group_copies BEGIN
  UPDATE staging SET items = items - 1, bytes = bytes - length(OLD.sealed) WHERE signer = OLD.signer;
END;
CREATE TABLE prefix_grants (
  environment TEXT NOT NULL,
  prefix TEXT NOT NULL,
  grp INTEGER NOT NULL,
  label TEXT NOT NULL,
  expires INTEGER NOT NULL,
  PRIMARY KEY (environment, prefix, grp)
) STRICT, WITHOUT ROWID;
CREATE INDEX prefix_grants_by_group ON prefix_grants (environment, grp);

-- Freezes of a machine in one environment, and how far a tripwire reaches.
CREATE TABLE freezes_with_environment (
  kind INTEGER NOT NULL CHECK (kind IN (0, 1, 2)),
  object TEXT NOT NULL,
  environment TEXT NOT NULL,
  signer BLOB NOT NULL CHECK (length(signer) = 32),
  name TEXT NOT NULL,
  time INTEGER NOT NULL,
  reason TEXT NOT NULL,
  PRIMARY KEY (kind, object, environment)
) STRICT, WITHOUT ROWID;
INSERT INTO freezes_with_environment SELECT kind, object, '', signer, name, time, reason FROM freezes;
DROP TABLE freezes;
ALTER TABLE freezes_with_environment RENAME TO freezes;
ALTER TABLE tripwires ADD COLUMN reach TEXT NOT NULL DEFAULT '[]';

-- The TLS key that is to come.
CREATE TABLE tls_next (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  certificate TEXT NOT NULL,
  key BLOB NOT NULL,
  made INTEGER NOT NULL
) STRICT;
)sql";

}  // namespace grantfs

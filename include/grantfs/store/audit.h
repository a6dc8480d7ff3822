#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "grantfs/crypto/hash.h"
#include "grantfs/json/json.h"
#include "grantfs/tlog/leaf.h"
#include "grantfs/util/bytes.h"

namespace grantfs {

/// One thing that happened, to be recorded. `type` and time stay readable by every identity for ever (they
/// are in the leaf); the body is for owners and auditors of `environment`.
struct AuditRecord {
  std::int64_t time_ms = 0;  ///< unix milliseconds
  AuditSeverity severity = AuditSeverity::kInfo;
  std::string type;         ///< what was done: "secret.read"; 1..64 of [a-z0-9.-]
  std::string environment;  ///< "" = the vault's own; stands in the body too, as "environment"
  Json body;                ///< an object; at most kMaxAuditBodyBytes as text
  /// One open of a file is recorded once: a second record with this id, and with the same type, environment
  /// and the same "actor", "object", "version" and "outcome" in its body, appends nothing. So one machine's
  /// id never covers another's read, nor a refusal the read that follows it. "" = no such thing.
  std::string open_id;
};

inline constexpr std::size_t kMaxAuditBodyBytes = 16 * 1024;

/// The text members of a body that a search knows: who did it and what to ("shop/prod/db-password"). Records
/// are found by these, and by environment.
inline constexpr char kAuditActor[] = "actor";
inline constexpr char kAuditObject[] = "object";
inline constexpr char kAuditOutcome[] = "outcome";
/// The type of most records: of values that were given out, or asked for.
inline constexpr char kAuditReadType[] = "secret.read";

/// What the columns beside a body say, for whoever searches: they repeat what the leaf or the body says.
struct AuditColumns {
  std::int64_t time_ms = 0;
  int severity = 0;
  std::string environment;
  std::string object;
  std::string actor;
  std::string type;
  std::string outcome;
  bool typed = true;  ///< false: a database of an older schema, without the last two
};

/// A record as it is stored.
struct AuditEntry {
  std::uint64_t sequence = 0;  ///< from 0
  Bytes leaf;
  std::optional<Hash> leaf_hash;        ///< as stored beside it: from a database, not over the wire
  std::optional<Bytes> salt;            ///< with the body
  std::optional<std::string> body;      ///< JSON; absent when not asked for, not allowed, or purged
  std::optional<AuditColumns> columns;  ///< from a database, not over the wire
};

/// How many records one search looks at, at most.
inline constexpr std::size_t kMaxAuditScan = 20'000;

/// Which records to find; empty members do not narrow.
struct AuditQuery {
  std::string environment;
  bool within = false;  ///< looks at no other environment's records, whatever that costs
  std::string object;
  bool below = false;  ///< `object` is the beginning of objects' names: "shop/prod/tls/"
  std::string actor;
  std::string type;
  std::string outcome;
  std::optional<AuditSeverity> at_least;
  std::optional<std::uint64_t> before;   ///< sequence, exclusive
  std::optional<std::uint64_t> from;     ///< sequence, inclusive; there: the oldest first, else the newest
  std::optional<std::int64_t> since_ms;  ///< unix milliseconds, inclusive
  std::optional<std::int64_t> until_ms;  ///< exclusive
  std::size_t limit = 100;               ///< 1..1000
  std::size_t scan = kMaxAuditScan;      ///< 1..kMaxAuditScan
};

/// What a search has found, as far as it went.
struct AuditFound {
  std::vector<AuditEntry> records;
  /// Newest first: go on with `before` = this; none: there is no more. Oldest first: go on with `from` = this
  /// in any case; it is the log's size where all was looked at.
  std::optional<std::uint64_t> next;
  std::size_t scanned = 0;  ///< records that were looked at
};

}  // namespace grantfs

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "grantfs/store/audit_verify.h"
#include "grantfs/util/result.h"

namespace grantfs {

/// One audit record (store/audit.h), as far as the asker may see it.
struct AuditLine {
  std::uint64_t sequence = 0;
  std::int64_t time = 0;
  std::string severity;
  std::string type;  ///< "secret.read", "grant.add", ...: the leaf header's
  bool has_body = false;
  std::string actor;  ///< a name where the lists know one, else the identity
  std::string actor_id;
  std::string action;
  std::string object;  ///< "shop/prod/db-password", or what else it was done to
  std::string about;   ///< the machine that a grant is to, the number of the one that it is taken from
  std::uint32_t version = 0;
  std::string outcome;
  std::string reason;
  std::string source;        ///< address
  std::string caller;        ///< "uid 33 pid 4711 /usr/sbin/nginx", "" = none
  bool lease = false;        ///< served by the machine itself under a lease or offline, and told later
  std::int64_t read_ms = 0;  ///< then: when, unix milliseconds
  std::uint64_t count = 1;   ///< so many of a kind, ...
  std::int64_t first = 0;    ///< ... from this time (unix seconds, 0 = not counted) ...
  std::int64_t last = 0;     ///< ... to this
  std::string body;          ///< the JSON text, for programs
};

/// Which records; what is empty or absent does not narrow.
struct AuditFilter {
  std::string environment;  ///< "" = any of those that one may audit
  std::string object;       ///< "shop/prod/db-password"; what lies below it: "shop/prod/*"
  std::string actor;        ///< a name or an identity
  std::string action;       ///< the record's type: "secret.read"
  std::string outcome;      ///< "done", "refused"
  std::optional<AuditSeverity> at_least;
  std::optional<std::int64_t> since_ms;  ///< unix milliseconds, inclusive
  std::optional<std::int64_t> until_ms;  ///< exclusive
  std::size_t limit = 100;               ///< of a list: the newest so many; 0 = all
  bool operator==(const AuditFilter&) const = default;
};

/// More are for an export, which holds one page at a time.
inline constexpr std::size_t kMaxListedRecords = 1'000'000;

/// Records in the order in which they were written.
struct AuditPage {
  std::vector<AuditLine> lines;
  std::uint64_t next = 0;  ///< the record to go on from; all before it were looked at, each once
  bool end = false;        ///< there is no more yet
};

/// A program on a machine, or a person, that has read a secret.
struct SecretReader {
  std::string who;
  std::string id;
  bool process = false;  ///< uid and executable are known
  std::uint32_t uid = 0;
  std::string executable;
  std::uint32_t version = 0;  ///< that it read last; 0: it is granted the secret, and has read none
  std::int64_t time = 0;      ///< when, unix seconds
  std::uint64_t record = 0;   ///< that says so
  std::uint64_t count = 0;    ///< its reads, of any version
  bool granted = false;       ///< its machine may read it now
  std::string by;             ///< then: "@web", "@web shop/prod/tls/", "": its own grant; a person's role
  bool current = false;       ///< what it read last is the current version
};

struct ReadersReport {
  std::uint32_t version = 0;          ///< the current one, 0 = none
  std::vector<SecretReader> readers;  ///< by who, then the program
  /// Groups that may read it, whose machines are not mine to know: "@web". Who is not `granted` may be in
  /// one.
  std::vector<std::string> unseen;
};

/// What was proved of the log, without reading the whole of it.
struct AuditProof {
  std::uint64_t size = 0;  ///< of the newest checkpoint, signed by the log's key
  Hash root;
  std::uint64_t before =
      0;  ///< size of the checkpoint that the home remembered, which is a prefix of it; 0: none
  std::optional<AuditLine>
      record;  ///< the one that was asked for: it is in the log, its body, if shown, as well
};

/// Verifies the log in a copy of a vault's database. @param home_directory anchors on its lists and
/// checkpoint; "" = none. Errors: kNotFound, kIntegrity (the log's key or checkpoint is not what the home
/// knows), kIo.
Result<AuditVerdict> VerifyAuditCopy(const std::string& database_path, const std::string& home_directory);

}  // namespace grantfs

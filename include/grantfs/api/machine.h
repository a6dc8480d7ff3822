#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "grantfs/api/bounds.h"
#include "grantfs/api/freezes.h"
#include "grantfs/json/json.h"
#include "grantfs/trust/lists.h"

// What a machine asks: its grants, its reads.

namespace grantfs::api {

/// POST /v1/machine/grants: a page of all, or single secrets.
struct GrantsRequest {
  struct Secret {
    std::uint64_t number = 0;
    std::uint64_t from = 0;  ///< sequence of the head that the machine remembers, 0 = none
  };
  std::uint64_t after = 0;         ///< secrets above this number
  std::size_t limit = kMaxGrants;  ///< 1..kMaxGrants; the server may send fewer
  std::vector<Secret> secrets;     ///< if not empty (at most kMaxGrants): these instead of a page
  Json ToJson() const;
  static Result<GrantsRequest> FromJson(const Json& json);
};

/// One grant with what is needed to verify it.
struct GrantEvidence {
  std::uint64_t secret = 0;
  std::string environment;
  std::string path;
  std::uint64_t first = 0;  ///< sequence of statements[0]; of the one after the head where there are none
  /// The end of the secret's list: after the head that the machine remembers; or, where it remembers none or
  /// the grants changed since, from the last counted statement that set the grants' root.
  std::vector<std::string> statements;
  std::string grant;  ///< envelope; "" where it is granted by a prefix
  SecretList::GrantProof proof;
  /// Of the grant by prefix in the environment's list.
  std::optional<EnvironmentGroups::PrefixKey> prefix;
  std::string version;  ///< envelope of the one that the grant's label points at; "" = none yet
  /// The statements end before the list does: ask for this secret again, from the last of them.
  bool more = false;
  Json ToJson() const;
  static Result<GrantEvidence> FromJson(const Json& json);
};
/// A machine's copy of the private key of a group's newest epoch.
struct OwnGroupKey {
  std::string environment;
  std::uint64_t group = 0;
  std::uint32_t epoch = 0;
  Bytes sealed;
  Json ToJson() const;
  static Result<OwnGroupKey> FromJson(const Json& json);
  bool operator==(const OwnGroupKey&) const = default;
};
struct EnvironmentHead {
  std::string name;
  Head head;
};
struct GrantsResponse {
  Head vault_head;
  std::vector<EnvironmentHead> environments;  ///< all in which the machine has a standing grant
  std::vector<OwnGroupKey> groups;            ///< all that it is in
  std::vector<Freeze> freezes;                ///< of this machine and of these environments
  std::vector<GrantEvidence> grants;          ///< ordered by secret
  bool more = false;  ///< a page: ask again after the last; secrets: the rest was not sent
  Json ToJson() const;
  static Result<GrantsResponse> FromJson(const Json& json);
};

/// The process that opened a file, as the mount saw it.
struct CallerInfo {
  std::uint32_t pid = 0;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::string executable;
  std::string cgroup;
  Json ToJson() const;
  static Result<CallerInfo> FromJson(const Json& json);
};

/// POST /v1/machine/read.
struct ReadRequest {
  std::uint64_t secret = 0;
  std::uint32_t version = 0;  ///< 0: the one that the grant's label points at
  bool grace = false;         ///< `version` may have been superseded up to a minute ago
  std::string open;           ///< recorded once: 1..64 of [0-9a-z-]
  CallerInfo caller;
  Json ToJson() const;
  static Result<ReadRequest> FromJson(const Json& json);
};
struct ReadResponse {
  std::uint64_t secret = 0;
  std::uint32_t version = 0;
  Hash statement;  ///< of the version
  Bytes ciphertext;
  Bytes sealed;  ///< the data key, to the machine's key or its group's
  std::uint64_t group = 0;        ///< that it is sealed to, 0 = the machine itself
  std::uint32_t group_epoch = 0;  ///< of that group
  Head vault_head;
  Head environment_head;
  Head secret_head;
  std::uint64_t record = 0;  ///< place in the audit log
  Json ToJson() const;
  static Result<ReadResponse> FromJson(const Json& json);
};

/// POST /v1/machine/check.
struct CheckRequest {
  std::uint64_t secret = 0;
  std::uint32_t version = 0;
  Json ToJson() const;
  static Result<CheckRequest> FromJson(const Json& json);
};

/// POST /v1/machine/refusals: reads that a mount refused because of who read, each counted within a minute.
struct RefusalsRequest {
  struct Refusal {
    std::string id;  ///< recorded once: 1..64 of [0-9a-z-]
    std::uint64_t secret = 0;
    std::uint32_t version = 0;
    std::string reason;
    std::uint64_t count = 0;
    std::int64_t first = 0, last = 0;  ///< unix seconds
    CallerInfo caller;                 ///< of the first
  };
  std::vector<Refusal> refusals;  ///< 1..kMaxRefusals
  Json ToJson() const;
  static Result<RefusalsRequest> FromJson(const Json& json);
};
/// POST /v1/machine/journal: entries of one journal in a row (contrib/FORMATS.md, "The journal").
struct JournalRequest {
  std::string journal;               ///< 32 hexadecimal digits
  std::vector<std::string> entries;  ///< 1..kMaxJournalEntries, the text that is hashed
  Signature signature;               ///< up to the last entry
  bool places = false;               ///< the answer is to say in which records they stand
  Json ToJson() const;
  static Result<JournalRequest> FromJson(const Json& json);
};
struct JournalResponse {
  std::uint64_t sequence = 0;  ///< up to which the journal is recorded
  /// If asked for: the records of the last so many entries that were sent; those before them were recorded
  /// earlier.
  std::vector<std::uint64_t> places;
  Json ToJson() const;
  static Result<JournalResponse> FromJson(const Json& json);
};

/// POST /v1/watch/ack.
struct AckRequest {
  std::uint64_t change = 0;
  Json ToJson() const;
  static Result<AckRequest> FromJson(const Json& json);
};

/// POST /v1/machines/presence.
struct PresenceRequest {
  Hash machine;
  std::uint64_t change = 0;
  int wait_ms = 0;  ///< 0..kMaxPresenceWaitMs
  Json ToJson() const;
  static Result<PresenceRequest> FromJson(const Json& json);
};
struct PresenceResponse {
  bool online = false;
  std::uint64_t acknowledged = 0;
  std::int64_t last_seen = 0;  ///< unix seconds; 0 = not since the server started
  Json ToJson() const;
  static Result<PresenceResponse> FromJson(const Json& json);
};

}  // namespace grantfs::api

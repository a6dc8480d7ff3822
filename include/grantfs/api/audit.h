#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "grantfs/api/bounds.h"
#include "grantfs/json/json.h"
#include "grantfs/store/audit.h"

namespace grantfs::api {

/// POST /v1/audit/records.
struct AuditRecordsRequest {
  std::uint64_t from = 0;
  std::size_t limit = kMaxAuditRecords;
  bool bodies = false;  ///< those that one may see
  Json ToJson() const;
  static Result<AuditRecordsRequest> FromJson(const Json& json);
};
struct AuditRecordsResponse {
  std::string checkpoint;  ///< covers all records that are sent; "" while the log is empty
  std::vector<AuditEntry> records;
  Json ToJson() const;
  static Result<AuditRecordsResponse> FromJson(const Json& json);
};

/// POST /v1/audit/search: with bodies; newest first, or with `from` oldest first.
struct AuditSearchRequest {
  std::string environment;  ///< empty members do not narrow
  std::string object;
  std::string below;  ///< instead of `object`: what its name begins with
  std::string actor;
  std::string type;
  std::string outcome;
  std::optional<AuditSeverity> at_least;
  std::optional<std::int64_t> since_ms;  ///< inclusive
  std::optional<std::int64_t> until_ms;  ///< exclusive
  std::size_t limit = 100;
  std::optional<std::uint64_t> before;  ///< one of these at most
  std::optional<std::uint64_t> from;
  Json ToJson() const;
  static Result<AuditSearchRequest> FromJson(const Json& json);
};
struct AuditSearchResponse {
  std::vector<AuditEntry> records;  ///< may be fewer than asked for, even none, and yet not the last
  /// Newest first: go on with `before` = this, which is lower; none: there is no more. Oldest first: go on
  /// with `from` = this, which is not lower; the same as asked for: there is no more yet.
  std::optional<std::uint64_t> next;
  Json ToJson() const;
  static Result<AuditSearchResponse> FromJson(const Json& json);
};

/// POST /v1/audit/readers: who has read a secret, and which version last.
struct AuditReadersRequest {
  std::string environment;
  std::string path;
  std::optional<std::uint64_t> before;
  Json ToJson() const;
  static Result<AuditReadersRequest> FromJson(const Json& json);
};
/// One process, or program, of one identity.
struct AuditReader {
  std::string actor;     ///< the identity's id
  std::string name;      ///< as the vault knew it at its last read
  bool process = false;  ///< uid and executable are known
  std::uint32_t uid = 0;
  std::string executable;
  std::uint32_t version = 0;  ///< that it read last
  std::int64_t time_ms = 0;   ///< when
  std::uint64_t record = 0;   ///< which says so
  std::uint64_t count = 0;    ///< reads, of any version
};
struct AuditReadersResponse {
  std::vector<AuditReader> readers;   ///< of the records that were looked at
  std::optional<std::uint64_t> next;  ///< go on with `before` = this, and put both together
  Json ToJson() const;
  static Result<AuditReadersResponse> FromJson(const Json& json);
};

}  // namespace grantfs::api

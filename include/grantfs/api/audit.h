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

}  // namespace grantfs::api

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "grantfs/api/bounds.h"
#include "grantfs/json/json.h"
#include "grantfs/trust/statement.h"
#include "grantfs/util/result.h"

// The vault as a whole and its signed lists. Every shape has ToJson and FromJson; FromJson refuses unknown
// members and whatever is out of bounds with kInvalid. A statement travels as the text of its envelope.

namespace grantfs::api {

/// GET /v1/claim: what goes into the genesis.
struct ClaimInfo {
  Hash pin;
  std::string log_origin;
  VerifyKey log_key;
  std::string name;
  Json ToJson() const;
  static Result<ClaimInfo> FromJson(const Json& json);
};

/// POST /v1/claim: the first statements of both lists.
struct ClaimRequest {
  std::vector<std::string> vault;
  std::vector<std::string> machines;
  Json ToJson() const;
  static Result<ClaimRequest> FromJson(const Json& json);
};
struct ClaimResponse {
  Hash vault;
  Json ToJson() const;
  static Result<ClaimResponse> FromJson(const Json& json);
};

/// GET /v1/status.
struct StatusResponse {
  Hash vault;
  std::string name;
  std::string version;    ///< of the server's program
  std::int64_t time = 0;  ///< unix seconds
  Head vault_head;
  std::int64_t level = 1;
  std::string checkpoint;      ///< of the audit log, signed; "" while it is empty
  std::int64_t not_after = 0;  ///< when the asker's life here ends, 0 = never
  Json ToJson() const;
  static Result<StatusResponse> FromJson(const Json& json);
};

/// POST /v1/lists/read.
struct ListReadRequest {
  ListId list;
  std::uint64_t from = 0;
  std::size_t limit = kMaxStatements;  ///< 1..kMaxStatements
  Json ToJson() const;
  static Result<ListReadRequest> FromJson(const Json& json);
};
struct ListReadResponse {
  ListId list;
  std::optional<Head> head;  ///< absent: the list does not exist
  std::vector<std::string> statements;
  Json ToJson() const;
  static Result<ListReadResponse> FromJson(const Json& json);
};

/// POST /v1/lists/tails: of several secrets of one environment, what their lists have from a sequence on.
struct TailsRequest {
  struct From {
    std::uint64_t secret = 0;  ///< its number
    std::uint64_t from = 0;
  };
  std::string environment;
  std::vector<From> secrets;  ///< 1..kMaxTails
  Json ToJson() const;
  static Result<TailsRequest> FromJson(const Json& json);
};
/// Of the first of them, at least of one, in the order in which they were asked for. A list stands here up to
/// its head, unless it is the first and larger than a response.
struct TailsResponse {
  std::vector<ListReadResponse> lists;
  Json ToJson() const;
  static Result<TailsResponse> FromJson(const Json& json);
};

/// POST /v1/lists/append: one atomic append over several lists.
struct ListAppend {
  ListId list;
  std::vector<std::string> statements;
};
struct AppendRequest {
  std::vector<ListAppend> appends;
  Json ToJson() const;
  static Result<AppendRequest> FromJson(const Json& json);
};
struct ListHead {
  ListId list;
  Head head;
};
struct AppendResponse {
  std::uint64_t change = 0;  ///< what watches will speak of
  std::vector<ListHead> heads;
  Json ToJson() const;
  static Result<AppendResponse> FromJson(const Json& json);
};

/// {}: where there is nothing to say.
struct Nothing {
  Json ToJson() const { return Json::Object(); }
  static Result<Nothing> FromJson(const Json& json);
};

}  // namespace grantfs::api

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "grantfs/api/bounds.h"
#include "grantfs/json/json.h"
#include "grantfs/store/requests.h"
#include "grantfs/trust/request.h"

// What somebody asks an environment's owners for. What fulfils a request is an append like any other, whose
// statements name it.

namespace grantfs::api {

inline constexpr std::size_t kMaxRequestsListed = 200;
/// That one identity may have open in one environment: what it asks for / what waits for a second owner.
inline constexpr std::uint64_t kMaxOpenRequests = 20;
inline constexpr std::uint64_t kMaxOpenConsents = 1000;

/// POST /v1/requests/ask.
struct RequestAskRequest {
  std::string request;  ///< the envelope
  Json ToJson() const;
  static Result<RequestAskRequest> FromJson(const Json& json);
};
struct RequestAskResponse {
  Hash id;
  Json ToJson() const;
  static Result<RequestAskResponse> FromJson(const Json& json);
};

/// POST /v1/requests/list: newest first. All of an environment for its owners, one's own for who may ask.
struct RequestsListRequest {
  std::string environment;
  bool mine = false;
  bool all = false;  ///< also those that are settled or past their end
  std::optional<std::uint64_t> before;
  std::size_t limit = kMaxRequestsListed;  ///< 1..kMaxRequestsListed
  Json ToJson() const;
  static Result<RequestsListRequest> FromJson(const Json& json);
};
struct RequestsListResponse {
  struct Entry {
    std::uint64_t number = 0;
    std::string request;  ///< the envelope
    std::int64_t received = 0;
    RequestState state = RequestState::kOpen;
    std::int64_t changed = 0;
    std::string by;
    std::string reason;
  };
  std::vector<Entry> requests;
  bool more = false;  ///< go on before the last
  Json ToJson() const;
  static Result<RequestsListResponse> FromJson(const Json& json);
};

/// POST /v1/requests/settle: an owner refuses, who asked withdraws.
struct RequestSettleRequest {
  Hash id;
  RequestState state = RequestState::kRefused;  ///< or kWithdrawn
  std::string reason;
  Json ToJson() const;
  static Result<RequestSettleRequest> FromJson(const Json& json);
};

}  // namespace grantfs::api

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "grantfs/api/bounds.h"
#include "grantfs/json/json.h"
#include "grantfs/store/rows.h"

// Tripwires: what nobody has a reason to do, and what comes of it. The server's own state; no machine is
// told.

namespace grantfs::api {

inline constexpr std::size_t kMaxCanariesListed = 1000;

/// POST /v1/canaries/set.
struct CanaryRequest {
  std::uint64_t secret = 0;
  bool canary = true;
  Json ToJson() const;
  static Result<CanaryRequest> FromJson(const Json& json);
};
struct CanaryResponse {
  bool changed = false;  ///< false: it was so before
  Json ToJson() const;
  static Result<CanaryResponse> FromJson(const Json& json);
};

/// POST /v1/canaries/list: an environment's, by number.
struct CanariesListRequest {
  std::string environment;
  std::uint64_t after = 0;
  std::size_t limit = kMaxCanariesListed;  ///< 1..kMaxCanariesListed
  Json ToJson() const;
  static Result<CanariesListRequest> FromJson(const Json& json);
};
struct CanariesListResponse {
  struct Canary {
    std::uint64_t secret = 0;
    std::string path;
    std::string by;
    std::int64_t time = 0;  ///< unix seconds
  };
  std::vector<Canary> canaries;
  bool more = false;  ///< go on after the last
  Json ToJson() const;
  static Result<CanariesListResponse> FromJson(const Json& json);
};

Json PolicyToJson(const TripwirePolicy& policy);
Result<TripwirePolicy> PolicyFromJson(const Json& json);

/// POST /v1/tripwires/set: answered as /v1/tripwires/show.
struct TripwireSetRequest {
  std::string environment;
  TripwirePolicy policy;
  Json ToJson() const;
  static Result<TripwireSetRequest> FromJson(const Json& json);
};
/// POST /v1/tripwires/show.
struct TripwireShowRequest {
  std::string environment;
  Json ToJson() const;
  static Result<TripwireShowRequest> FromJson(const Json& json);
};
struct TripwireResponse {
  std::string by;         ///< who set it; "": nobody, it is as usual
  std::int64_t time = 0;  ///< unix seconds; 0 with it
  TripwirePolicy policy;
  Json ToJson() const;
  static Result<TripwireResponse> FromJson(const Json& json);
};

}  // namespace grantfs::api

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "grantfs/json/json.h"
#include "grantfs/util/result.h"

// Where critical records are told outside of the vault.

namespace grantfs::api {

inline constexpr std::size_t kMaxAlertSinks = 8;
inline constexpr std::size_t kMaxAlertErrorBytes = 512;

struct AlertState {
  std::string sink;             ///< its kind: "webhook"
  std::uint64_t reached = 0;    ///< below that sequence all critical records were told
  std::uint64_t waiting = 0;    ///< how many were not
  std::uint64_t delivered = 0;  ///< since the vault was started
  std::uint64_t failures = 0;   ///< in a row
  std::int64_t since = 0;       ///< of the first of them: unix seconds
  std::string error;            ///< the last one; "" = none
  Json ToJson() const;
  static Result<AlertState> FromJson(const Json& json);
};

/// POST /v1/alerts/state.
struct AlertsStateRequest {
  Json ToJson() const;
  static Result<AlertsStateRequest> FromJson(const Json& json);
};
struct AlertsStateResponse {
  std::vector<AlertState> sinks;  ///< at most kMaxAlertSinks
  Json ToJson() const;
  static Result<AlertsStateResponse> FromJson(const Json& json);
};

/// POST /v1/alerts/test: makes a critical record.
struct AlertTestRequest {
  Json ToJson() const;
  static Result<AlertTestRequest> FromJson(const Json& json);
};
struct AlertTestResponse {
  std::uint64_t record = 0;  ///< its place in the log
  Json ToJson() const;
  static Result<AlertTestResponse> FromJson(const Json& json);
};

}  // namespace grantfs::api

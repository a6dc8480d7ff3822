#pragma once

#include <cstdint>
#include <optional>

#include "grantfs/crypto/hash.h"
#include "grantfs/json/json.h"

// The server's own TLS keys, for owners of the vault. What clients accept stands in the vault's list
// (pins.set), not here.

namespace grantfs::api {

/// Of all three routes: which keys the server has.
struct TlsResponse {
  Hash current;              ///< pin of the key that it shows
  std::optional<Hash> next;  ///< of the one that it would show next, if it has made one
  std::int64_t made = 0;     ///< that one, unix seconds; 0 with none
  Json ToJson() const;
  static Result<TlsResponse> FromJson(const Json& json);
};

/// POST /v1/tls/next: makes the next key, unless there is one.
struct TlsNextRequest {
  bool fresh = false;  ///< in place of one that there is, which no list must name
  Json ToJson() const;
  static Result<TlsNextRequest> FromJson(const Json& json);
};

/// POST /v1/tls/switch: shows the next key from now on, and destroys the one before.
struct TlsSwitchRequest {
  Hash next;  ///< which one that is
  Json ToJson() const;
  static Result<TlsSwitchRequest> FromJson(const Json& json);
};

}  // namespace grantfs::api

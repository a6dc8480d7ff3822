#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "grantfs/json/json.h"
#include "grantfs/trust/statement.h"

namespace grantfs::api {

enum class WatchKind { kHello, kChange, kBeat };
/// What a change is about.
enum class ChangeKind { kGrant, kRevoke, kVersion, kVault, kEnvironment, kMachine, kFreeze };
const char* ChangeKindName(ChangeKind kind);

/// One line of GET /v1/watch (application/x-ndjson).
struct WatchLine {
  WatchKind kind = WatchKind::kBeat;
  std::uint64_t change = 0;              ///< the newest when it was sent; of kChange: this one's
  Head vault_head;                       ///< kHello
  ChangeKind what = ChangeKind::kVault;  ///< kChange, as the rest
  std::uint64_t secret = 0;              ///< 0 = none
  std::string environment;               ///< "" = none
  bool more = false;                     ///< the next line is of the same change
  std::int64_t time = 0;                 ///< kBeat: unix seconds

  Json ToJson() const;
  static Result<WatchLine> FromJson(const Json& json);
  /// With the line feed.
  std::string Text() const;
  /// Without it. Errors: kInvalid.
  static Result<WatchLine> Parse(std::string_view line);
};

}  // namespace grantfs::api

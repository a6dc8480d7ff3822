#pragma once

#include <cstdint>

#include "grantfs/crypto/hash.h"
#include "grantfs/json/json.h"
#include "grantfs/util/result.h"

namespace grantfs {

/// A point in a list: the statement with this sequence (from 0) has this hash.
struct Head {
  std::uint64_t sequence = 0;
  Hash hash;
  Json ToJson() const;
  static Result<Head> FromJson(const Json& json);
  auto operator<=>(const Head&) const = default;
};

}  // namespace grantfs

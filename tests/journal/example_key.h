#pragma once

#include <algorithm>

#include "grantfs/crypto/keys.h"
#include "support/must.h"

namespace grantfs::testing {

/// The same each time. A child process makes it anew: memory for secrets is wiped by fork(2).
inline SigningKey ExampleKey() {
  auto seed = Must(SecretMemory::Allocate(32));
  std::fill(seed.Expose().begin(), seed.Expose().end(), std::uint8_t{1});
  return Must(SigningKey::FromSeed(seed));
}

}  // namespace grantfs::testing

#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <tuple>

#include "grantfs/trust/lists.h"

namespace grantfs {

/// What a command has seen of a secret that it verified.
struct SecretTrace {
  Head head;
  std::uint32_t version = 0;  ///< the current one; 0: none
  std::uint32_t epoch = 0;
  Hash setter;
};
SecretTrace TraceOf(const SecretList& list);

/// What it has seen of all of them, so that nothing is verified twice.
struct SecretTraces {
  std::map<std::uint64_t, SecretTrace> seen;
  /// Those whose lists, up to these heads, stand without somebody: for who has to begin again because others
  /// were quicker. What they were judged by: the leaver, the environment's head and the vault's.
  std::map<std::uint64_t, Head> swept;
  std::optional<std::tuple<Hash, Head, Head>> swept_by;
};

}  // namespace grantfs

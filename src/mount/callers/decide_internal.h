#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "grantfs/client/secret_source.h"
#include "grantfs/util/result.h"

namespace grantfs {

/// Without a heartbeat for so long, the vault is asked whether the grant still stands.
inline constexpr std::chrono::seconds kSilence{5};

/// Why a request is not even asked for.
inline constexpr const char* kThrottled =
    "throttled: too many of this user's reads (or of all users') wait for the vault already";

/// The errno that a program sees. The one place that translates outcomes for the kernel.
int ErrnoOf(Code code);

struct Refusal {
  int error = 0;
  std::string reason;
  bool recorded = false;  ///< the vault is told who was refused
};

/// Whether the listing alone already refuses an open. @param now unix seconds.
std::optional<Refusal> RefuseOpen(const GrantedSecret& grant, std::int64_t now);

/// Whether a READ of an open file is refused.
/// @param grant what the listing says now; null if the secret is not granted any more.
/// @param page_fill the bytes would go to the page cache, where they outlive the check.
/// @param bound the node shows changing versions, which pages would mix.
std::optional<Refusal> RefuseRead(const GrantedSecret* grant, std::int64_t now, bool page_fill, bool bound);

}  // namespace grantfs

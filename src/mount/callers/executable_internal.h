#pragma once

#include <string>

#include "mount/callers/caller_internal.h"

namespace grantfs {

/// Compares the file behind a link of procfs with a wanted one.
///
/// @param link  "/proc/123/exe".  @param shown  what the link says.
ExecutableFacts CompareExecutable(const std::string& link, const std::string& shown,
                                  const WantedExecutable& wanted);

}  // namespace grantfs

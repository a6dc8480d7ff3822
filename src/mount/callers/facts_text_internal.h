#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "mount/callers/caller_internal.h"

namespace grantfs {

// What is asked about a process, and the answer, between two processes of one program. Threads: safe.

/// Of LookUpProcess.
struct ProcessQuestion {
  std::uint32_t thread = 0;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  WantedFacts wanted;
};

std::string PackQuestion(const ProcessQuestion& question);
std::string PackFacts(const ProcessFacts& facts);

/// @return none for anything but what was packed.
std::optional<ProcessQuestion> UnpackQuestion(std::string_view text);
std::optional<ProcessFacts> UnpackFacts(std::string_view text);

}  // namespace grantfs

#pragma once

#include <cstdint>
#include <string>

#include "grantfs/util/result.h"

namespace grantfs {

/// Whether a process could read a file, and what would refuse it.
struct ReadExplanation {
  bool may_read = false;
  std::string text;  ///< lines for people; nothing of a value
};

/// Looks at `path` as a running process sees it (its root and its mounts), finds the grantfs mount there, and
/// asks that about the process: the mount and its flags, the directories on the way, owner and mode, the
/// grant's conditions, namespaces. Reads no secret and records nothing.
///
/// Forks: call it where no other thread runs.
/// @param path  absolute, as the process would open it.
/// Errors: kNotFound (no such process), kDenied (not root; a mount that an ordinary user made for himself,
/// and a process of his: only such a process can ask it), kInvalid, kIo.
Result<ReadExplanation> ExplainRead(const std::string& path, std::uint32_t process);

}  // namespace grantfs

#pragma once

#include <cstddef>

namespace grantfs {

/// Copies into a mapped file that may have nothing behind it (any more): another process has cut it off, or
/// its disk is full, on which a write to memory fails as a signal. Threads: safe; SIGBUS must not be blocked.
///
/// @return false if it failed; then what is there is undefined.
bool CopyIntoMapped(void* to, const void* from, std::size_t size);

}  // namespace grantfs

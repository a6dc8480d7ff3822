#pragma once

#include <sys/types.h>

namespace grantfs {

/// Of a worker for which readers wait: it goes before them, and before what else fills the processors.
inline constexpr int kAwaitedNice = -10;
inline constexpr int kUsualNice = 0;

/// Sets the nice value of all threads of a process of this one's. Without the right to, it stays as it is.
void SetNice(pid_t process, int nice);

}  // namespace grantfs

#pragma once

#include "grantfs/util/result.h"

namespace grantfs {

/// Has the kernel refuse this process, for good, what a worker and its helpers never do once they run, and
/// whoever has taken one over would want: to make a process that outlives it (with the kernel's descriptor
/// and the machine's seed), to run a program, to look into other processes or end them, to mount. Threads can
/// be made. Call it with one thread and after no_new_privs was set. What the kernel refuses fails with EPERM.
///
/// Where this program knows no such rules (another processor than x86_64 and aarch64) it does nothing.
/// Errors: kIo.
Status ConfineProcess();

/// Whether ConfineProcess does anything here.
bool CanConfineProcess();

}  // namespace grantfs

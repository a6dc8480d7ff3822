#pragma once

#include <sys/types.h>

#include "grantfs/util/result.h"

namespace grantfs {

/// Whether this process has rights to give up: root's.
bool IsPrivileged();

/// Makes this process, which has one thread, that user for good: no other group, no capability, no way to any
/// (no_new_privs), not to be looked into by others of that user (not dumpable), confined (ConfineProcess): it
/// makes no process any more. It ends with its parent. As an ordinary user it stays who it is, and the rest
/// holds.
///
/// @param look_at_processes keeps CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH, for looking into /proc.
/// Errors: kIo.
Status DropPrivileges(uid_t user, gid_t group, bool look_at_processes);

/// While it still may: lets this process and its children lock a quarter of the machine's memory, each; more
/// they cannot have later.
void SetMemoryLimit();

}  // namespace grantfs

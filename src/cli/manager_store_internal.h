#pragma once

#include <vector>

#include "grantfs/mount/supervisor.h"
#include "grantfs/util/result.h"

namespace grantfs {

/// The descriptors that the service manager passes to this process (sd_listen_fds_with_names(3)): from 3 on,
/// as LISTEN_FDS, LISTEN_PID and LISTEN_FDNAMES say, which are unset then. Those for another process are
/// ignored. Must be called before this process opens descriptors that it passes on.
/// Errors: kInvalid (the variables are malformed).
Result<std::vector<StoredDescriptor>> TakePassedDescriptors();

/// The service manager's store, with what it kept; it takes nothing where there is no service manager.
/// Errors: as TakePassedDescriptors.
Result<DescriptorStore> ManagerStore();

}  // namespace grantfs

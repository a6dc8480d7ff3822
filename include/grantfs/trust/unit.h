#pragma once

#include <string>
#include <string_view>

namespace grantfs {

/// Whether a process in `cgroup` (its path in the unified hierarchy) runs in `unit`: a systemd unit's name, a
/// cgroup's path, or a container's id.
///
/// Who may make cgroups below his own (a user's service manager, a container) can give them any name. So a
/// unit's name counts only where systemd itself puts units, below slices alone, and a container's id only at
/// the outermost container and never below a user's own manager. A path says all by itself.
bool RunsInUnit(std::string_view cgroup, std::string_view unit);

}  // namespace grantfs

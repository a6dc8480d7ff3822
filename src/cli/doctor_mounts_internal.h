#pragma once

#include <string>
#include <vector>

#include "grantfs/client/doctor.h"

namespace grantfs {

/// Looks at the mounts that show the secrets of this home, and at those of this user that nobody serves.
/// Nothing for the home of somebody who has none (a user, an agent). Forks: call it where no other thread
/// runs.
std::vector<Finding> LookAtMounts(const std::string& home);

}  // namespace grantfs

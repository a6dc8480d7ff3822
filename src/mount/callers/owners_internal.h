#pragma once

#include <sys/types.h>

#include <functional>
#include <optional>
#include <string>

namespace grantfs {

/// Turns a grant's owner and group, a number or a name of this machine, into ids.
struct Owners {
  uid_t default_user = 0;  ///< for a grant that names none
  gid_t default_group = 0;
  std::function<std::optional<uid_t>(const std::string&)> user;  ///< none: unknown here
  std::function<std::optional<gid_t>(const std::string&)> group;
};

/// Asks the machine's user database (which may take its time: never from a thread that serves the kernel).
/// Whoever runs this process is the default.
Owners SystemOwners();

}  // namespace grantfs

#pragma once

#include <functional>
#include <string>

#include "grantfs/util/result.h"

namespace grantfs {

struct AdminMountRequest {
  std::string home;  ///< an owner's
  std::string directory;
  bool allow_other = false;
};

/// Shows what the home's identity may know of the vault as reports, until it is unmounted or told to stop.
/// @param ready runs once they can be read. Errors: as AdminSource::Start, RunReports.  Blocks.
Status RunAdminMount(const AdminMountRequest& request, const std::function<void()>& ready);

}  // namespace grantfs

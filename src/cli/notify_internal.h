#pragma once

#include <string_view>

namespace grantfs {

/// Tells the service manager (sd_notify(3)): "READY=1", "STOPPING=1". Nothing happens where NOTIFY_SOCKET is
/// not set.
///
/// @param fd  goes with it, for "FDSTORE=1"; -1: none.
/// @return whether it was told.
bool NotifyManager(std::string_view state, int fd = -1);

}  // namespace grantfs

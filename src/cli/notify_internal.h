#pragma once

#include <string_view>

namespace grantfs {

/// Tells the service manager (sd_notify(3)): "READY=1", "STOPPING=1". Nothing happens where NOTIFY_SOCKET is
/// not set.
void NotifyManager(std::string_view state);

}  // namespace grantfs

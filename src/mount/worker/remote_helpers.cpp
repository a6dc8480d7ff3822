#include "grantfs/util/text.h"
#include "mount/base/channel_internal.h"
#include "mount/worker/remote_helpers_internal.h"
#include "mount/worker/worker_internal.h"

namespace grantfs {

Result<HelperProcess> RemoteHelpers::Ask(char kind) {
  const std::lock_guard lock(mutex_);
  auto answer = SendMessage(socket_, kind) ? ReceiveMessage(socket_) : std::nullopt;
  if (!answer) return Error{Code::kIo, "the supervisor does not start processes any more", 0, {}};
  if (answer->kind == kHelperFailed) return UnpackError(answer->text);
  unsigned long long pid = 0;
  if (answer->kind != kHelperStarted || !answer->fd || !ParseNumber(answer->text, 0x7fffffff, &pid))
    return Error{Code::kIo, "the supervisor says something that is not understood", 0, {}};
  return HelperProcess{static_cast<pid_t>(pid), std::move(answer->fd)};
}

Result<std::unique_ptr<RotationHelper>> RemoteHelpers::StartRotation() {
  HelperProcess started = GRANTFS_TRY(Ask(kStartRotation));
  return RotationHelper::Of(started.pid, std::move(started.socket),
                            [socket = socket_] { SendMessage(socket, kKillRotation); });
}

Result<HelperProcess> RemoteHelpers::StartOnChange() {
  HelperProcess started = GRANTFS_TRY(Ask(kStartOnChange));
  return HelperProcess{-1, std::move(started.socket)};
}

}  // namespace grantfs

#pragma once

#include <sys/types.h>

#include <functional>

#include "grantfs/util/result.h"
#include "grantfs/util/unique_fd.h"

namespace grantfs {

/// A process that does one thing for a mount, as it is told through the socket, and ends when that is closed.
struct HelperProcess {
  pid_t pid = -1;  ///< to be waited for when the socket is closed; -1: another process's child
  UniqueFd socket;
};

/// Forks a child that is born with all signals blocked, so that no handler of this process runs in it, and
/// with one end of a SOCK_SEQPACKET pair. Where threads run, `serve` may use nothing but its stack and system
/// calls.
///
/// @param serve  runs in the child with its end of the pair, and does not return.
/// Errors: kIo.
Result<HelperProcess> ForkHelper(const std::function<void(int socket)>& serve);

/// The same without a socket, for one that ends by itself or is killed. `run` may return: the child ends
/// then.
Result<pid_t> ForkSilent(const std::function<void()>& run);

/// In such a child: no other descriptor goes along, and 0, 1 and 2 are /dev/null.
void CloseAllBut(int socket);

}  // namespace grantfs

#pragma once

#include <sys/types.h>

#include <memory>
#include <string>

#include "grantfs/util/result.h"
#include "grantfs/util/unique_fd.h"
#include "mount/node_id_internal.h"

namespace grantfs {

/// Sends the kernel notifications for a worker. One can wait until a request is answered: the worker itself
/// could then not end when it is killed, and no other could take over and answer. Threads: one at a time.
class Notifier {
 public:
  /// Errors: kIo.
  static Result<std::unique_ptr<Notifier>> Start(uid_t user, gid_t group);
  /// @param fuse the descriptor that the worker serves.
  void Use(int fuse);
  /// Returns when the kernel has taken it. @return false if the notifier is gone.
  bool Send(NodeId node, const std::string* entry, bool pages);

 private:
  explicit Notifier(UniqueFd socket) : socket_(std::move(socket)) {}
  UniqueFd socket_;
};

}  // namespace grantfs

#pragma once

#include <sys/types.h>

#include <chrono>
#include <memory>
#include <mutex>
#include <string>

#include "grantfs/util/result.h"
#include "grantfs/util/unique_fd.h"
#include "mount/base/node_id_internal.h"

namespace grantfs {

/// Sends the kernel notifications for a worker. One can wait until a request is answered: the worker itself
/// could then not end when it is killed, and no other could take over and answer. Threads: safe.
class Notifier {
 public:
  /// The longest that one may take.
  static constexpr std::chrono::seconds kPatience{10};

  /// Errors: kIo.
  static Result<std::unique_ptr<Notifier>> Start(uid_t user, gid_t group);
  /// @param fuse the descriptor that the worker serves. @return false if the notifier is gone.
  [[nodiscard]] bool Use(int fuse);
  /// Returns when the kernel has taken it. @return false if the notifier is gone, or hangs.
  bool Send(NodeId node, const std::string* entry, bool pages);

 private:
  explicit Notifier(UniqueFd socket) : socket_(std::move(socket)) {}
  bool AwaitAnswer() const;

  std::mutex mutex_;  ///< one at a time: an answer does not say to which
  UniqueFd socket_;
};

}  // namespace grantfs

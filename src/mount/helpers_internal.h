#pragma once

#include <sys/types.h>

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "grantfs/util/result.h"
#include "grantfs/util/unique_fd.h"
#include "mount/caller_internal.h"
#include "mount/node_id_internal.h"

namespace grantfs {

// Two small processes beside a worker. They are forked from it while it is privileged and has one thread, and
// end when it does.

/// Looks at the processes behind requests for a worker that may not: it keeps the two capabilities that /proc
/// asks for. Threads: safe.
class Inspector {
 public:
  /// Errors: kIo.
  static Result<std::unique_ptr<Inspector>> Start(uid_t user, gid_t group);
  /// As LookUpProcess, where "as this process" means as the supervisor. @return none if the inspector is
  /// gone.
  std::optional<ProcessFacts> Ask(std::uint32_t thread, std::uint32_t uid, std::uint32_t gid,
                                  const WantedFacts& wanted);

 private:
  explicit Inspector(UniqueFd socket) : socket_(std::move(socket)) {}
  std::mutex mutex_;
  UniqueFd socket_;
};

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

#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "grantfs/util/unique_fd.h"

namespace grantfs {

/// Which processes have become another program: the kernel's process events (the "proc connector"), which
/// are in the socket before the new program runs its first instruction. What was known of a process is so
/// known to hold, without another look at it. Threads: one at a time.
class ExecWatch {
 public:
  /// While this process is privileged; what it returns needs no right. @return null where that cannot be had:
  /// without CAP_NET_ADMIN, in a container, or in a kernel without it.
  static std::unique_ptr<ExecWatch> Open();

  struct News {
    std::vector<std::uint32_t> processes;  ///< that have become another program since the last call
    bool missed = false;                   ///< and perhaps others
  };
  News Take();

 private:
  explicit ExecWatch(UniqueFd socket) : socket_(std::move(socket)) {}
  UniqueFd socket_;
};

}  // namespace grantfs

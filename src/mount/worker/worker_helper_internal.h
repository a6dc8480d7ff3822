#pragma once

#include <sys/types.h>

#include <cstddef>
#include <functional>
#include <vector>

#include "grantfs/util/result.h"
#include "grantfs/util/unique_fd.h"

namespace grantfs {

/// A small process beside a worker, forked from it while it is privileged and has one thread.
struct WorkerHelper {
  const char* name = "";
  uid_t user = 0;
  gid_t group = 0;
  bool look_at_processes = false;  ///< keeps the two capabilities that /proc asks for
  std::size_t channels = 1;
};

/// Forks it, where `serve` runs with its ends of the channels; nothing else stays open there, least of all
/// what is the worker's. It ends when `serve` returns.
///
/// @return the other ends.  Errors: kIo.
Result<std::vector<UniqueFd>> StartWorkerHelper(const WorkerHelper& helper,
                                                const std::function<void(const std::vector<int>&)>& serve);

}  // namespace grantfs

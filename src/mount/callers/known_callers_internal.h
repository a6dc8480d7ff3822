#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "grantfs/client/secret_source.h"
#include "grantfs/util/unique_fd.h"
#include "mount/base/recent_map_internal.h"
#include "mount/callers/exec_watch_internal.h"

namespace grantfs {

/// Who the threads are that asked last, for the record of what they read, where another process must be asked
/// for a thread's executable. That it still is the same thread shows the kernel's handle of it, that it still
/// runs the same program the kernel's news of those that do not; which cgroup it is in is asked each time.
/// Never for what decides: that is looked up anew. Threads: safe.
class KnownCallers {
 public:
  explicit KnownCallers(std::unique_ptr<ExecWatch> watch) : watch_(std::move(watch)) {}

  /// @param thread  its id, not 0; it waits for its answer.
  std::optional<Caller> Find(std::uint32_t thread, std::uint32_t uid, std::uint32_t gid);

  /// A look at a thread that is not known, from before it is asked for.
  struct Look {
    UniqueFd cgroup;  ///< the kernel's handle of the thread, in procfs
    UniqueFd thread;  ///< and as a pidfd; none before Linux 6.9
    std::uint64_t news = 0;
  };
  Look Begin(std::uint32_t thread);
  /// @param found  what the look found. Kept only if it is of that thread and of the program that it runs.
  void Keep(std::uint32_t thread, Look look, const Caller& found);

 private:
  using Time = std::chrono::steady_clock::time_point;
  struct Known {
    UniqueFd handle;              ///< a pidfd, or the thread's cgroup file
    std::uint64_t cgroup_id = 0;  ///< 0: the handle is the file
    std::string cgroup;           ///< the path of that one
    std::uint32_t process = 0;
    std::string executable;
    Time until;
  };
  static std::optional<std::string> CgroupOf(const Known& known);
  static constexpr std::size_t kMostThreads = 256;
  void TakeNews();

  std::mutex mutex_;
  std::unique_ptr<ExecWatch> watch_;
  std::uint64_t news_ = 0;  ///< programs begun, as far as was heard
  RecentMap<std::uint32_t, std::shared_ptr<const Known>> known_{kMostThreads};
};

}  // namespace grantfs

#pragma once

#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "grantfs/log/log.h"
#include "mount/base/recent_map_internal.h"
#include "mount/tree/held_names_internal.h"
#include "mount/tree/open_rules_internal.h"
#include "mount/watchers/rotation_helper_internal.h"

namespace grantfs {

/// Makes what changed in the tree visible to watchers (inotify): has the helper process do it as any process
/// would, by rename, unlink and mkdir, each of which switches one name that is held; and then touch it, and
/// the older versions that somebody still has (single-file bind mounts).
///
/// Threads: Perform() one at a time, and never a thread that serves the kernel: the helper's requests come
/// back to those. The rest any.
class Rotation {
 public:
  using LogLine = std::function<void(LogLevel, const std::string&)>;
  /// As RotationHelper::Start.
  using Starter =
      std::function<Result<std::unique_ptr<RotationHelper>>(const std::string& point, dev_t device)>;
  /// @param starter  empty: RotationHelper::Start.
  /// @param bound  how long watchers may delay what all others see: after it the rest is done without the
  /// helper.
  Rotation(std::string point, std::chrono::milliseconds bound, const OpenRules* rules, LogLine log,
           Starter starter = {});
  ~Rotation();

  /// The helper is there when it is first asked for (Ready).
  /// @param invalidate tells the kernel that a node looks different; Perform() runs it.
  void Start(std::function<void(NodeId)> invalidate);
  /// Ends a Perform() that waits; later ones do nothing.
  void Interrupt();

  /// Whether a helper is there, started again if need be and if it did not just die. As Perform(), one at a
  /// time.
  bool Ready();
  /// Does those of `changes` that are held, and touches. What it could not do is still held when it returns.
  void Perform(const std::vector<NameChange>& changes);
  /// Before the helper is waited for: it must not be what an unanswered request keeps.
  void End();

  HeldNames& held() { return held_; }
  const HeldNames& held() const { return held_; }
  /// Whether a request that writes comes from the helper, at its work.
  bool IsHelper(pid_t thread) const { return thread > 1 && thread == writer_; }

  /// One sentence: why rotations are not visible to watchers now; "" if they are.
  std::string Problem() const;

 private:
  enum class Readiness { kReady, kToBeStarted, kNot };
  Readiness LookAtHelper();
  bool Attempt(const std::vector<NameChange>& changes, RotationHelper::Time deadline);
  int Change(const NameChange& change, RotationHelper::Time deadline);
  int TouchOlder(const NameChange& change, RotationHelper::Time deadline);
  void Lost(int error);
  void SetProblem(const std::string& problem);
  void Bury();
  void ForgetPause();

  const std::string point_;
  const std::chrono::milliseconds bound_;
  const OpenRules& rules_;
  const LogLine log_;
  const Starter starter_;
  std::function<void(NodeId)> invalidate_;
  HeldNames held_;
  dev_t device_ = 0;
  RecentMap<std::uint64_t, std::set<NodeId>> alive_{4096};  // older versions that somebody has, by number

  mutable std::mutex mutex_;  // guards what follows
  std::unique_ptr<RotationHelper> helper_;
  std::vector<std::unique_ptr<RotationHelper>> dying_;
  std::chrono::steady_clock::time_point not_before_{};
  std::chrono::seconds pause_{0};
  bool interrupted_ = true;
  std::string problem_ = "the mount has not begun";

  std::atomic<pid_t> writer_{0};  // the helper's pid while a batch runs
};

}  // namespace grantfs

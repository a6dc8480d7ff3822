#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <set>
#include <vector>

#include "mount/base/node_id_internal.h"
#include "mount/base/recent_map_internal.h"

namespace grantfs {

enum class OpenVerdict {
  kCurrent,     ///< serve this version
  kGrace,       ///< serve this version, though it has just been superseded
  kBound,       ///< serve whatever is current: the node is a single-file bind mount's
  kNewlyBound,  ///< the same, and it was found out now
  kStale,       ///< ESTALE: the kernel looks the name up again and opens what it finds
  kGone,        ///< ENOENT: no such secret any more, and a second look-up did not help
};

struct OpenDecision {
  OpenVerdict verdict = OpenVerdict::kStale;
  bool grace = false;  ///< the source may serve the version even if the vault superseded it a moment ago
};

/// Decides what an OPEN of a version's node means.
///
/// The kernel answers ESTALE by looking the name up again, so an outdated node is refused once. Who looked
/// the version up just before may still open it (otherwise two quick rotations reach the program as ESTALE).
/// A thread that repeats the OPEN with none of a current node in between did not walk a path: it stands on a
/// single-file bind mount, and from then on the node is *bound*. A LOOKUP does not clear "has just been
/// refused": path walkers that were preempted would then count as binds and read torn data.
///
/// What is kept for a thread is bounded in number and age (ids are reused). Thread 0, one in a pid namespace
/// that is not visible from here, never counts as one thread. Threads: safe.
class OpenRules {
 public:
  using Time = std::chrono::nanoseconds;
  static constexpr Time kRemembered = std::chrono::seconds(10);

  explicit OpenRules(std::size_t max_threads = 4096, std::size_t max_bound = 65536);

  /// `thread` was told that a name leads to `node`.
  void Looked(std::uint32_t thread, NodeId node, Time now);

  /// @param current the version that is shown now; none if the secret is not.
  OpenDecision Decide(std::uint32_t thread, NodeId node, std::optional<std::uint32_t> current, Time now);

  /// The vault knew a newer version than the one that Decide let pass, and ESTALE was answered.
  void Refused(std::uint32_t thread, NodeId node, Time now);

  bool IsBound(NodeId node) const;
  std::vector<NodeId> BoundNodes(std::uint64_t number) const;
  void Unbind(NodeId node);

  /// For the next process that serves the mount: `keep` runs, with a lock held, when a node becomes bound or
  /// is so no more. Before the first Decide.
  void KeepBound(std::function<void(NodeId node, bool bound)> keep) { keep_ = std::move(keep); }
  /// It was bound in the process before this one.
  void Restore(NodeId node);
  /// What threads had looked up in the process before this one is not known: until then they count as having
  /// looked up what they open.
  void BeLenientUntil(Time until) { lenient_until_ = until; }

 private:
  struct Thread {
    NodeId refused = 0;
    NodeId looked = 0;
    Time at{};
  };
  Thread Known(std::uint32_t thread, Time now) const;
  void Bind(NodeId node);

  std::function<void(NodeId, bool)> keep_;
  Time lenient_until_{};
  mutable std::mutex mutex_;
  RecentMap<std::uint32_t, Thread> threads_;
  RecentMap<std::uint64_t, std::set<std::uint32_t>> bound_;  // secret -> versions whose nodes are bound
};

}  // namespace grantfs

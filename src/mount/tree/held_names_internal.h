#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "mount/base/node_id_internal.h"

namespace grantfs {

/// How a process would do what changed at one name of a new tree.
enum class NameChangeKind {
  kReplace,        ///< rename(2) of the new version over the name, which may be new
  kRemove,         ///< unlink(2)
  kMakeDirectory,  ///< mkdir(2)
  kOnlyHold,       ///< a directory that goes: nothing; its name is the way to its files until these are gone
  kOnlyTouch,      ///< it has switched already, and perhaps nobody saw it: not held
};

struct NameChange {
  NameChangeKind kind = NameChangeKind::kReplace;
  NodeId parent = 0;
  std::string name;
  NodeId before = 0;  ///< what the name led to; 0: to nothing
  NodeId after = 0;   ///< what it will lead to; 0: to nothing
  std::string path;   ///< below the mount point
};

/// The names at which the kernel is still shown what was there before the tree was replaced: until the
/// process that makes the change visible to watchers has got to them.
///
/// Threads: safe. Who needs it to agree with the tree changes it under the tree's lock (exclusive) and looks
/// under it (shared).
class HeldNames {
 public:
  void Hold(const std::vector<NameChange>& changes);

  /// What to show at that name in place of what the tree says; none if the name is not held.
  std::optional<NodeId> Shown(NodeId parent, std::string_view name) const;
  /// Whether that node is still shown at a held name.
  bool IsShown(NodeId node) const;
  /// The version that is to come, for the process that renames it; 0 if none is.
  NodeId Coming(std::uint64_t number) const;

  /// @param number  of the secret that the name leads to from now on; 0 where it is none.
  /// @return what it was; none if that change of that name is not held (any more).
  std::optional<NameChange> Release(NameChangeKind kind, NodeId parent, std::string_view name,
                                    std::uint64_t number = 0);
  bool Holds(const NameChange& change) const;
  void Clear();

 private:
  using Key = std::pair<NodeId, std::string>;
  void Forget(const NameChange& change);

  std::atomic<bool> any_{false};
  mutable std::mutex mutex_;
  std::map<Key, NameChange> names_;
  std::unordered_map<std::uint64_t, NodeId> before_, coming_;  // by the secret's number
};

}  // namespace grantfs

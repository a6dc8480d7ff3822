#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <unordered_map>

#include "mount/node_id_internal.h"

namespace grantfs {

/// Gives every directory a node id that it keeps as long as the mount lives, also while it is gone: who
/// stands in it finds himself in it again. Bounded, since a vault chooses the names. Threads: guard it.
class DirectoryIds {
 public:
  explicit DirectoryIds(std::size_t capacity = std::size_t{1} << 18) : capacity_(capacity) {}

  /// @return none if the bound is reached.
  std::optional<NodeId> IdOf(const std::string& path) {
    if (auto found = ids_.find(path); found != ids_.end()) return found->second;
    if (ids_.size() >= capacity_) return std::nullopt;
    const NodeId id = MakeNode(NodeKind::kDirectory, ids_.size() + 1, 0);
    ids_.emplace(path, id);
    return id;
  }

 private:
  std::size_t capacity_;
  std::unordered_map<std::string, NodeId> ids_;
};

}  // namespace grantfs

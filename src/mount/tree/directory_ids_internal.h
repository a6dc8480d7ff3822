#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <optional>
#include <string>
#include <unordered_map>

#include "grantfs/util/kept_memory.h"
#include "mount/base/node_id_internal.h"
#include "mount/tree/kept_files_internal.h"

namespace grantfs {

/// Gives every directory a node id that it keeps as long as the mount lives, also while it is gone: who
/// stands in it finds himself in it again. Bounded, since a vault chooses the names. Threads: guard it.
class DirectoryIds {
 public:
  static constexpr std::size_t kCapacity = std::size_t{1} << 18;
  explicit DirectoryIds(std::size_t capacity = kCapacity) : capacity_(capacity) {}
  /// @param kept where the next process that serves the mount finds them; may be null. Outlives this.
  explicit DirectoryIds(KeptMemory* kept) : capacity_(kCapacity), kept_(kept) {
    if (kept != nullptr)
      kept->ForEach(kKeptDirectory, [this](ByteView path, ByteView id) { Restore(path, id); });
  }

  /// @return none if the bound is reached.
  std::optional<NodeId> IdOf(const std::string& path) {
    if (auto found = ids_.find(path); found != ids_.end()) return found->second;
    if (ids_.size() >= capacity_) return std::nullopt;
    const NodeId id = MakeNode(NodeKind::kDirectory, last_ + 1, 0);
    const ByteView bytes(reinterpret_cast<const std::uint8_t*>(&id), sizeof id);
    // What is not kept may be another directory's in the next process.
    if (kept_ != nullptr && !kept_->Put(kKeptDirectory, AsBytes(path), bytes)) return std::nullopt;
    ++last_;
    ids_.emplace(path, id);
    return id;
  }

 private:
  void Restore(ByteView path, ByteView bytes) {
    NodeId id = 0;
    if (bytes.size() != sizeof id) return;
    std::memcpy(&id, bytes.data(), sizeof id);
    last_ = std::max(last_, NumberOf(id));
    ids_.emplace(AsText(path), id);
  }

  std::size_t capacity_;
  KeptMemory* kept_ = nullptr;
  std::uint64_t last_ = 0;
  std::unordered_map<std::string, NodeId> ids_;
};

}  // namespace grantfs

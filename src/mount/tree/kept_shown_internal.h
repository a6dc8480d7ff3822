#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <set>

#include "grantfs/util/kept_memory.h"
#include "mount/tree/tree_internal.h"

namespace grantfs {

/// A secret that one tree shows otherwise than the one before. Null: that tree does not show it. Both live as
/// long as their trees.
struct SecretChange {
  const SecretFile* before = nullptr;
  const SecretFile* after = nullptr;
};

/// What a mount shows and of what it has told who watches it, for the worker that serves after this one: a
/// change that this one took over and did not tell of is told of by that one. Threads: safe.
class KeptShown {
 public:
  /// @param kept null: nothing is kept. Outlives this.
  explicit KeptShown(KeptMemory* kept) : kept_(kept) {}

  struct Left {
    std::shared_ptr<const Listing> shown;  ///< what lays out as the tree that was shown
    std::set<std::uint64_t> untold;  ///< numbers of secrets that are shown as they are, unbeknown to some
  };
  /// What the worker before this one has left; none where it kept nothing, or not all.
  std::optional<Left> Load() const;

  /// A tree is shown, and there is nothing to be told of it.
  void Begin(const Tree& tree);
  /// A secret is shown so from now on. To be called before anybody can see it.
  void Show(const SecretFile& file);
  /// All who watch were told of this change, unless it is not the last one.
  void Told(const SecretChange& change);

 private:
  void Put(const SecretFile& file, bool told);

  KeptMemory* const kept_;
  std::mutex mutex_;
};

}  // namespace grantfs

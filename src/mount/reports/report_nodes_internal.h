#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "grantfs/mount/reports.h"

namespace grantfs {

/// What the kernel knows a report or directory by. A report whose text is another has another number, so that
/// size and bytes are always those of one text. Threads: safe.
class ReportNodes {
 public:
  using Text = ReportDirectory::Text;
  static constexpr std::uint64_t kRoot = 1;  // FUSE_ROOT_ID

  struct Node {
    std::uint64_t id = 0;
    std::string path;       ///< "" = the root
    Text text;              ///< nullptr: a directory
    std::int64_t time = 0;  ///< unix seconds, when this was first seen
  };

  /// @param now unix seconds.
  explicit ReportNodes(std::int64_t now);

  /// The node of a path; `text` nullptr for a directory. The kernel is told of it: one Forget is owed.
  Node Take(const std::string& path, const Text& text, std::int64_t now);
  std::optional<Node> Find(std::uint64_t id) const;
  /// The kernel forgets a node that it was told of so many times.
  void Forget(std::uint64_t id, std::uint64_t times);
  std::size_t size() const;

 private:
  struct Known {
    Node node;
    std::uint64_t told = 0;
  };
  mutable std::mutex mutex_;
  std::uint64_t next_ = kRoot + 1;
  std::unordered_map<std::uint64_t, Known> known_;
  std::unordered_map<std::string, std::uint64_t> newest_;  // by path
};

}  // namespace grantfs

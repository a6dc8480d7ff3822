#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>

#include "grantfs/crypto/secret.h"
#include "mount/node_id_internal.h"
#include "mount/tree_internal.h"

namespace grantfs {

/// What one open(2) returned: a version's plaintext, wiped with it, or the text of a report.
struct OpenFile {
  NodeId node = 0;
  std::uint32_t version = 0;
  bool bound = false;         ///< opened through a node that shows changing versions
  std::string name;           ///< for messages
  FileAttributes attributes;  ///< of the node when it was opened
  SecretValue value;
  std::shared_ptr<const std::string> report;  ///< null for a secret

  std::span<const std::uint8_t> Content() const;
};

/// The open files by the number that the kernel names them with. Threads: safe.
class OpenFiles {
 public:
  std::uint64_t Add(std::shared_ptr<const OpenFile> file);
  std::shared_ptr<const OpenFile> Find(std::uint64_t handle) const;
  void Remove(std::uint64_t handle);
  std::size_t size() const;

  /// What a node looked like to whoever has it open; none if nobody has.
  std::optional<FileAttributes> AttributesOf(NodeId node) const;
  /// Whether somebody has it open as a bound node.
  bool IsOpenBound(NodeId node) const;

 private:
  mutable std::mutex mutex_;
  std::unordered_map<std::uint64_t, std::shared_ptr<const OpenFile>> files_;
  std::uint64_t next_ = 1;
};

}  // namespace grantfs

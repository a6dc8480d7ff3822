#pragma once

#include <cstdint>

namespace grantfs {

/// What the kernel knows a file by: kind (2 bits), number (38), version (24). Each version of a secret is an
/// inode with its own pages and size, so that a rotation looks as `mv new old` does anywhere.
using NodeId = std::uint64_t;

enum class NodeKind : std::uint8_t {
  kFixed = 0,   ///< the root, `.grantfs` and its reports
  kSecret = 1,  ///< a version of a secret
  kDirectory =
      2,  ///< a project, an environment, a component of a secret's name; number = index in DirectoryIds
  kReserved = 3,
};

inline constexpr unsigned kVersionBits = 24;
inline constexpr unsigned kNumberBits = 38;
inline constexpr std::uint64_t kNumberMask = (std::uint64_t{1} << kNumberBits) - 1;
inline constexpr std::uint32_t kVersionMask = (std::uint32_t{1} << kVersionBits) - 1;

constexpr NodeId MakeNode(NodeKind kind, std::uint64_t number, std::uint32_t version) {
  return static_cast<std::uint64_t>(kind) << (kNumberBits + kVersionBits) |
         (number & kNumberMask) << kVersionBits | (version & kVersionMask);
}
constexpr NodeId SecretNode(std::uint64_t number, std::uint32_t version) {
  return MakeNode(NodeKind::kSecret, number, version);
}
constexpr NodeKind KindOf(NodeId node) { return static_cast<NodeKind>(node >> (kNumberBits + kVersionBits)); }
constexpr std::uint64_t NumberOf(NodeId node) { return node >> kVersionBits & kNumberMask; }
constexpr std::uint32_t VersionOf(NodeId node) { return static_cast<std::uint32_t>(node & kVersionMask); }

inline constexpr NodeId kRootNode = 1;  // FUSE_ROOT_ID
inline constexpr NodeId kReportsNode = 2;
inline constexpr NodeId kStatusNode = 3;
inline constexpr NodeId kGrantsNode = 4;

/// A file's position in its directory: the same as long as it is there, so that a listing that is read in
/// several pieces neither skips nor repeats a name that was there throughout. 1 and 2 are "." and "..".
constexpr std::uint64_t CookieOf(NodeId node) {
  if (KindOf(node) == NodeKind::kFixed) return 2 + node;
  return static_cast<std::uint64_t>(KindOf(node)) << 40 | NumberOf(node);
}

}  // namespace grantfs

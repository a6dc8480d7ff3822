#pragma once

#include <cstdint>

namespace grantfs {

/// What the kernel knows a file by: kind (2 bits), number (38), version (24). Each version of a secret is an
/// inode with its own pages and size, so that a rotation looks as `mv new old` does anywhere.
using NodeId = std::uint64_t;

enum class NodeKind : std::uint8_t {
  kFixed = 0,      ///< the root, `.grantfs` and its reports
  kSecret = 1,     ///< a version of a secret
  kDirectory = 2,  ///< a project, an environment, a component of a secret's name; number = index in
                   ///< DirectoryIds, version 1: the same below `.grantfs/why`
  kWhy = 3,  ///< an explanation; number = the secret's, version = the process that it is for, 0: who asks
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
inline constexpr NodeId kDenialsNode = 5;
inline constexpr NodeId kWhyNode = 6;
/// Where the rotation helper keeps its names (rotation_helper_internal.h); nobody else finds it.
inline constexpr NodeId kHiddenNode = 7;

/// Whether it is one of the files that change by themselves.
constexpr bool IsReport(NodeId node) {
  return node == kStatusNode || node == kGrantsNode || node == kDenialsNode || KindOf(node) == NodeKind::kWhy;
}
/// The node below `.grantfs/why` that explains one below the root.
constexpr NodeId WhyNodeOf(NodeId node) {
  if (node == kRootNode) return kWhyNode;
  return KindOf(node) == NodeKind::kDirectory ? MakeNode(NodeKind::kDirectory, NumberOf(node), 1)
                                              : MakeNode(NodeKind::kWhy, NumberOf(node), 0);
}
constexpr bool IsWhyDirectory(NodeId node) {
  return node == kWhyNode || (KindOf(node) == NodeKind::kDirectory && VersionOf(node) == 1);
}

/// A file's position in its directory: the same as long as it is there, so that a listing that is read in
/// several pieces neither skips nor repeats a name that was there throughout. 1 and 2 are "." and "..".
constexpr std::uint64_t CookieOf(NodeId node) {
  if (KindOf(node) == NodeKind::kFixed) return 2 + node;
  return static_cast<std::uint64_t>(KindOf(node)) << 40 | NumberOf(node);
}

}  // namespace grantfs

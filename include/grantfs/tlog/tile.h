#pragma once

#include <cstdint>

namespace grantfs {

/// Hashes in a whole tile. Source: C2SP tlog-tiles.
inline constexpr std::uint64_t kTileWidth = 256;
/// The highest level of tiles that a tree of kMaxTreeSize leaves has.
inline constexpr unsigned kMaxTileLevel = 7;

}  // namespace grantfs

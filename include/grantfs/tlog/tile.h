#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "grantfs/crypto/hash.h"
#include "grantfs/util/result.h"

namespace grantfs {

/// Hashes in a whole tile. Source: C2SP tlog-tiles.
inline constexpr std::uint64_t kTileWidth = 256;
/// The highest level of tiles that a tree of kMaxTreeSize leaves has.
inline constexpr unsigned kMaxTileLevel = 7;

/// Which tile. One of entries has the leaves themselves, in place of the hashes of level 0.
struct TileName {
  bool entries = false;
  unsigned level = 0;
  std::uint64_t number = 0;
  std::uint64_t width = kTileWidth;  ///< 1..kTileWidth; less: a partial tile
  auto operator<=>(const TileName&) const = default;
  /// "tile/0/x001/234", "tile/1/000.p/17", "tile/entries/000".
  std::string Path() const;
  /// Accepts exactly what Path writes. Errors: kInvalid.
  static Result<TileName> Parse(std::string_view path);
};

/// Proofs over the tree of `size` leaves that a log's tiles are of. What the tiles say is taken as it is:
/// verify a proof against a signed checkpoint. Tiles that were fetched once are kept. Threads: one at a time.
class TileProver {
 public:
  /// The hashes of a tile, `name.width` of them, in order.
  using Fetch = std::function<Result<std::vector<Hash>>(const TileName& name)>;
  TileProver(std::uint64_t size, Fetch fetch) : size_(size), fetch_(std::move(fetch)) {}

  /// RFC 6962 section 2.1.1. Errors: kInvalid (no such leaf), and as the fetch's.
  Result<std::vector<Hash>> Inclusion(std::uint64_t leaf);
  /// RFC 6962 section 2.1.2. Errors: kInvalid (`old_size` is 0 or larger than the tree), and as the fetch's.
  Result<std::vector<Hash>> Consistency(std::uint64_t old_size);

 private:
  struct Range {
    std::uint64_t low;
    std::uint64_t high;  ///< exclusive
    std::uint64_t Left() const;
  };
  Result<Hash> RootOf(Range range);
  Result<Hash> Node(unsigned level, std::uint64_t number);
  const std::uint64_t size_;
  const Fetch fetch_;
  std::map<TileName, std::vector<Hash>> tiles_;
};

}  // namespace grantfs

#include "grantfs/tlog/tile.h"

#include <algorithm>
#include <bit>
#include <cstdio>

#include "grantfs/crypto/merkle.h"
#include "grantfs/tlog/tree.h"
#include "grantfs/util/text.h"

namespace grantfs {
namespace {

constexpr std::uint64_t kGroup = 1000;

Error NoTile() { return {Code::kInvalid, "names no tile"}; }

std::string ThreeDigits(std::uint64_t number) {
  std::string text = std::to_string(number);
  return std::string(3 - text.size(), '0') + text;
}

bool IsGroup(std::string_view text) {
  return text.size() == 3 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// "x001", "x234", "067"; the shortest form alone.
Result<std::uint64_t> ParseTileNumber(const std::vector<std::string_view>& groups) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    std::string_view group = groups[i];
    const bool last = i + 1 == groups.size();
    if (!last && !group.starts_with('x')) return NoTile();
    if (!last) group.remove_prefix(1);
    if (!IsGroup(group) || (i == 0 && !last && group == "000") || number > kMaxTreeSize / kGroup - 1)
      return NoTile();
    number = number * kGroup +
             static_cast<std::uint64_t>((group[0] - '0') * 100 + (group[1] - '0') * 10 + (group[2] - '0'));
  }
  return number;
}

/// Takes "067.p/12" at the end for "067". Errors: kInvalid.
Result<std::uint64_t> TakeWidth(std::vector<std::string_view>* parts) {
  const std::size_t count = parts->size();
  if (count < 2 || !(*parts)[count - 2].ends_with(".p")) return kTileWidth;
  unsigned long long width = 0;
  if (!ParseNumber(parts->back(), kTileWidth - 1, &width) || width == 0) return NoTile();
  parts->pop_back();
  parts->back().remove_suffix(2);
  return std::uint64_t{width};
}

}  // namespace

std::string TileName::Path() const {
  std::string text = ThreeDigits(number % kGroup);
  for (std::uint64_t rest = number / kGroup; rest != 0; rest /= kGroup)
    text = "x" + ThreeDigits(rest % kGroup) + "/" + text;
  if (width != kTileWidth) text += ".p/" + std::to_string(width);
  return (entries ? "tile/entries/" : "tile/" + std::to_string(level) + "/") + text;
}

Result<TileName> TileName::Parse(std::string_view path) {
  auto parts = Split(path, '/');
  if (path.size() > 64 || parts.size() < 3 || parts[0] != "tile") return NoTile();
  TileName name;
  name.entries = parts[1] == "entries";
  unsigned long long level = 0;
  if (!name.entries && !ParseNumber(parts[1], kMaxTileLevel, &level)) return NoTile();
  name.level = static_cast<unsigned>(level);
  parts.erase(parts.begin(), parts.begin() + 2);
  name.width = GRANTFS_TRY(TakeWidth(&parts));
  name.number = GRANTFS_TRY(ParseTileNumber(parts));
  return name;
}

// The largest power of two below the range's length.
std::uint64_t TileProver::Range::Left() const { return std::bit_floor(high - low - 1); }

Result<Hash> TileProver::Node(unsigned level, std::uint64_t number) {
  constexpr unsigned kBits = 8;  // of kTileWidth
  const unsigned within = level % kBits;
  const std::uint64_t first = number << within;
  TileName name{false, level / kBits, first / kTileWidth, kTileWidth};
  const std::uint64_t hashes = size_ >> (kBits * name.level);
  name.width = std::min(kTileWidth, hashes - name.number * kTileWidth);
  auto found = tiles_.find(name);
  if (found == tiles_.end()) {
    auto fetched = GRANTFS_TRY(fetch_(name));
    if (fetched.size() != name.width)
      return Error{Code::kIntegrity, "a tile has another width than it must", 0, name.Path()};
    found = tiles_.emplace(name, std::move(fetched)).first;
  }
  return MerkleRoot(std::span(found->second).subspan(first % kTileWidth, std::size_t{1} << within));
}

Result<Hash> TileProver::RootOf(Range range) {
  const std::uint64_t length = range.high - range.low;
  if (std::has_single_bit(length) && range.low % length == 0) {
    const auto level = static_cast<unsigned>(std::countr_zero(length));
    return Node(level, range.low >> level);
  }
  const std::uint64_t middle = range.low + range.Left();
  const Hash left = GRANTFS_TRY(RootOf({range.low, middle}));
  return MerkleNodeHash(left, GRANTFS_TRY(RootOf({middle, range.high})));
}

Result<std::vector<Hash>> TileProver::Inclusion(std::uint64_t leaf) {
  if (leaf >= size_) return Error{Code::kInvalid, "the tree has no such leaf"};
  std::vector<Hash> proof;
  for (Range range{0, size_}; range.high - range.low > 1;) {
    const std::uint64_t middle = range.low + range.Left();
    const bool left = leaf < middle;
    proof.push_back(GRANTFS_TRY(RootOf(left ? Range{middle, range.high} : Range{range.low, middle})));
    range = left ? Range{range.low, middle} : Range{middle, range.high};
  }
  std::reverse(proof.begin(), proof.end());
  return proof;
}

Result<std::vector<Hash>> TileProver::Consistency(std::uint64_t old_size) {
  if (old_size == 0 || old_size > size_) return Error{Code::kInvalid, "the tree was never of that size"};
  std::vector<Hash> proof;
  Range range{0, size_};
  while (range.high != old_size) {
    const std::uint64_t middle = range.low + range.Left();
    const bool left = old_size <= middle;
    proof.push_back(GRANTFS_TRY(RootOf(left ? Range{middle, range.high} : Range{range.low, middle})));
    range = left ? Range{range.low, middle} : Range{middle, range.high};
  }
  // The old tree's own root is known to who verifies.
  if (range.low != 0) proof.push_back(GRANTFS_TRY(RootOf(range)));
  std::reverse(proof.begin(), proof.end());
  return proof;
}

}  // namespace grantfs

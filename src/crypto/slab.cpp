#include <sodium.h>

#include <array>
#include <mutex>
#include <vector>

#include "secret_internal.h"

namespace grantfs {
namespace {

constexpr std::size_t kSlabBytes = 16 * 1024;

// Free pieces of one size. What is free is kept outside of the slabs, so that they hold nothing but secrets,
// and a free piece is always zero. Slabs stay mapped: their number follows the most pieces that were ever in
// use.
class Pieces {
 public:
  explicit Pieces(std::size_t size) : size_(size) {}
  std::size_t size() const { return size_; }

  Result<std::uint8_t*> Take() {
    const std::lock_guard lock(mutex_);
    if (free_.empty()) GRANTFS_CHECK(Grow());
    std::uint8_t* const piece = free_.back();
    free_.pop_back();
    // Somebody wrote through a pointer to a piece that had been freed.
    if (sodium_is_zero(piece, size_) == 0) std::abort();
    return piece;
  }

  void Return(std::uint8_t* piece) {
    sodium_memzero(piece, size_);
    const std::lock_guard lock(mutex_);
    free_.push_back(piece);  // Grow reserved the place
  }

 private:
  Status Grow() {
    const std::size_t count = kSlabBytes / size_;
    free_.reserve(total_ + count);
    std::uint8_t* const slab = GRANTFS_TRY(MapLocked(kSlabBytes));
    total_ += count;
    for (std::size_t i = count; i-- > 0;) free_.push_back(slab + i * size_);
    return {};
  }

  const std::size_t size_;
  std::mutex mutex_;
  std::vector<std::uint8_t*> free_;
  std::size_t total_ = 0;
};

Pieces& PiecesFor(std::size_t size) {
  // Never destroyed: secrets with static storage may outlive any order of destruction.
  static auto& classes = *new std::array<Pieces, 3>{Pieces(32), Pieces(64), Pieces(kMaxPieceBytes)};
  for (Pieces& pieces : classes) {
    if (size <= pieces.size()) return pieces;
  }
  std::abort();
}

}  // namespace

Result<std::uint8_t*> TakePiece(std::size_t size) { return PiecesFor(size).Take(); }

void ReturnPiece(std::uint8_t* piece, std::size_t size) { PiecesFor(size).Return(piece); }

}  // namespace grantfs

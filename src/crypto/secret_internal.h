#pragma once

#include <cstddef>
#include <cstdint>

#include "grantfs/util/result.h"

namespace grantfs {

/// Zero-filled memory that is locked, excluded from core dumps and has an inaccessible page on either side.
/// It ends where the page behind it begins, so that the first byte beyond it faults. Errors: kIo with the
/// limit to raise.
Result<std::uint8_t*> MapLocked(std::size_t size);

/// Wipes and unmaps what MapLocked(size) returned.
void UnmapLocked(std::uint8_t* data, std::size_t size);

/// The largest piece that comes from the slabs.
inline constexpr std::size_t kMaxPieceBytes = 256;

/// A zero-filled piece of at least `size` (1..kMaxPieceBytes) bytes from the process's locked slabs; another
/// slab is mapped when they are full. Errors: kIo. Threads: safe.
Result<std::uint8_t*> TakePiece(std::size_t size);

/// Wipes a piece and gives it back. Threads: safe.
void ReturnPiece(std::uint8_t* piece, std::size_t size);

}  // namespace grantfs

#include "grantfs/crypto/secret.h"

#include <sodium.h>

#include <algorithm>
#include <utility>

#include "secret_internal.h"

namespace grantfs {

Result<SecretMemory> SecretMemory::Allocate(std::size_t size) {
  SecretMemory memory;
  if (size == 0) return memory;
  memory.from_slab_ = size <= kMaxPieceBytes;
  memory.data_ = GRANTFS_TRY(memory.from_slab_ ? TakePiece(size) : MapLocked(size));
  memory.size_ = size;
  return memory;
}

SecretMemory::SecretMemory(SecretMemory&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      from_slab_(std::exchange(other.from_slab_, false)) {}

SecretMemory& SecretMemory::operator=(SecretMemory&& other) noexcept {
  SecretMemory taken(std::move(other));
  std::swap(data_, taken.data_);
  std::swap(size_, taken.size_);
  std::swap(from_slab_, taken.from_slab_);
  return *this;
}

SecretMemory::~SecretMemory() {
  if (data_ == nullptr) return;
  if (from_slab_) {
    ReturnPiece(data_, size_);
  } else {
    UnmapLocked(data_, size_);
  }
}

bool SecretMemory::Equals(const SecretMemory& other) const {
  return size_ == other.size_ && sodium_memcmp(data_, other.data_, size_) == 0;
}

Result<SecretMemory> SecretMemory::Clone() const {
  SecretMemory copy = GRANTFS_TRY(Allocate(size_));
  std::copy_n(data_, size_, copy.data_);
  return copy;
}

}  // namespace grantfs

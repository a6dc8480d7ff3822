#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "grantfs/crypto/hash.h"
#include "grantfs/util/bytes.h"
#include "grantfs/util/result.h"
#include "grantfs/util/unique_fd.h"

namespace grantfs {

/// Memory for secrets: locked, excluded from core dumps, wiped when it is freed. Small pieces share one slab
/// (a guarded page each would cost 28 us); larger ones are mapped with guard pages. Move-only; an empty one
/// holds nothing. Threads: separate objects may be used at once.
class SecretMemory {
 public:
  SecretMemory() = default;
  /// Zero-filled. Aborts only where the machine has no memory at all; a failed lock is an error.
  static Result<SecretMemory> Allocate(std::size_t size);
  SecretMemory(SecretMemory&& other) noexcept;
  SecretMemory& operator=(SecretMemory&& other) noexcept;
  SecretMemory(const SecretMemory&) = delete;
  SecretMemory& operator=(const SecretMemory&) = delete;
  ~SecretMemory();

  std::size_t size() const { return size_; }
  /// Only crypto's own files and the few that the lint lists may call this.
  std::span<std::uint8_t> Expose() { return {data_, size_}; }
  std::span<const std::uint8_t> Expose() const { return {data_, size_}; }
  /// Constant time for equal sizes.
  bool Equals(const SecretMemory& other) const;
  /// Copies into memory of its own. Errors: kIo.
  Result<SecretMemory> Clone() const;

 private:
  std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
  bool from_slab_ = false;
};

/// The largest value of a secret.
inline constexpr std::size_t kMaxSecretBytes = std::size_t{1} << 20;

/// The plaintext of one version of a secret: 0..kMaxSecretBytes bytes. Never enters net, json, api, vault or
/// server.
class SecretValue {
 public:
  SecretValue() = default;
  explicit SecretValue(SecretMemory memory) : memory_(std::move(memory)) {}
  std::size_t size() const { return memory_.size(); }
  std::span<const std::uint8_t> Expose() const { return memory_.Expose(); }
  std::span<std::uint8_t> Expose() { return memory_.Expose(); }
  bool Equals(const SecretValue& other) const { return memory_.Equals(other.memory_); }

 private:
  SecretMemory memory_;
};

/// HMAC-SHA-256 (RFC 2104) under a key of any length, for those who hold the same key.
Hash HmacSha256(const SecretMemory& key, std::initializer_list<ByteView> parts);

/// Reads a value or seed from `fd` until end of file into locked memory, without a copy elsewhere.
/// Errors: kInvalid (more than `max_bytes`), kIo.
Result<SecretMemory> ReadSecret(int fd, std::size_t max_bytes);

/// Reads a file such as a seed: refuses one that others may read (mode & 077) or that belongs to another
/// user. Errors: kNotFound, kDenied (with the mending chmod in `where`), kInvalid, kIo.
Result<SecretMemory> ReadSecretFile(const char* path, std::size_t max_bytes);
/// The same without the line's end that editors leave.
Result<SecretMemory> ReadKeyFile(const char* path, std::size_t max_bytes);

/// A copy in a file without a name that nobody can change, for a process that has its descriptor: locked as
/// long as this process lives. Errors: kIo.
Result<UniqueFd> SealedMemory(const SecretMemory& content);
/// What SealedMemory put there. Errors: kInvalid (more than `max_bytes`), kIo.
Result<SecretMemory> ReadSealedMemory(int fd, std::size_t max_bytes);

/// Makes a new file 0600 (O_EXCL) and syncs it and its directory. Errors: kConflict if it exists, kIo.
Status WriteSecretFile(const char* path, const SecretMemory& content);

}  // namespace grantfs

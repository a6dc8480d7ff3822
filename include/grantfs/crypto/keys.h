#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "grantfs/crypto/hash.h"
#include "grantfs/crypto/secret.h"
#include "grantfs/util/bytes.h"
#include "grantfs/util/result.h"

namespace grantfs {

/// The cipher suite of a key, a sealed blob or a statement: 1 = Ed25519, X25519, XChaCha20-Poly1305, BLAKE2b.
/// A hybrid post-quantum suite is to come; every other number is refused.
inline constexpr std::uint8_t kSuite = 1;

/// A public Ed25519 key (RFC 8032).
struct VerifyKey {
  std::array<std::uint8_t, 32> bytes{};
  std::string Hex() const;
  static Result<VerifyKey> FromHex(std::string_view text);
  auto operator<=>(const VerifyKey&) const = default;
};

struct Signature {
  std::array<std::uint8_t, 64> bytes{};
  auto operator<=>(const Signature&) const = default;
};

/// True if `signature` is that of `key` over `message`. The only verifier in the program: two libraries disagree on
/// edge cases, so there is one. Threads: safe.
bool Verify(const VerifyKey& key, ByteView message, const Signature& signature);

/// A private Ed25519 key. Move-only, in locked memory.
class SigningKey {
 public:
  static Result<SigningKey> Generate();
  /// From a 32-byte seed. Errors: kInvalid for another size, kIo.
  static Result<SigningKey> FromSeed(const SecretMemory& seed);
  const VerifyKey& verify_key() const { return public_; }
  /// Threads: safe.
  Signature Sign(ByteView message) const;
  /// The 32-byte seed, for storing the server's own keys. Errors: kIo.
  Result<SecretMemory> Seed() const;

 private:
  SecretMemory private_;
  VerifyKey public_;
};

/// A public X25519 key (RFC 7748).
struct SealKey {
  std::array<std::uint8_t, 32> bytes{};
  std::string Hex() const;
  static Result<SealKey> FromHex(std::string_view text);
  auto operator<=>(const SealKey&) const = default;
};

/// A sealed blob: one suite byte, then libsodium's crypto_box_seal. Anyone can make one, only the owner of the private key
/// opens it, and nothing in it says who made it.
inline constexpr std::size_t kSealOverhead = 1 + 48;

/// The private half of an X25519 key pair. Move-only, in locked memory.
class UnsealKey {
 public:
  static Result<UnsealKey> Generate();
  /// The pair that libsodium derives from a 32-byte seed (crypto_box_seed_keypair). Errors: kInvalid, kIo.
  static Result<UnsealKey> FromSeed(const SecretMemory& seed);
  /// From the 32 private bytes themselves, as they come out of a sealed copy. Errors: kInvalid, kIo.
  static Result<UnsealKey> FromPrivate(SecretMemory private_bytes);
  const SealKey& seal_key() const { return public_; }
  /// Opens a blob that was sealed to seal_key(). Errors: kIntegrity, kUnsupported (suite), kIo. Threads: safe.
  Result<SecretMemory> Open(ByteView sealed) const;
  /// The 32 private bytes, to be sealed to somebody else.
  const SecretMemory& private_bytes() const { return private_; }

 private:
  SecretMemory private_;
  SealKey public_;
};

/// Seals `content` to `key`. Errors: kInvalid for a key of small order. Threads: safe.
Result<Bytes> Seal(const SealKey& key, const SecretMemory& content);

/// Two subkeys and more from one 32-byte master (libsodium's crypto_kdf). `context` is exactly 8 characters.
/// Errors: kInvalid, kIo.
Result<SecretMemory> DeriveKey(const SecretMemory& master, std::uint64_t number, std::string_view context,
                               std::size_t size = 32);

/// 32 random bytes in locked memory. Errors: kIo.
Result<SecretMemory> RandomKey();

}  // namespace grantfs

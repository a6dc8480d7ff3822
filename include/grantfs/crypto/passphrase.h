#pragma once

#include <array>
#include <cstdint>

#include "grantfs/crypto/secret.h"

namespace grantfs {

/// What each guess at a passphrase costs: passes of Argon2id over so much memory.
struct PassphraseCost {
  std::uint32_t passes = 3;
  std::uint32_t memory_kib = 128 * 1024;
};
// What a file may ask for. Beyond it somebody wants this machine's memory, not its key.
inline constexpr std::uint32_t kMaxPassphrasePasses = 16;
inline constexpr std::uint32_t kMinPassphraseMemoryKib = 8 * 1024;
inline constexpr std::uint32_t kMaxPassphraseMemoryKib = 1024 * 1024;
inline constexpr std::size_t kMinPassphraseBytes = 8;
inline constexpr std::size_t kMaxPassphraseBytes = 1024;
/// Of a 32-byte key under a passphrase, as it lies in a file.
inline constexpr std::size_t kProtectedKeyBytes = 105;

using PassphraseSalt = std::array<std::uint8_t, 16>;

/// Argon2id version 1.3 with one lane. Its working memory is not locked; the result is. Errors: kInvalid
/// (bounds), kIo (not so much memory).  Threads: safe.  Source: RFC 9106.
Result<SecretMemory> StretchPassphrase(const SecretMemory& passphrase, const PassphraseSalt& salt,
                                       const PassphraseCost& cost, std::size_t size);

/// A 32-byte key encrypted under a passphrase, with a new salt: contrib/FORMATS.md, "Keys and identities".
/// Errors: kInvalid (a passphrase that is too short or too long), kIo.
Result<Bytes> ProtectKey(const SecretMemory& key, const SecretMemory& passphrase,
                         const PassphraseCost& cost = {});
/// Whether it looks like what ProtectKey made.
bool IsProtectedKey(ByteView bytes);
/// The inverse. Errors: kDenied (another passphrase, or bytes that were altered: nobody can tell which),
/// kUnsupported (it asks for more than the bounds), kInvalid, kIo.
Result<SecretMemory> UnprotectKey(ByteView bytes, const SecretMemory& passphrase);

}  // namespace grantfs

#pragma once

#include "grantfs/crypto/hash.h"
#include "grantfs/crypto/secret.h"

namespace grantfs {

/// What an encrypted value is longer than its plaintext: suite byte, 24-byte nonce, 16-byte tag.
inline constexpr std::size_t kAeadOverhead = 1 + 24 + 16;

/// XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03) with a random nonce. Output: suite byte, nonce, ciphertext, tag.
/// @param key 32 bytes.  @param context associated data (EncodeContext).  Errors: kInvalid (sizes).  Threads: safe.
Result<Bytes> EncryptValue(const SecretMemory& key, ByteView context, const SecretValue& value);

/// The inverse. Errors: kIntegrity if anything does not match, kUnsupported (suite), kInvalid (sizes).
Result<SecretValue> DecryptValue(const SecretMemory& key, ByteView context, ByteView encrypted);

/// Commits to a 32-byte key: BLAKE2b-256 keyed with it, over `context`. Who opens a sealed copy compares this first, so
/// that one ciphertext cannot open to two values under two keys. Errors: kInvalid (a key of another size, as somebody may
/// have sealed one).
Result<Hash> CommitToKey(const SecretMemory& key, ByteView context);

}  // namespace grantfs

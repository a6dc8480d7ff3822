#pragma once

#include <array>

#include "grantfs/crypto/aead.h"

namespace grantfs {

using AeadNonce = std::array<std::uint8_t, 24>;

/// EncryptValue with a nonce that the caller chose: for EncryptValue itself and for known answers in tests,
/// nobody else (the same key and nonce twice would reveal both values).
Result<Bytes> EncryptWithNonce(const SecretMemory& key, ByteView context, const SecretValue& value,
                               const AeadNonce& nonce);

}  // namespace grantfs

#pragma once

#include "grantfs/crypto/secret.h"
#include "grantfs/util/result.h"

namespace grantfs {

/// What the recovery identity is called in the vault's list.
inline constexpr char kRecoveryName[] = "recovery";

/// The recovery identity's seed as text that a person writes down: 32 bytes and 4 of checksum in base32 (RFC
/// 4648 section 6, in lower case), in groups of 4 with "-" between them: 58 digits, 72 characters. Errors:
/// kInvalid (not 32 bytes), kIo.
Result<SecretMemory> EncodeRecoveryCode(const SecretMemory& seed);

/// White space, "-" and case are let go. Errors: kInvalid: "mistyped".
Result<SecretMemory> DecodeRecoveryCode(const SecretMemory& text);

}  // namespace grantfs

#pragma once

#include <string>
#include <string_view>

#include "grantfs/crypto/hash.h"
#include "grantfs/crypto/secret.h"
#include "grantfs/util/result.h"

namespace grantfs {

/// What a server shows and proves in TLS.
struct TlsIdentity {
  std::string certificate_pem;
  SecretMemory private_key_pem;
};

/// Makes an Ed25519 key and a certificate for it, signed by itself, without an expiry that anyone would meet
/// (clients pin the key and look at nothing else in it). @param common_name 1..64 bytes, for people.  Errors:
/// kInvalid, kIo.  Threads: safe.
Result<TlsIdentity> MakeTlsIdentity(std::string_view common_name);

/// The pin of a certificate: SHA-256 of its SubjectPublicKeyInfo, so that it stays when the certificate is
/// renewed for the same key. Errors: kInvalid.  Threads: safe.  Source: RFC 7469 section 2.4.
Result<Hash> PinOf(std::string_view certificate_pem);

/// The key exchange groups that this program offers, best first ("X25519MLKEM768:X25519" where OpenSSL has
/// it).
const char* TlsGroups();

}  // namespace grantfs

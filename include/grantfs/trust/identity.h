#pragma once

#include <cstdint>
#include <string>

#include "grantfs/crypto/keys.h"
#include "grantfs/json/json.h"
#include "grantfs/util/result.h"

namespace grantfs {

enum class IdentityKind { kUser, kMachine, kAgent };
const char* IdentityKindName(IdentityKind kind);  ///< "user", "machine", "agent"
Result<IdentityKind> ParseIdentityKind(std::string_view text);

/// The public half of an identity, as it stands in statements. The sealing key counts only under `binding`, a
/// signature of the signing key over suite, kind, name and both keys, so that nobody can pair a key with
/// another's seal.
struct Identity {
  IdentityKind kind = IdentityKind::kUser;
  std::string name;
  VerifyKey sign;
  SealKey seal;
  Signature binding;
  std::int64_t not_after =
      0;  ///< unix seconds, 0 = never: ends authentication and delivery, not the worth of signatures

  /// BLAKE2b-256 over suite and signing key: the `keyid` of requests and the `signer` of statements.
  Hash Id() const;
  /// What both ends of an enrolment show to people: 5 groups of 4 characters [a-z2-7], of a hash over both
  /// keys.
  std::string Fingerprint() const;
  Json ToJson() const;
  /// Checks the binding too. Errors: kInvalid, kIntegrity (binding), kUnsupported (suite).
  static Result<Identity> FromJson(const Json& json);
  /// The same without the binding, which is somebody else's to check.
  static Result<Identity> FromJsonUnbound(const Json& json);
  /// That the signing key has signed the sealing key. Errors: kIntegrity.
  Status CheckBinding() const;
  bool operator==(const Identity&) const = default;
};

/// The private half: both keys derive from one 32-byte seed (crypto_kdf, context "grantfs1": 1 = signing, 2 =
/// sealing).
class PrivateIdentity {
 public:
  static Result<PrivateIdentity> FromSeed(const SecretMemory& seed, IdentityKind kind, std::string name);
  const Identity& identity() const { return identity_; }
  Hash Id() const { return identity_.Id(); }
  const SigningKey& signing_key() const { return signing_; }
  const UnsealKey& unseal_key() const { return unseal_; }

 private:
  SigningKey signing_;
  UnsealKey unseal_;
  Identity identity_;
};

}  // namespace grantfs

#include <sodium.h>

#include <cstdlib>

#include "fixed_hex_internal.h"
#include "grantfs/crypto/keys.h"

namespace grantfs {

std::string VerifyKey::Hex() const { return HexEncode(bytes); }

Result<VerifyKey> VerifyKey::FromHex(std::string_view text) { return FixedFromHex<VerifyKey>(text); }

bool Verify(const VerifyKey& key, ByteView message, const Signature& signature) {
  return crypto_sign_verify_detached(signature.bytes.data(), message.data(), message.size(),
                                     key.bytes.data()) == 0;
}

Result<SigningKey> SigningKey::Generate() { return FromSeed(GRANTFS_TRY(RandomKey())); }

Result<SigningKey> SigningKey::FromSeed(const SecretMemory& seed) {
  if (seed.size() != crypto_sign_SEEDBYTES) {
    return Error{Code::kInvalid, "a signing key's seed is not 32 bytes long"};
  }
  SigningKey key;
  key.private_ = GRANTFS_TRY(SecretMemory::Allocate(crypto_sign_SECRETKEYBYTES));
  crypto_sign_seed_keypair(key.public_.bytes.data(), key.private_.Expose().data(), seed.Expose().data());
  return key;
}

Signature SigningKey::Sign(ByteView message) const {
  if (private_.size() != crypto_sign_SECRETKEYBYTES) std::abort();  // empty or moved from
  Signature signature;
  crypto_sign_detached(signature.bytes.data(), nullptr, message.data(), message.size(),
                       private_.Expose().data());
  return signature;
}

Result<SecretMemory> SigningKey::Seed() const {
  if (private_.size() != crypto_sign_SECRETKEYBYTES) std::abort();
  SecretMemory seed = GRANTFS_TRY(SecretMemory::Allocate(crypto_sign_SEEDBYTES));
  crypto_sign_ed25519_sk_to_seed(seed.Expose().data(), private_.Expose().data());
  return seed;
}

}  // namespace grantfs

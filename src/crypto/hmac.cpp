#include <sodium.h>

#include "grantfs/crypto/secret.h"

namespace grantfs {

Hash HmacSha256(const SecretMemory& key, std::initializer_list<ByteView> parts) {
  Hash hash;
  crypto_auth_hmacsha256_state state;
  const auto bytes = key.Expose();
  crypto_auth_hmacsha256_init(&state, bytes.data(), bytes.size());
  for (const ByteView part : parts) crypto_auth_hmacsha256_update(&state, part.data(), part.size());
  crypto_auth_hmacsha256_final(&state, hash.bytes.data());
  sodium_memzero(&state, sizeof state);
  return hash;
}

}  // namespace grantfs

#include "grantfs/crypto/hash.h"

#include <sodium.h>

#include <algorithm>

#include "grantfs/crypto/encoding.h"

namespace grantfs {

std::string Hash::Hex() const { return HexEncode(bytes); }

Result<Hash> Hash::FromHex(std::string_view text) { return FromBytes(GRANTFS_TRY(HexDecode(text, 32))); }

Result<Hash> Hash::FromBytes(ByteView bytes) {
  Hash hash;
  if (bytes.size() != hash.bytes.size()) return Error{Code::kInvalid, "a hash is not 32 bytes long"};
  std::copy(bytes.begin(), bytes.end(), hash.bytes.begin());
  return hash;
}

Hash Blake2b256(std::initializer_list<ByteView> parts) {
  Hash hash;
  crypto_generichash_state state;
  crypto_generichash_init(&state, nullptr, 0, hash.bytes.size());
  for (const ByteView part : parts) crypto_generichash_update(&state, part.data(), part.size());
  crypto_generichash_final(&state, hash.bytes.data(), hash.bytes.size());
  return hash;
}

Hash Sha256(std::initializer_list<ByteView> parts) {
  Hash hash;
  crypto_hash_sha256_state state;
  crypto_hash_sha256_init(&state);
  for (const ByteView part : parts) crypto_hash_sha256_update(&state, part.data(), part.size());
  crypto_hash_sha256_final(&state, hash.bytes.data());
  return hash;
}

Result<Hash> Sha256Of(const std::function<Result<ByteView>()>& next) {
  Hash hash;
  crypto_hash_sha256_state state;
  crypto_hash_sha256_init(&state);
  for (ByteView piece = GRANTFS_TRY(next()); !piece.empty(); piece = GRANTFS_TRY(next())) {
    crypto_hash_sha256_update(&state, piece.data(), piece.size());
  }
  crypto_hash_sha256_final(&state, hash.bytes.data());
  return hash;
}

std::array<std::uint8_t, 64> Sha512(ByteView data) {
  std::array<std::uint8_t, 64> hash{};
  crypto_hash_sha512(hash.data(), data.data(), data.size());
  return hash;
}

Bytes EncodeContext(std::initializer_list<ByteView> parts) {
  std::size_t size = 0;
  for (const ByteView part : parts) size += 8 + part.size();
  Bytes encoded(size);
  std::uint8_t* at = encoded.data();
  for (const ByteView part : parts) {
    for (int shift = 0; shift < 64; shift += 8)
      *at++ = static_cast<std::uint8_t>(std::uint64_t{part.size()} >> shift);
    at = std::copy(part.begin(), part.end(), at);
  }
  return encoded;
}

}  // namespace grantfs

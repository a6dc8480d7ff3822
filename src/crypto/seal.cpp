#include <sodium.h>

#include <cstdlib>

#include "fixed_hex_internal.h"
#include "grantfs/crypto/keys.h"

namespace grantfs {

static_assert(kSealOverhead == 1 + crypto_box_SEALBYTES);

std::string SealKey::Hex() const { return HexEncode(bytes); }

Result<SealKey> SealKey::FromHex(std::string_view text) { return FixedFromHex<SealKey>(text); }

Result<UnsealKey> UnsealKey::Generate() { return FromSeed(GRANTFS_TRY(RandomKey())); }

Result<UnsealKey> UnsealKey::FromSeed(const SecretMemory& seed) {
  if (seed.size() != crypto_box_SEEDBYTES) {
    return Error{Code::kInvalid, "a sealing key's seed is not 32 bytes long"};
  }
  UnsealKey key;
  key.private_ = GRANTFS_TRY(SecretMemory::Allocate(crypto_box_SECRETKEYBYTES));
  crypto_box_seed_keypair(key.public_.bytes.data(), key.private_.Expose().data(), seed.Expose().data());
  return key;
}

Result<UnsealKey> UnsealKey::FromPrivate(SecretMemory private_bytes) {
  if (private_bytes.size() != crypto_box_SECRETKEYBYTES) {
    return Error{Code::kInvalid, "a private sealing key is not 32 bytes long"};
  }
  UnsealKey key;
  key.private_ = std::move(private_bytes);
  crypto_scalarmult_base(key.public_.bytes.data(), key.private_.Expose().data());
  return key;
}

Result<SecretMemory> UnsealKey::Open(ByteView sealed) const {
  if (private_.size() != crypto_box_SECRETKEYBYTES) std::abort();  // empty or moved from
  if (sealed.size() < kSealOverhead) return Error{Code::kIntegrity, "a sealed blob is too short"};
  if (sealed[0] != kSuite) return Error{Code::kUnsupported, "a sealed blob is of an unknown cipher suite"};
  SecretMemory content = GRANTFS_TRY(SecretMemory::Allocate(sealed.size() - kSealOverhead));
  const ByteView box = sealed.subspan(1);
  if (crypto_box_seal_open(content.Expose().data(), box.data(), box.size(), public_.bytes.data(),
                           private_.Expose().data()) != 0) {
    return Error{Code::kIntegrity, "a sealed blob does not open with this key"};
  }
  return content;
}

Result<Bytes> Seal(const SealKey& key, const SecretMemory& content) {
  Bytes sealed(kSealOverhead + content.size());
  sealed[0] = kSuite;
  if (crypto_box_seal(sealed.data() + 1, content.Expose().data(), content.size(), key.bytes.data()) != 0) {
    return Error{Code::kInvalid, "nothing can be sealed to a key of small order"};
  }
  return sealed;
}

Result<SecretMemory> DeriveKey(const SecretMemory& master, std::uint64_t number, std::string_view context,
                               std::size_t size) {
  if (master.size() != crypto_kdf_KEYBYTES) return Error{Code::kInvalid, "a master key is not 32 bytes long"};
  if (context.size() != crypto_kdf_CONTEXTBYTES) {
    return Error{Code::kInvalid, "the context of a derived key is not 8 characters long"};
  }
  if (size < crypto_kdf_BYTES_MIN || size > crypto_kdf_BYTES_MAX) {
    return Error{Code::kInvalid, "a derived key is not 16 to 64 bytes long"};
  }
  SecretMemory derived = GRANTFS_TRY(SecretMemory::Allocate(size));
  crypto_kdf_derive_from_key(derived.Expose().data(), size, number, context.data(), master.Expose().data());
  return derived;
}

Result<SecretMemory> RandomKey() {
  SecretMemory key = GRANTFS_TRY(SecretMemory::Allocate(32));
  randombytes_buf(key.Expose().data(), key.size());
  return key;
}

}  // namespace grantfs

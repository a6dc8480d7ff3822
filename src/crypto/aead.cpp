#include "grantfs/crypto/aead.h"

#include <sodium.h>

#include <algorithm>

#include "aead_internal.h"
#include "grantfs/crypto/keys.h"

namespace grantfs {
namespace {

constexpr std::size_t kKeyBytes = crypto_aead_xchacha20poly1305_ietf_KEYBYTES;
constexpr std::size_t kNonceBytes = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
static_assert(kAeadOverhead == 1 + kNonceBytes + crypto_aead_xchacha20poly1305_ietf_ABYTES);
static_assert(std::tuple_size_v<AeadNonce> == kNonceBytes);

Status CheckKey(const SecretMemory& key) {
  if (key.size() != kKeyBytes) return Error{Code::kInvalid, "a data key is not 32 bytes long"};
  return {};
}

}  // namespace

Result<Bytes> EncryptWithNonce(const SecretMemory& key, ByteView context, const SecretValue& value,
                               const AeadNonce& nonce) {
  GRANTFS_CHECK(CheckKey(key));
  if (value.size() > kMaxSecretBytes) return Error{Code::kInvalid, "the value is larger than 1 MiB"};
  Bytes encrypted(kAeadOverhead + value.size());
  encrypted[0] = kSuite;
  std::copy(nonce.begin(), nonce.end(), encrypted.begin() + 1);
  crypto_aead_xchacha20poly1305_ietf_encrypt(encrypted.data() + 1 + kNonceBytes, nullptr,
                                             value.Expose().data(), value.size(), context.data(),
                                             context.size(), nullptr, nonce.data(), key.Expose().data());
  return encrypted;
}

Result<Bytes> EncryptValue(const SecretMemory& key, ByteView context, const SecretValue& value) {
  AeadNonce nonce;
  randombytes_buf(nonce.data(), nonce.size());
  return EncryptWithNonce(key, context, value, nonce);
}

Result<SecretValue> DecryptValue(const SecretMemory& key, ByteView context, ByteView encrypted) {
  GRANTFS_CHECK(CheckKey(key));
  if (encrypted.size() < kAeadOverhead || encrypted.size() > kAeadOverhead + kMaxSecretBytes) {
    return Error{Code::kInvalid, "an encrypted value has an impossible size"};
  }
  if (encrypted[0] != kSuite) {
    return Error{Code::kUnsupported, "an encrypted value is of an unknown cipher suite"};
  }
  SecretMemory value = GRANTFS_TRY(SecretMemory::Allocate(encrypted.size() - kAeadOverhead));
  const ByteView nonce = encrypted.subspan(1, kNonceBytes);
  const ByteView box = encrypted.subspan(1 + kNonceBytes);
  if (crypto_aead_xchacha20poly1305_ietf_decrypt(value.Expose().data(), nullptr, nullptr, box.data(),
                                                 box.size(), context.data(), context.size(), nonce.data(),
                                                 key.Expose().data()) != 0) {
    return Error{Code::kIntegrity, "an encrypted value does not decrypt with its key in its context"};
  }
  return SecretValue(std::move(value));
}

Result<Hash> CommitToKey(const SecretMemory& key, ByteView context) {
  GRANTFS_CHECK(CheckKey(key));
  Hash commitment;
  crypto_generichash(commitment.bytes.data(), commitment.bytes.size(), context.data(), context.size(),
                     key.Expose().data(), key.size());
  return commitment;
}

}  // namespace grantfs

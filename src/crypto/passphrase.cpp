#include "grantfs/crypto/passphrase.h"

#include <sodium.h>

#include <algorithm>
#include <cstring>

#include "grantfs/crypto/aead.h"

namespace grantfs {
namespace {

// The header, which is what the encryption is bound to: a mark, passes and memory (big-endian), the salt.
constexpr char kMark[] = "gfskey1\n";
constexpr std::size_t kMarkBytes = 8;
constexpr std::size_t kHeaderBytes = kMarkBytes + 4 + 4 + sizeof(PassphraseSalt);
constexpr std::size_t kSeedKeyBytes = 32;
static_assert(kHeaderBytes + kSeedKeyBytes + kAeadOverhead == kProtectedKeyBytes);

using Header = std::array<std::uint8_t, kHeaderBytes>;

void Put32(std::uint32_t number, std::uint8_t* out) {
  for (int i = 0; i < 4; ++i) out[i] = static_cast<std::uint8_t>(number >> (24 - 8 * i));
}

std::uint32_t Get32(const std::uint8_t* in) {
  std::uint32_t number = 0;
  for (int i = 0; i < 4; ++i) number = number << 8 | in[i];
  return number;
}

Header MakeHeader(const PassphraseCost& cost, const PassphraseSalt& salt) {
  Header header{};
  std::memcpy(header.data(), kMark, kMarkBytes);
  Put32(cost.passes, header.data() + kMarkBytes);
  Put32(cost.memory_kib, header.data() + kMarkBytes + 4);
  std::copy(salt.begin(), salt.end(), header.begin() + kMarkBytes + 8);
  return header;
}

bool WithinBounds(const PassphraseCost& cost) {
  return cost.passes >= 1 && cost.passes <= kMaxPassphrasePasses &&
         cost.memory_kib >= kMinPassphraseMemoryKib && cost.memory_kib <= kMaxPassphraseMemoryKib;
}

}  // namespace

Result<SecretMemory> StretchPassphrase(const SecretMemory& passphrase, const PassphraseSalt& salt,
                                       const PassphraseCost& cost, std::size_t size) {
  if (!WithinBounds(cost) || size < 16 || size > 1024 || passphrase.size() > kMaxPassphraseBytes)
    return Error{Code::kInvalid, "the parameters of the passphrase are out of bounds"};
  SecretMemory out = GRANTFS_TRY(SecretMemory::Allocate(size));
  const auto text = passphrase.Expose();
  // A null pointer is no text, even of no length.
  const char* from = text.empty() ? "" : reinterpret_cast<const char*>(text.data());
  if (crypto_pwhash(out.Expose().data(), size, from, text.size(), salt.data(), cost.passes,
                    std::size_t{cost.memory_kib} * 1024, crypto_pwhash_ALG_ARGON2ID13) != 0)
    return Error{Code::kIo, "there is not enough memory for the passphrase: free some and try again"};
  return out;
}

Result<Bytes> ProtectKey(const SecretMemory& key, const SecretMemory& passphrase,
                         const PassphraseCost& cost) {
  if (key.size() != kSeedKeyBytes) return Error{Code::kInvalid, "the key has another size"};
  if (passphrase.size() < kMinPassphraseBytes || passphrase.size() > kMaxPassphraseBytes)
    return Error{Code::kInvalid, "a passphrase has 8 to 1024 bytes"};
  PassphraseSalt salt;
  randombytes_buf(salt.data(), salt.size());
  const Header header = MakeHeader(cost, salt);
  const SecretMemory wrapping = GRANTFS_TRY(StretchPassphrase(passphrase, salt, cost, kSeedKeyBytes));
  const Bytes encrypted = GRANTFS_TRY(EncryptValue(wrapping, header, SecretValue(GRANTFS_TRY(key.Clone()))));
  Bytes made(header.begin(), header.end());
  made.insert(made.end(), encrypted.begin(), encrypted.end());
  return made;
}

bool IsProtectedKey(ByteView bytes) {
  return bytes.size() == kProtectedKeyBytes && std::memcmp(bytes.data(), kMark, kMarkBytes) == 0;
}

Result<SecretMemory> UnprotectKey(ByteView bytes, const SecretMemory& passphrase) {
  if (!IsProtectedKey(bytes)) return Error{Code::kInvalid, "it is no key under a passphrase"};
  const PassphraseCost cost{Get32(bytes.data() + kMarkBytes), Get32(bytes.data() + kMarkBytes + 4)};
  if (!WithinBounds(cost))
    return Error{
        Code::kUnsupported,
        "the key's file asks for more work or memory than is ever written there: it is damaged, or was altered"};
  PassphraseSalt salt;
  std::copy_n(bytes.data() + kMarkBytes + 8, salt.size(), salt.begin());
  const SecretMemory wrapping = GRANTFS_TRY(StretchPassphrase(passphrase, salt, cost, kSeedKeyBytes));
  const auto key = DecryptValue(wrapping, bytes.first(kHeaderBytes), bytes.subspan(kHeaderBytes));
  if (!key)
    return Error{Code::kDenied,
                 "this is not the passphrase of the key (or the key's file was altered): nothing was "
                 "changed; try again"};
  SecretMemory copy = GRANTFS_TRY(SecretMemory::Allocate(key->size()));
  std::copy_n(key->Expose().begin(), key->size(), copy.Expose().begin());
  return copy;
}

}  // namespace grantfs

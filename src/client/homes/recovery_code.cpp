#include "grantfs/client/recovery_code.h"

#include <cstring>

#include "grantfs/crypto/hash.h"

// Coded here, over locked memory: the general encoders return ordinary strings.

namespace grantfs {
namespace {

constexpr std::size_t kRecoverySeedBytes = 32;
constexpr std::size_t kChecksumBytes = 4;
constexpr std::size_t kDigits = ((kRecoverySeedBytes + kChecksumBytes) * 8 + 4) / 5;
constexpr std::size_t kGroup = 4;
constexpr char kAlphabet[] = "abcdefghijklmnopqrstuvwxyz234567";

void Checksum(std::span<const std::uint8_t> seed, std::uint8_t* out) {
  std::memcpy(out, Blake2b256({AsBytes("grantfs-recovery-checksum"), seed}).bytes.data(), kChecksumBytes);
}

int DigitOf(std::uint8_t c) {
  if (c >= 'a' && c <= 'z') return c - 'a';
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= '2' && c <= '7') return c - '2' + 26;
  return -1;
}

bool IsSpacing(std::uint8_t c) { return c == '-' || c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

Error Mistyped() {
  return Error{Code::kInvalid, "the recovery code is mistyped or cut off: its checksum does not match"};
}

}  // namespace

Result<SecretMemory> EncodeRecoveryCode(const SecretMemory& seed) {
  if (seed.size() != kRecoverySeedBytes) return Error{Code::kInvalid, "a recovery seed has 32 bytes"};
  auto raw = GRANTFS_TRY(SecretMemory::Allocate(kRecoverySeedBytes + kChecksumBytes));
  std::memcpy(raw.Expose().data(), seed.Expose().data(), kRecoverySeedBytes);
  Checksum(seed.Expose(), raw.Expose().data() + kRecoverySeedBytes);
  auto code = GRANTFS_TRY(SecretMemory::Allocate(kDigits + (kDigits - 1) / kGroup));
  std::uint8_t* out = code.Expose().data();
  for (std::size_t digit = 0; digit < kDigits; ++digit) {
    unsigned value = 0;
    for (std::size_t bit = digit * 5; bit < digit * 5 + 5; ++bit) {
      const bool set = bit / 8 < raw.size() && (raw.Expose()[bit / 8] >> (7 - bit % 8) & 1u) != 0;
      value = value << 1 | (set ? 1u : 0u);
    }
    if (digit > 0 && digit % kGroup == 0) *out++ = '-';
    *out++ = static_cast<std::uint8_t>(kAlphabet[value]);
  }
  return code;
}

Result<SecretMemory> DecodeRecoveryCode(const SecretMemory& text) {
  auto raw = GRANTFS_TRY(SecretMemory::Allocate(kRecoverySeedBytes + kChecksumBytes));
  std::size_t bits = 0;
  for (const std::uint8_t c : text.Expose()) {
    if (IsSpacing(c)) continue;
    const int digit = DigitOf(c);
    if (digit < 0 || bits >= kDigits * 5) return Mistyped();
    for (int bit = 4; bit >= 0; --bit, ++bits) {
      if ((digit >> bit & 1) == 0) continue;
      if (bits / 8 >= raw.size()) return Mistyped();  // the spare bits of the last digit are zero
      raw.Expose()[bits / 8] = static_cast<std::uint8_t>(raw.Expose()[bits / 8] | 1u << (7 - bits % 8));
    }
  }
  std::uint8_t checksum[kChecksumBytes];
  Checksum(raw.Expose().first(kRecoverySeedBytes), checksum);
  if (bits != kDigits * 5 ||
      std::memcmp(checksum, raw.Expose().data() + kRecoverySeedBytes, kChecksumBytes) != 0) {
    return Mistyped();
  }
  auto seed = GRANTFS_TRY(SecretMemory::Allocate(kRecoverySeedBytes));
  std::memcpy(seed.Expose().data(), raw.Expose().data(), kRecoverySeedBytes);
  return seed;
}

}  // namespace grantfs

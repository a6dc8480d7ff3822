#include <algorithm>
#include <cstring>

#include "grantfs/crypto/encoding.h"
#include "grantfs/trust/invitation.h"
#include "grantfs/trust/names.h"

// The line that a person carries: prefix, then base64url of
//   vault (32) | pin (32) | head sequence (8, big-endian) | head hash (32) | secret and checksum (20) |
//   kind (1) | length of the name (1) | name | address (1..255).
// Base64 is coded here over locked memory: the general encoder returns ordinary strings, and this one holds a
// secret.

namespace grantfs {
namespace {

constexpr std::string_view kInvitePrefix = "grantfs-invite-1.";
constexpr std::string_view kStandingPrefix = "grantfs-standing-1.";
constexpr std::string_view kClaimPrefix = "grantfs-claim-1.";
constexpr std::size_t kFixedBytes = 32 + 32 + 8 + 32 + 20 + 1 + 1;
constexpr std::size_t kMaxName = 63;
constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

Error Mistyped() {
  return Error{Code::kInvalid, "the line is mistyped, cut off, or of another kind; copy it whole"};
}

std::string_view PrefixOf(const InviteLine& line, bool claim) {
  if (claim) return kClaimPrefix;
  return line.standing ? kStandingPrefix : kInvitePrefix;
}

Status CheckName(const InviteLine& line) {
  return line.standing ? CheckNamePattern(line.name) : CheckIdentityName(line.name);
}

Error OfOtherKind(bool claim) {
  return Error{Code::kInvalid, claim ? "this is an invitation, and a claim is needed; grantfs enroll takes it"
                                     : "this is a claim, and an invitation is needed; grantfs init takes it"};
}

void EncodeInto(std::span<const std::uint8_t> in, std::uint8_t* out) {
  unsigned bits = 0;
  unsigned pending = 0;
  for (const std::uint8_t byte : in) {
    pending = (pending << 8 | byte) & 0xFFFFu;
    for (bits += 8; bits >= 6; bits -= 6)
      *out++ = static_cast<std::uint8_t>(kDigits[(pending >> (bits - 6)) & 63u]);
  }
  if (bits > 0) *out = static_cast<std::uint8_t>(kDigits[(pending << (6 - bits)) & 63u]);
}

bool DecodeInto(std::span<const std::uint8_t> in, std::span<std::uint8_t> out) {
  if (in.size() % 4 == 1) return false;  // no number of bytes encodes to that
  unsigned bits = 0;
  unsigned pending = 0;
  std::size_t at = 0;
  for (const std::uint8_t character : in) {
    const char* digit = character == 0 ? nullptr : std::strchr(kDigits, character);
    if (digit == nullptr) return false;
    pending = (pending << 6 | static_cast<unsigned>(digit - kDigits)) & 0x3FFFu;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      if (at == out.size()) return false;
      out[at++] = static_cast<std::uint8_t>(pending >> bits);
    }
  }
  return at == out.size() && (pending & ((1u << bits) - 1)) == 0;
}

std::span<const std::uint8_t> Trim(std::span<const std::uint8_t> text) {
  const auto blank = [](std::uint8_t c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; };
  while (!text.empty() && blank(text.front())) text = text.subspan(1);
  while (!text.empty() && blank(text.back())) text = text.first(text.size() - 1);
  return text;
}

class Cursor {
 public:
  explicit Cursor(std::span<std::uint8_t> bytes) : at_(bytes) {}
  void Put(std::span<const std::uint8_t> bytes) {
    std::copy(bytes.begin(), bytes.end(), at_.begin());
    at_ = at_.subspan(bytes.size());
  }
  std::span<std::uint8_t> Take(std::size_t size) {
    const auto taken = at_.first(size);
    at_ = at_.subspan(size);
    return taken;
  }

 private:
  std::span<std::uint8_t> at_;
};

}  // namespace

Result<SecretMemory> EncodeInviteLine(const InviteLine& line, bool claim) {
  if (line.address.empty() || line.address.size() > 255)
    return Error{Code::kInvalid, "the address has 1 to 255 bytes"};
  if (!claim) GRANTFS_CHECK(CheckName(line));
  auto raw = GRANTFS_TRY(SecretMemory::Allocate(kFixedBytes + line.name.size() + line.address.size()));
  std::array<std::uint8_t, 8> sequence{};
  for (unsigned i = 0; i < 8; ++i)
    sequence[i] = static_cast<std::uint8_t>(line.head_sequence >> (56 - 8 * i));
  const auto secret = GRANTFS_TRY(line.secret.ToBytes());
  Cursor out(raw.Expose());
  out.Put(line.vault.bytes);
  out.Put(line.pin.bytes);
  out.Put(sequence);
  out.Put(line.head_hash.bytes);
  out.Put(secret.Expose());
  const std::uint8_t whom[] = {static_cast<std::uint8_t>(line.kind),
                               static_cast<std::uint8_t>(line.name.size())};
  out.Put(whom);
  out.Put(AsBytes(line.name));
  out.Put(AsBytes(line.address));
  const std::string_view prefix = PrefixOf(line, claim);
  auto text = GRANTFS_TRY(SecretMemory::Allocate(prefix.size() + (raw.size() * 4 + 2) / 3));
  std::memcpy(text.Expose().data(), prefix.data(), prefix.size());
  EncodeInto(raw.Expose(), text.Expose().data() + prefix.size());
  return text;
}

Result<InviteLine> DecodeInviteLine(const SecretMemory& text, bool claim) {
  const auto line = Trim(text.Expose());
  InviteLine decoded;
  decoded.standing = !claim && AsText(line).starts_with(kStandingPrefix);
  const std::string_view prefix = PrefixOf(decoded, claim);
  const bool invites = AsText(line).starts_with(kInvitePrefix) || AsText(line).starts_with(kStandingPrefix);
  if (claim ? invites : AsText(line).starts_with(kClaimPrefix)) return OfOtherKind(claim);
  if (line.size() <= prefix.size() || AsText(line.first(prefix.size())) != prefix) return Mistyped();
  const auto digits = line.subspan(prefix.size());
  const std::size_t size = digits.size() * 3 / 4;
  if (size <= kFixedBytes || size > kFixedBytes + kMaxName + 255) return Mistyped();
  auto raw = GRANTFS_TRY(SecretMemory::Allocate(size));
  if (!DecodeInto(digits, raw.Expose())) return Mistyped();
  Cursor in(raw.Expose());
  decoded.vault = GRANTFS_TRY(Hash::FromBytes(in.Take(32)));
  decoded.pin = GRANTFS_TRY(Hash::FromBytes(in.Take(32)));
  for (const std::uint8_t byte : in.Take(8)) decoded.head_sequence = decoded.head_sequence << 8 | byte;
  decoded.head_hash = GRANTFS_TRY(Hash::FromBytes(in.Take(32)));
  auto secret = GRANTFS_TRY(SecretMemory::Allocate(20));
  const auto secret_bytes = in.Take(20);
  std::copy(secret_bytes.begin(), secret_bytes.end(), secret.Expose().begin());
  decoded.secret = GRANTFS_TRY(InviteSecret::FromBytes(secret));
  const auto whom = in.Take(2);
  if (whom[0] > static_cast<std::uint8_t>(IdentityKind::kAgent)) return Mistyped();
  decoded.kind = static_cast<IdentityKind>(whom[0]);
  if (decoded.standing && decoded.kind != IdentityKind::kMachine) return Mistyped();
  const std::size_t name_size = whom[1];
  if (name_size > kMaxName || kFixedBytes + name_size >= size) return Mistyped();
  decoded.name = ToText(in.Take(name_size));
  if (claim ? !decoded.name.empty() : !CheckName(decoded)) return Mistyped();
  decoded.address = ToText(in.Take(size - kFixedBytes - name_size));
  if (decoded.address.size() > 255) return Mistyped();
  return decoded;
}

}  // namespace grantfs

#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "grantfs/util/bytes.h"
#include "grantfs/util/result.h"

namespace grantfs {

/// 32 bytes of a hash: BLAKE2b-256 in statements, SHA-256 in the Merkle trees.
struct Hash {
  std::array<std::uint8_t, 32> bytes{};

  /// 64 lower-case hexadecimal digits.
  std::string Hex() const;
  /// Errors: kInvalid.
  static Result<Hash> FromHex(std::string_view text);
  /// `bytes` must hold exactly 32. Errors: kInvalid.
  static Result<Hash> FromBytes(ByteView bytes);
  ByteView View() const { return bytes; }
  auto operator<=>(const Hash&) const = default;
};

/// BLAKE2b with 32 bytes of output and no key (RFC 7693), over the concatenation of `parts`.
Hash Blake2b256(std::initializer_list<ByteView> parts);

/// SHA-256 (FIPS 180-4) over the concatenation of `parts`.
Hash Sha256(std::initializer_list<ByteView> parts);

/// SHA-256 of what comes in pieces: `next` is asked until it gives an empty one. Errors: those of `next`.
Result<Hash> Sha256Of(const std::function<Result<ByteView>()>& next);

/// SHA-512, for the log's wire forms and Content-Digest where a peer asks for it.
std::array<std::uint8_t, 64> Sha512(ByteView data);

/// Each part preceded by its length (8 bytes, little-endian): no two different lists of parts encode alike.
/// This is the context of associated data and commitments (contrib/FORMATS.md).
Bytes EncodeContext(std::initializer_list<ByteView> parts);

}  // namespace grantfs

template <>
struct std::hash<grantfs::Hash> {
  std::size_t operator()(const grantfs::Hash& h) const noexcept {
    std::size_t value = 0;
    __builtin_memcpy(&value, h.bytes.data(), sizeof value);
    return value;
  }
};

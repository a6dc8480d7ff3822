#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace grantfs {

/// Public bytes: ciphertexts, signatures, encodings. Secrets live in crypto's types, never in these.
using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;

inline ByteView AsBytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
inline std::string_view AsText(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
inline Bytes ToBytes(ByteView bytes) { return {bytes.begin(), bytes.end()}; }
inline std::string ToText(ByteView bytes) { return std::string(AsText(bytes)); }

}  // namespace grantfs

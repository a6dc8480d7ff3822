#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include "grantfs/crypto/encoding.h"
#include "grantfs/crypto/secret.h"

namespace grantfs {

inline SecretMemory SecretOf(ByteView bytes) {
  SecretMemory memory = *SecretMemory::Allocate(bytes.size());
  std::copy(bytes.begin(), bytes.end(), memory.Expose().begin());
  return memory;
}

inline SecretMemory SecretOf(std::string_view text) { return SecretOf(AsBytes(text)); }

inline Bytes Unhex(std::string_view text) { return *HexDecode(text, text.size()); }

inline std::string HexOf(const SecretMemory& memory) { return HexEncode(memory.Expose()); }

/// 32 bytes: first, first + 1, ...
inline SecretMemory CountingKey(std::uint8_t first = 0) {
  SecretMemory memory = *SecretMemory::Allocate(32);
  for (std::uint8_t& byte : memory.Expose()) byte = first++;
  return memory;
}

}  // namespace grantfs

#include <algorithm>
#include <string>

#include "text_cursor_internal.h"

namespace grantfs {

bool TextCursor::Skip(std::string_view bytes) {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (Peek(i) != static_cast<std::uint8_t>(bytes[i])) return false;
  }
  Advance(bytes.size());
  return true;
}

Error TextCursor::Refuse(const char* why) const {
  return {Code::kInvalid, why, 0, "line " + std::to_string(line_)};
}

Result<SecretMemory> Copied(std::span<const std::uint8_t> bytes) {
  SecretMemory copy = GRANTFS_TRY(SecretMemory::Allocate(bytes.size()));
  std::copy(bytes.begin(), bytes.end(), copy.Expose().begin());
  return copy;
}

}  // namespace grantfs

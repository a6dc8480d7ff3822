#pragma once

#include <algorithm>
#include <string_view>

#include "grantfs/crypto/encoding.h"

namespace grantfs {

/// Reads a key type (a struct with an array `bytes`) from exactly its hexadecimal digits. Errors: kInvalid.
template <typename T>
Result<T> FixedFromHex(std::string_view text) {
  T fixed;
  const Bytes bytes = GRANTFS_TRY(HexDecode(text, fixed.bytes.size()));
  if (bytes.size() != fixed.bytes.size()) return Error{Code::kInvalid, "a public key has the wrong length"};
  std::copy(bytes.begin(), bytes.end(), fixed.bytes.begin());
  return fixed;
}

}  // namespace grantfs

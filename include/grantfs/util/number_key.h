#pragma once

#include <cstdint>
#include <cstring>

#include "grantfs/util/bytes.h"

namespace grantfs {

/// A number as the key of a record in KeptMemory.
class NumberKey {
 public:
  explicit NumberKey(std::uint64_t number) : number_(number) {}
  /// @return 0 for what is no such key.
  static std::uint64_t In(ByteView key) {
    std::uint64_t number = 0;
    if (key.size() == sizeof number) std::memcpy(&number, key.data(), sizeof number);
    return number;
  }
  /// As long as this lives.
  operator ByteView() const { return {reinterpret_cast<const std::uint8_t*>(&number_), sizeof number_}; }

 private:
  std::uint64_t number_;
};

}  // namespace grantfs

#pragma once

#include <string>
#include <string_view>

#include "grantfs/crypto/encoding.h"

namespace grantfs {

/// DSSE's pre-authentication encoding, which is what is signed:
/// "DSSEv1" SP len(type) SP type SP len(payload) SP payload.
inline Bytes DssePae(std::string_view type, std::string_view payload) {
  std::string text = "DSSEv1 " + std::to_string(type.size()) + " ";
  text += type;
  text += " " + std::to_string(payload.size()) + " ";
  text += payload;
  return ToBytes(AsBytes(text));
}

}  // namespace grantfs

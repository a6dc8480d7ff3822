#pragma once

#include <span>
#include <string>
#include <string_view>

namespace grantfs {

/// One header field of a request or response.
struct HttpHeader {
  std::string name;   ///< lower case
  std::string value;  ///< without white space around it; visible ASCII, spaces and tabs
  bool operator==(const HttpHeader&) const = default;
};

/// The value of the first header of that (lower-case) name, or nullptr.
inline const std::string* FindHeader(std::span<const HttpHeader> headers, std::string_view name) {
  for (const HttpHeader& header : headers) {
    if (header.name == name) return &header.value;
  }
  return nullptr;
}

}  // namespace grantfs

#pragma once

#include <cstdlib>
#include <string>

namespace grantfs {

/// Content that tells which version it is and whether it is whole: "V000042:" and then a length and a letter
/// that follow from the number.
inline std::string VersionedContent(unsigned version) {
  std::string number = std::to_string(version);
  number.insert(0, 6 - number.size(), '0');
  return "V" + number + ":" +
         std::string(10 + (version * 37U) % 20000U, static_cast<char>('a' + version % 26));
}

/// @return the version, or -1 if `content` is not the whole of one.
inline int VersionOfContent(const std::string& content) {
  if (content.size() < 9 || content[0] != 'V' || content[7] != ':') return -1;
  const int version = std::atoi(content.substr(1, 6).c_str());
  return version > 0 && content == VersionedContent(static_cast<unsigned>(version)) ? version : -1;
}

}  // namespace grantfs

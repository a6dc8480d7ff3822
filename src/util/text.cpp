#include "grantfs/util/text.h"

#include <cstdint>

namespace grantfs {
namespace {

// Reads one code point at `at`; returns its length in bytes, 0 where the bytes are not UTF-8.
std::size_t DecodeOne(std::string_view text, std::size_t at, std::uint32_t* point) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint8_t lead = byte(at);
  std::size_t length = 0;
  std::uint32_t smallest = 0;
  if (lead < 0x80) {
    *point = lead;
    return 1;
  }
  if ((lead & 0xE0) == 0xC0) {
    length = 2, smallest = 0x80, *point = lead & 0x1Fu;
  } else if ((lead & 0xF0) == 0xE0) {
    length = 3, smallest = 0x800, *point = lead & 0x0Fu;
  } else if ((lead & 0xF8) == 0xF0) {
    length = 4, smallest = 0x10000, *point = lead & 0x07u;
  } else {
    return 0;
  }
  if (at + length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(at + i) & 0xC0) != 0x80) return 0;
    *point = (*point << 6) | (byte(at + i) & 0x3Fu);
  }
  const bool surrogate = *point >= 0xD800 && *point <= 0xDFFF;
  return (*point < smallest || *point > 0x10FFFF || surrogate) ? 0 : length;
}

bool IsUnsafeToShow(std::uint32_t point) {
  return point < 0x20 || (point >= 0x7F && point < 0xA0) || (point >= 0x200E && point <= 0x200F) ||
         (point >= 0x2028 && point <= 0x202E) || (point >= 0x2066 && point <= 0x2069) || point == 0xFEFF;
}

}  // namespace

bool IsUtf8(std::string_view text) {
  std::uint32_t point = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = DecodeOne(text, at, &point);
    if (length == 0) return false;
    at += length;
  }
  return true;
}

std::vector<std::string_view> Split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const auto end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

bool ParseNumber(std::string_view text, unsigned long long max, unsigned long long* value) {
  if (text.empty() || (text.size() > 1 && text[0] == '0')) return false;
  unsigned long long number = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return false;
    const auto digit = static_cast<unsigned long long>(c - '0');
    if (number > (max - digit) / 10 || digit > max) return false;
    number = number * 10 + digit;
  }
  *value = number;
  return true;
}

std::string Count(std::uint64_t number, std::string_view noun) {
  return std::to_string(number) + " " + std::string(noun) + (number == 1 ? "" : "s");
}

std::string Printable(std::string_view text) {
  std::string shown;
  std::uint32_t point = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = DecodeOne(text, at, &point);
    if (length == 0 || IsUnsafeToShow(point)) {
      shown += '?';
      at += length == 0 ? 1 : length;
    } else {
      shown += text.substr(at, length);
      at += length;
    }
  }
  return shown;
}

}  // namespace grantfs

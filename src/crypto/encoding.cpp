#include "grantfs/crypto/encoding.h"

#include <array>

namespace grantfs {
namespace {

constexpr std::string_view kStandard = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kUrlSafe = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::uint8_t kNoDigit = 0xFF;

using Values = std::array<std::uint8_t, 256>;

constexpr Values MakeValues(std::string_view alphabet) {
  Values values{};
  values.fill(kNoDigit);
  for (std::size_t i = 0; i < alphabet.size(); ++i) {
    values[static_cast<std::uint8_t>(alphabet[i])] = static_cast<std::uint8_t>(i);
  }
  return values;
}

constexpr Values kHexValues = MakeValues("0123456789abcdef");
constexpr Values kStandardValues = MakeValues(kStandard);
constexpr Values kUrlSafeValues = MakeValues(kUrlSafe);

std::string Encode64(ByteView bytes, std::string_view alphabet, bool padded) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  std::size_t at = 0;
  const auto put = [&](std::uint32_t group, int digits) {
    for (int i = 0; i < digits; ++i) text += alphabet[(group >> (18 - 6 * i)) & 63];
  };
  for (; at + 3 <= bytes.size(); at += 3) {
    put(static_cast<std::uint32_t>(bytes[at] << 16 | bytes[at + 1] << 8 | bytes[at + 2]), 4);
  }
  const std::size_t rest = bytes.size() - at;
  if (rest == 1) put(static_cast<std::uint32_t>(bytes[at] << 16), 2);
  if (rest == 2) put(static_cast<std::uint32_t>(bytes[at] << 16 | bytes[at + 1] << 8), 3);
  if (padded && rest != 0) text.append(3 - rest, '=');
  return text;
}

Error NotBase64() { return {Code::kInvalid, "not canonical base64"}; }

// `text` without padding.
Result<Bytes> Decode64(std::string_view text, const Values& values, std::size_t max_bytes) {
  const std::size_t rest = text.size() % 4;
  if (rest == 1) return NotBase64();
  const std::size_t size = text.size() / 4 * 3 + (rest == 0 ? 0 : rest - 1);
  if (size > max_bytes) return Error{Code::kInvalid, "the base64 text is longer than the bound"};
  Bytes bytes;
  bytes.reserve(size);
  std::uint32_t bits = 0;
  int held = 0;
  std::uint8_t seen = 0;
  for (const char c : text) {
    const std::uint8_t value = values[static_cast<std::uint8_t>(c)];
    seen |= value;  // a digit never has the top bit, kNoDigit does
    bits = bits << 6 | (value & 63u);
    held += 6;
    if (held >= 8) {
      held -= 8;
      bytes.push_back(static_cast<std::uint8_t>(bits >> held));
    }
  }
  const bool spare_bits = (bits & ((1u << held) - 1)) != 0;
  if ((seen & 0x80) != 0 || spare_bits) return NotBase64();
  return bytes;
}

}  // namespace

std::string HexEncode(ByteView bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text(bytes.size() * 2, '\0');
  char* at = text.data();
  for (const std::uint8_t byte : bytes) {
    *at++ = kDigits[byte >> 4];
    *at++ = kDigits[byte & 15];
  }
  return text;
}

Result<Bytes> HexDecode(std::string_view text, std::size_t max_bytes) {
  if (text.size() % 2 != 0) return Error{Code::kInvalid, "an odd number of hexadecimal digits"};
  if (text.size() / 2 > max_bytes) {
    return Error{Code::kInvalid, "the hexadecimal text is longer than the bound"};
  }
  Bytes bytes;
  bytes.reserve(text.size() / 2);
  for (std::size_t at = 0; at < text.size(); at += 2) {
    const std::uint8_t high = kHexValues[static_cast<std::uint8_t>(text[at])];
    const std::uint8_t low = kHexValues[static_cast<std::uint8_t>(text[at + 1])];
    if (high == kNoDigit || low == kNoDigit) return Error{Code::kInvalid, "not lower-case hexadecimal"};
    bytes.push_back(static_cast<std::uint8_t>(high << 4 | low));
  }
  return bytes;
}

std::string Base64Encode(ByteView bytes) { return Encode64(bytes, kStandard, true); }

Result<Bytes> Base64Decode(std::string_view text, std::size_t max_bytes) {
  if (text.size() % 4 != 0) return NotBase64();
  if (text.ends_with("==")) {
    text.remove_suffix(2);
  } else if (text.ends_with('=')) {
    text.remove_suffix(1);
  }
  return Decode64(text, kStandardValues, max_bytes);
}

std::string Base64UrlEncode(ByteView bytes) { return Encode64(bytes, kUrlSafe, false); }

Result<Bytes> Base64UrlDecode(std::string_view text, std::size_t max_bytes) {
  return Decode64(text, kUrlSafeValues, max_bytes);
}

}  // namespace grantfs

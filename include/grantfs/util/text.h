#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace grantfs {

/// RFC 3629: shortest form only, no surrogates, at most U+10FFFF.
bool IsUtf8(std::string_view text);

/// Splits at every separator; "a//b" has three parts, "" has one (empty).
std::vector<std::string_view> Split(std::string_view text, char separator);

/// True if `text` matches a decimal number without sign or leading zero, at most `max`; stores it in
/// `*value`.
bool ParseNumber(std::string_view text, unsigned long long max, unsigned long long* value);

/// "1 secret", "2 secrets": of a noun whose plural ends in s.
std::string Count(std::uint64_t number, std::string_view noun);

/// For a terminal or a log line: control characters, bytes that are not UTF-8 and bidirectional marks become
/// "?".
std::string Printable(std::string_view text);

}  // namespace grantfs

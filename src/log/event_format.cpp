#include "grantfs/log/event_format.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "grantfs/util/clock.h"
#include "grantfs/util/text.h"

namespace grantfs {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
constexpr std::string_view kBom = "\xEF\xBB\xBF";
constexpr std::size_t kMaxHost = 255;
constexpr std::size_t kMaxApp = 48;
constexpr std::size_t kMaxId = 32;

bool IsControl(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }

/// How many bytes of well-formed UTF-8 stand at the beginning, 0 if none.
std::size_t CharacterAt(std::string_view text) {
  for (std::size_t size = 1; size <= std::min<std::size_t>(4, text.size()); ++size)
    if (IsUtf8(text.substr(0, size))) return size;
  return 0;
}

/// Each character through `write`; what is not UTF-8 as U+FFFD.
template <typename Write>
void EachCharacter(std::string_view text, Write write) {
  while (!text.empty()) {
    const std::size_t size = CharacterAt(text);
    write(size == 0 ? kReplacement : text.substr(0, size));
    text.remove_prefix(std::max<std::size_t>(size, 1));
  }
}

/// PRINTUSASCII of at most so many, "-" for nothing.
std::string Header(std::string_view text, std::size_t most) {
  std::string out(text.substr(0, most));
  std::replace_if(
      out.begin(), out.end(), [](char c) { return c < '!' || c > '~'; }, '?');
  return out.empty() ? "-" : out;
}

/// SD-NAME has four characters less.
std::string DataName(std::string_view text) {
  std::string out = Header(text, kMaxId);
  std::replace_if(
      out.begin(), out.end(), [](char c) { return c == '=' || c == ']' || c == '"'; }, '?');
  return out;
}

std::string Text(std::string_view text, std::string_view escaped) {
  std::string out;
  EachCharacter(text, [&](std::string_view character) {
    const char first = character[0];
    if (character.size() > 1 || !IsControl(first)) {
      if (escaped.find(first) != std::string_view::npos) out += '\\';
      out += character;
      return;
    }
    std::array<char, 8> octal{};
    std::snprintf(octal.data(), octal.size(), "#%03o", static_cast<unsigned>(first));
    out += octal.data();
  });
  return out;
}

std::string Time(std::int64_t time_ms) {
  std::string text = FormatTime(time_ms / 1000);
  std::array<char, 8> fraction{};
  std::snprintf(fraction.data(), fraction.size(), ".%03uZ", static_cast<unsigned>(time_ms % 1000));
  text.pop_back();
  return text + fraction.data();
}

std::string CefText(std::string_view text, std::string_view escaped, bool lines) {
  std::string out;
  EachCharacter(text, [&](std::string_view character) {
    const char first = character[0];
    const bool end = first == '\n' || first == '\r';
    if (end && lines)
      out += first == '\n' ? "\\n" : "\\r";
    else if (end)
      out += ' ';
    else if (character.size() == 1 && IsControl(first))
      out += '?';
    else
      out.append(escaped.find(first) != std::string_view::npos ? 1 : 0, '\\').append(character);
  });
  return out;
}

}  // namespace

std::string FormatSyslog(const SyslogEvent& event) {
  std::string out =
      "<" + std::to_string(event.facility * 8 + event.severity) + ">1 " + Time(event.time_ms) + " ";
  out += Header(event.host, kMaxHost) + " " + Header(event.app, kMaxApp) + " - " + Header(event.id, kMaxId) +
         " ";
  if (event.data_id.empty()) {
    out += "-";
  } else {
    out += "[" + DataName(event.data_id);
    for (const auto& [name, value] : event.data)
      out += " " + DataName(name) + "=\"" + Text(value, "\"\\]") + "\"";
    out += "]";
  }
  if (event.text.empty()) return out;
  const std::string text = Text(event.text, "");
  const bool ascii =
      std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  return out.append(" ").append(ascii ? "" : kBom).append(text);
}

std::string FrameByCount(std::string_view message) {
  return std::to_string(message.size()).append(" ").append(message);
}

std::string FormatCef(const CefEvent& event) {
  const auto header = [](std::string_view text) { return CefText(text, "\\|", false); };
  std::string out = "CEF:0|grantfs|grantfs|" + header(event.version) + "|" + header(event.id) + "|" +
                    header(event.name) + "|" + std::to_string(event.severity) + "|";
  bool first = true;
  for (const auto& [key, value] : event.fields) {
    if (value.empty()) continue;
    if (!first) out += " ";
    out += key + "=" + CefText(value, "\\=", true);
    first = false;
  }
  return out;
}

}  // namespace grantfs

#include <array>

#include "grantfs/json/json.h"
#include "grantfs/util/text.h"

namespace grantfs {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

// True for the bytes that stand for themselves in a string.
constexpr std::array<bool, 256> MakePlain() {
  std::array<bool, 256> plain{};
  for (std::size_t byte = 0x20; byte < 0x80; ++byte) plain[byte] = byte != '"' && byte != '\\';
  return plain;
}

constexpr std::array<bool, 256> kPlain = MakePlain();

void AppendEscaped(char c, std::string* out) {
  static constexpr char kDigits[] = "0123456789abcdef";
  switch (c) {
    case '"':
      *out += "\\\"";
      return;
    case '\\':
      *out += "\\\\";
      return;
    case '\b':
      *out += "\\b";
      return;
    case '\f':
      *out += "\\f";
      return;
    case '\n':
      *out += "\\n";
      return;
    case '\r':
      *out += "\\r";
      return;
    case '\t':
      *out += "\\t";
      return;
    default:
      break;
  }
  *out += "\\u00";
  *out += kDigits[static_cast<unsigned char>(c) >> 4];
  *out += kDigits[static_cast<unsigned char>(c) & 15];
}

// Copies the character of several bytes that begins `rest`, or U+FFFD for a byte that begins none. Returns
// its length.
std::size_t AppendWide(std::string_view rest, std::string* out) {
  const auto lead = static_cast<unsigned char>(rest[0]);
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (rest.size() < length || !IsUtf8(rest.substr(0, length))) {
    *out += kReplacement;
    return 1;
  }
  *out += rest.substr(0, length);
  return length;
}

void AppendString(std::string_view text, std::string* out) {
  *out += '"';
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = at;
    while (end < text.size() && kPlain[static_cast<unsigned char>(text[end])]) ++end;
    *out += text.substr(at, end - at);
    at = end;
    if (at == text.size()) break;
    if (static_cast<unsigned char>(text[at]) < 0x80) {
      AppendEscaped(text[at++], out);
    } else {
      at += AppendWide(text.substr(at), out);
    }
  }
  *out += '"';
}

class Writer {
 public:
  explicit Writer(bool pretty) : pretty_(pretty) {}

  void Write(const Json& json) {
    switch (json.kind()) {
      case Json::Kind::kNull:
        out_ += "null";
        return;
      case Json::Kind::kBool:
        out_ += json.AsBool() ? "true" : "false";
        return;
      case Json::Kind::kNumber:
        out_ += std::to_string(json.AsNumber());
        return;
      case Json::Kind::kString:
        AppendString(json.AsString(), &out_);
        return;
      case Json::Kind::kArray:
        WriteAll('[', json.Items(), ']');
        return;
      case Json::Kind::kObject:
        WriteAll('{', json.Members(), '}');
        return;
    }
  }

  std::string Take() { return std::move(out_); }

 private:
  void Write(const Json::Member& member) {
    AppendString(member.first, &out_);
    out_ += pretty_ ? ": " : ":";
    Write(member.second);
  }

  template <typename List>
  void WriteAll(char open, const List& list, char close) {
    out_ += open;
    ++depth_;
    for (std::size_t i = 0; i < list.size(); ++i) {
      if (i != 0) out_ += ',';
      Indent();
      Write(list[i]);
    }
    --depth_;
    if (!list.empty()) Indent();
    out_ += close;
  }

  void Indent() {
    if (!pretty_) return;
    out_ += '\n';
    out_.append(depth_ * 2, ' ');
  }

  const bool pretty_;
  std::size_t depth_ = 0;
  std::string out_;
};

}  // namespace

std::string Json::Dump() const {
  Writer writer(false);
  writer.Write(*this);
  return writer.Take();
}

std::string Json::DumpPretty() const {
  Writer writer(true);
  writer.Write(*this);
  return writer.Take();
}

}  // namespace grantfs

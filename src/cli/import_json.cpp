#include <algorithm>
#include <optional>

#include "import_internal.h"
#include "text_cursor_internal.h"

namespace grantfs {
namespace {

constexpr int kMaxDepth = 16;

/// A string's bytes, counted or written. (Values never pass the module for JSON, which keeps what it reads.)
class Utf8Out {
 public:
  explicit Utf8Out(std::span<std::uint8_t> out) : out_(out) {}
  void Byte(std::uint32_t byte) {
    if (!out_.empty()) out_[size_] = static_cast<std::uint8_t>(byte);
    ++size_;
  }
  void Rune(std::uint32_t rune) {
    if (rune < 0x80) return Byte(rune);
    if (rune < 0x800) {
      Byte(0xc0 | rune >> 6);
    } else if (rune < 0x10000) {
      Byte(0xe0 | rune >> 12);
      Byte(0x80 | (rune >> 6 & 0x3f));
    } else {
      Byte(0xf0 | rune >> 18);
      Byte(0x80 | (rune >> 12 & 0x3f));
      Byte(0x80 | (rune >> 6 & 0x3f));
    }
    Byte(0x80 | (rune & 0x3f));
  }
  std::size_t size() const { return size_; }

 private:
  std::span<std::uint8_t> out_;
  std::size_t size_ = 0;
};

std::optional<std::uint32_t> Hex4(TextCursor& in) {
  std::uint32_t value = 0;
  for (int i = 0; i < 4; ++i) {
    const int c = in.Next();
    const int lower = c | 0x20;
    if (c >= '0' && c <= '9') {
      value = value << 4 | static_cast<std::uint32_t>(c - '0');
    } else if (lower >= 'a' && lower <= 'f') {
      value = value << 4 | static_cast<std::uint32_t>(lower - 'a' + 10);
    } else {
      return std::nullopt;
    }
  }
  return value;
}

/// Behind "\u". Surrogates come in pairs.
std::optional<std::uint32_t> EscapedRune(TextCursor& in) {
  const auto first = Hex4(in);
  if (!first || *first < 0xd800 || *first > 0xdfff) return first;
  if (*first > 0xdbff || !in.Skip("\\u")) return std::nullopt;
  const auto second = Hex4(in);
  if (!second || *second < 0xdc00 || *second > 0xdfff) return std::nullopt;
  return 0x10000 + ((*first - 0xd800) << 10) + (*second - 0xdc00);
}

constexpr char kNoText[] = "is not JSON: a string has a wrong escape, or a control character";

/// Behind the opening quote, to the closing one. @param out  empty: only counts
Result<std::size_t> Unquote(TextCursor& in, std::span<std::uint8_t> out) {
  static constexpr std::string_view kFrom = "\"\\/bfnrt", kTo = "\"\\/\b\f\n\r\t";
  Utf8Out to(out);
  while (in.Peek() != '"') {
    const int c = in.Next();
    if (c < 0x20) return in.Refuse(kNoText);
    if (c != '\\') {
      to.Byte(static_cast<std::uint32_t>(c));
      continue;
    }
    const int escape = in.Next();
    if (escape == 'u') {
      const auto rune = EscapedRune(in);
      if (!rune) return in.Refuse(kNoText);
      to.Rune(*rune);
      continue;
    }
    const auto at = escape > 0 ? kFrom.find(static_cast<char>(escape)) : std::string_view::npos;
    if (at == std::string_view::npos) return in.Refuse(kNoText);
    to.Byte(static_cast<std::uint8_t>(kTo[at]));
  }
  in.Next();
  return to.size();
}

class JsonValues {
 public:
  explicit JsonValues(std::span<const std::uint8_t> text) : in_(text) {}

  Result<std::vector<Imported>> Parse() {
    SkipBlanks();
    if (in_.Peek() != '{') return in_.Refuse("is no JSON object of names and strings");
    GRANTFS_CHECK(Object("", 1));
    SkipBlanks();
    if (!in_.AtEnd()) return in_.Refuse("is not JSON: something stands behind the object");
    return std::move(found_);
  }

 private:
  void SkipBlanks() {
    while (in_.Peek() == ' ' || in_.Peek() == '\t' || in_.Peek() == '\n' || in_.Peek() == '\r') in_.Next();
  }
  bool Take(char c) {
    SkipBlanks();
    return in_.Skip({&c, 1});
  }

  Status Object(const std::string& prefix, int depth) {
    if (depth > kMaxDepth) return in_.Refuse("has objects within objects more than 16 deep");
    in_.Next();
    if (Take('}')) return {};
    do {
      if (!Take('"')) return in_.Refuse("is not JSON: a name in double quotes is missing");
      const SecretMemory name = GRANTFS_TRY(Text());
      const std::string path =
          prefix + std::string(reinterpret_cast<const char*>(name.Expose().data()), name.size());
      if (!Take(':')) return in_.Refuse("is not JSON: the colon behind a name is missing");
      SkipBlanks();
      GRANTFS_CHECK(Member(path, depth));
    } while (Take(','));
    return Take('}') ? Status() : Status(in_.Refuse("is not JSON: a comma or a closing brace is missing"));
  }

  Status Member(const std::string& path, int depth) {
    if (in_.Peek() == '{') return Object(path + "/", depth + 1);
    if (in_.Peek() != '"')
      return in_.Refuse(
          "a value is a string in double quotes, or an object of such; a number needs quotes too");
    in_.Next();
    found_.push_back({path, SecretValue(GRANTFS_TRY(Text()))});
    return {};
  }

  Result<SecretMemory> Text() {
    TextCursor look = in_;
    const std::size_t size = GRANTFS_TRY(Unquote(look, {}));
    SecretMemory text = GRANTFS_TRY(SecretMemory::Allocate(size));
    GRANTFS_TRY(Unquote(in_, text.Expose()));
    return text;
  }

  TextCursor in_;
  std::vector<Imported> found_;
};

}  // namespace

Result<std::vector<Imported>> ParseJsonText(const SecretMemory& text) {
  return JsonValues(text.Expose()).Parse();
}

}  // namespace grantfs

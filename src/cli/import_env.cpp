#include <algorithm>
#include <cstring>

#include "import_internal.h"
#include "text_cursor_internal.h"

namespace grantfs {
namespace {

bool IsBlank(int c) { return c == ' ' || c == '\t' || c == '\r'; }
bool IsLetter(int c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool IsNamePart(int c) { return IsLetter(c) || (c >= '0' && c <= '9') || c == '.' || c == '-'; }

/// Where a shell or a library would put something else.
bool Expands(const TextCursor& in) {
  const int next = in.Peek(1);
  return in.Peek() == '$' && (IsLetter(next) || next == '{' || next == '(');
}

constexpr char kExpands[] =
    "some programs would put a variable in place of the $; take the value in 'single quotes' if it is meant "
    "as it is";

/// What an escape within double quotes stands for; 0 if it is none.
int Unescaped(int c) {
  static constexpr char kFrom[] = "nrt\"\\$", kTo[] = "\n\r\t\"\\$";
  const char* const at = c > 0 ? std::strchr(kFrom, c) : nullptr;
  return at == nullptr ? 0 : kTo[at - kFrom];
}

class EnvParser {
 public:
  explicit EnvParser(std::span<const std::uint8_t> text) : in_(text) {
    in_.Skip("\xef\xbb\xbf");  // a byte order mark
  }

  Result<std::vector<Imported>> Parse() {
    std::vector<Imported> found;
    while (!in_.AtEnd()) {
      SkipBlanks();
      if (in_.Peek() == '#' || in_.Peek() == '\n') {
        SkipLine();
        continue;
      }
      if (in_.AtEnd()) break;
      std::string name = GRANTFS_TRY(Name());
      found.push_back({std::move(name), SecretValue(GRANTFS_TRY(Value()))});
      GRANTFS_CHECK(EndOfLine());
    }
    return found;
  }

 private:
  void SkipBlanks() {
    while (IsBlank(in_.Peek())) in_.Next();
  }
  void SkipLine() {
    while (!in_.AtEnd() && in_.Next() != '\n') continue;
  }

  Result<std::string> Name() {
    if (in_.Skip("export ") || in_.Skip("export\t")) SkipBlanks();
    std::string name;
    while (IsNamePart(in_.Peek())) name += static_cast<char>(in_.Next());
    SkipBlanks();
    if (!name.empty() && IsLetter(name[0]) && in_.Peek() == '=') {
      in_.Next();
      return name;
    }
    return in_.Refuse("a line is NAME=VALUE, a comment, or empty");
  }

  Result<SecretMemory> Value() {
    SkipBlanks();
    if (in_.Peek() == '\'') return SingleQuoted();
    return in_.Peek() == '"' ? DoubleQuoted() : Plain();
  }

  Result<SecretMemory> SingleQuoted() {
    in_.Next();
    const auto rest = in_.Rest();
    const auto end = std::find(rest.begin(), rest.end(), std::uint8_t{'\''});
    if (end == rest.end()) return in_.Refuse("the value's closing quote is missing");
    const auto size = static_cast<std::size_t>(end - rest.begin());
    in_.Advance(size + 1);
    return Copied(rest.first(size));
  }

  Result<SecretMemory> DoubleQuoted() {
    in_.Next();
    TextCursor look = in_;
    const std::size_t size = GRANTFS_TRY(Unquote(look, {}));
    SecretMemory value = GRANTFS_TRY(SecretMemory::Allocate(size));
    GRANTFS_TRY(Unquote(in_, value.Expose()));
    return value;
  }

  /// Reads to the closing quote. @param out  empty: only counts
  static Result<std::size_t> Unquote(TextCursor& in, std::span<std::uint8_t> out) {
    std::size_t size = 0;
    for (; in.Peek() != '"'; ++size) {
      if (in.AtEnd()) return in.Refuse("the value's closing quote is missing");
      if (Expands(in)) return in.Refuse(kExpands);
      int c = in.Next();
      if (c == '\\' && (c = Unescaped(in.Next())) == 0)
        return in.Refuse("behind a backslash stands n, r, t, \", \\ or $; or take 'single quotes'");
      if (!out.empty()) out[size] = static_cast<std::uint8_t>(c);
    }
    in.Next();
    return size;
  }

  Result<SecretMemory> Plain() {
    const auto rest = in_.Rest();
    std::size_t size = 0;  // up to the last byte that is no blank
    for (std::size_t read = 0; !in_.AtEnd() && in_.Peek() != '\n'; ++read) {
      const bool blank = IsBlank(in_.Peek());
      if (in_.Peek() == '#' && (read == 0 || IsBlank(rest[read - 1]))) break;
      if (in_.Peek() == '\'' || in_.Peek() == '"' || in_.Peek() == '\\' || in_.Peek() == '`')
        return in_.Refuse("a value with quotes, backticks or backslashes stands in 'single quotes'");
      if (Expands(in_)) return in_.Refuse(kExpands);
      in_.Next();
      if (!blank) size = read + 1;
    }
    return Copied(rest.first(size));
  }

  Status EndOfLine() {
    SkipBlanks();
    if (in_.Peek() == '#') {
      SkipLine();
      return {};
    }
    if (in_.AtEnd() || in_.Peek() == '\n') return {};
    return in_.Refuse("something stands behind the value's closing quote");
  }

  TextCursor in_;
};

}  // namespace

Result<std::vector<Imported>> ParseEnvText(const SecretMemory& text) {
  return EnvParser(text.Expose()).Parse();
}

}  // namespace grantfs

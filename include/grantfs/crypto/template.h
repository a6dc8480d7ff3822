#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "grantfs/crypto/secret.h"
#include "grantfs/util/result.h"

namespace grantfs {

/// How a value is written where a template puts it. Source of each: contrib/FORMATS.md, "Templates".
enum class Quoting { kNone, kJson, kShell, kDotenv, kUrl, kBase64 };

/// "json", "shell", "dotenv", "url", "base64": what stands behind the bar. None for another word.
std::optional<Quoting> QuotingNamed(std::string_view name);

/// The value as its reader must find it, its quotes with it.
/// Errors: kInvalid (JSON of what is no UTF-8, a shell's or .env word with a NUL; longer than a value may
/// be), kIo.
Result<SecretMemory> Quote(const SecretValue& value, Quoting quoting);

/// The text of a file that is made of several secrets: `{{ name }}` stands for the value of that name, `{{
/// name | json }}` for the same, quoted; `{{ "{{" }}` for two braces. All else is copied. The text is a
/// secret like any value, so that no error says a word of it. Immutable. Threads: safe.
class Template {
 public:
  static constexpr std::size_t kMaxNames = 250;
  using Values = std::map<std::string, SecretValue, std::less<>>;

  /// Errors: kInvalid (what is not closed, no name, a filter that there is not, too many names), the line as
  /// the subject.
  static Result<Template> Parse(SecretValue text);

  const SecretValue& text() const { return text_; }
  /// Those that it needs, in order, each once.
  const std::vector<std::string>& names() const { return names_; }

  /// The file, in locked memory alone.
  /// Errors: kNotFound (a name without value), kInvalid (as Quote; more than kMaxSecretBytes), both with the
  /// name as the subject; kIo.
  Result<SecretValue> Render(const Values& values) const;

 private:
  struct Piece {
    std::size_t begin = 0;  ///< of what is copied
    std::size_t size = 0;
    std::size_t name = 0;  ///< index of the name that follows, kNoName: none does
    Quoting quoting = Quoting::kNone;
  };
  static constexpr std::size_t kNoName = static_cast<std::size_t>(-1);
  explicit Template(SecretValue text) : text_(std::move(text)) {}
  Status ReadPieces();
  Status ReadPlaceholder(std::string_view inner, Piece& piece);
  SecretValue text_;
  std::vector<Piece> pieces_;
  std::vector<std::string> names_;
};

/// What a template can make of values of these sizes at most, for who may not see its text.
///
/// @param text   bytes of the template
/// @param parts  the length of each name and the size of its value
std::size_t LargestRendering(std::size_t text, const std::vector<std::pair<std::size_t, std::size_t>>& parts);

/// A template that a program wrote: its text is made of names alone. Errors: kIo.
Result<SecretValue> TemplateFrom(std::string_view text);

}  // namespace grantfs

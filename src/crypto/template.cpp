#include "grantfs/crypto/template.h"

#include <algorithm>

#include "quote_internal.h"

namespace grantfs {
namespace {

constexpr std::string_view kOpen = "{{", kClose = "}}", kBraces = "\"{{\"";
/// One byte becomes \u0000 in JSON, and its two quotes.
constexpr std::size_t kMostPerByte = 6, kMostAround = 2;

std::string_view Trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t";
  const auto first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

std::string LineAt(std::string_view text, std::size_t at) {
  return "line " +
         std::to_string(1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n'));
}

}  // namespace

Result<Template> Template::Parse(SecretValue text) {
  Template made(std::move(text));
  GRANTFS_CHECK(made.ReadPieces());
  // Until here in the order of their first use, which the pieces name them by.
  std::vector<std::string> sorted = made.names_;
  std::sort(sorted.begin(), sorted.end());
  for (Piece& piece : made.pieces_) {
    if (piece.name == kNoName) continue;
    const auto at = std::lower_bound(sorted.begin(), sorted.end(), made.names_[piece.name]);
    piece.name = static_cast<std::size_t>(at - sorted.begin());
  }
  made.names_ = std::move(sorted);
  return made;
}

Status Template::ReadPieces() {
  const std::string_view text = AsText(text_.Expose());
  std::size_t at = 0;
  while (at < text.size()) {
    const auto open = text.find(kOpen, at);
    Piece piece{at, std::min(open, text.size()) - at, kNoName, Quoting::kNone};
    if (open == std::string_view::npos) {
      pieces_.push_back(piece);
      break;
    }
    const std::size_t begin = open + kOpen.size();
    const auto close = text.find(kClose, begin);
    const bool on_one_line = close != std::string_view::npos &&
                             text.substr(begin, close - begin).find('\n') == std::string_view::npos;
    if (!on_one_line)
      return Error{Code::kInvalid,
                   "its {{ is not closed by a }} on the same line; two braces themselves are {{ \"{{\" }}", 0,
                   LineAt(text, open)};
    const std::string_view inner = Trimmed(text.substr(begin, close - begin));
    if (inner == kBraces) {
      pieces_.push_back(piece);
      pieces_.push_back(
          {begin + text.substr(begin).find(kBraces) + 1, kOpen.size(), kNoName, Quoting::kNone});
    } else {
      if (const Status read = ReadPlaceholder(inner, piece); !read) {
        Error error = read.error();
        error.subject = LineAt(text, open);
        return error;
      }
      pieces_.push_back(piece);
    }
    at = close + kClose.size();
  }
  return {};
}

Status Template::ReadPlaceholder(std::string_view inner, Piece& piece) {
  const auto bar = inner.rfind('|');
  const std::string_view name = Trimmed(inner.substr(0, bar));
  if (name.empty() || name.find(kOpen) != std::string_view::npos)
    return Error{Code::kInvalid, "there is no secret's name between its braces"};
  if (bar != std::string_view::npos) {
    const auto quoting = QuotingNamed(Trimmed(inner.substr(bar + 1)));
    if (!quoting)
      return Error{Code::kInvalid, "there is no such filter: there are json, shell, dotenv, url and base64"};
    piece.quoting = *quoting;
  }
  const auto known = std::find(names_.begin(), names_.end(), name);
  piece.name = static_cast<std::size_t>(known - names_.begin());
  if (known == names_.end()) {
    if (names_.size() == kMaxNames) return Error{Code::kInvalid, "a template names at most 250 secrets"};
    names_.emplace_back(name);
  }
  return {};
}

Result<SecretValue> Template::Render(const Values& values) const {
  const std::string_view text = AsText(text_.Expose());
  const auto put = [&](QuoteSink& out) -> Status {
    for (const Piece& piece : pieces_) {
      out.Put(text.substr(piece.begin, piece.size));
      if (piece.name == kNoName) continue;
      const std::string& name = names_[piece.name];
      const auto value = values.find(name);
      if (value == values.end())
        return Error{Code::kNotFound, "the template needs it, and it is not there", 0, name};
      if (const Status quoted = PutQuoted(value->second, piece.quoting, out); !quoted) {
        Error error = quoted.error();
        error.subject = name;
        return error;
      }
      if (out.size() > kMaxSecretBytes)
        return Error{Code::kInvalid,
                     "the file that the template makes has more than 1 MiB, and with this it is too large", 0,
                     name};
    }
    return {};
  };
  QuoteSink measure;
  GRANTFS_CHECK(put(measure));
  if (measure.size() > kMaxSecretBytes)
    return Error{Code::kInvalid, "the file that the template makes has more than 1 MiB"};
  SecretMemory made = GRANTFS_TRY(SecretMemory::Allocate(measure.size()));
  QuoteSink write(made.Expose().data());
  GRANTFS_CHECK(put(write));
  return SecretValue(std::move(made));
}

std::size_t LargestRendering(std::size_t text,
                             const std::vector<std::pair<std::size_t, std::size_t>>& parts) {
  std::size_t most = text;
  for (const auto& [name, value] : parts) {
    const std::size_t least = name + kOpen.size() + kClose.size();
    const std::size_t uses = (text + least - 1) / least;
    const std::size_t each = std::min(value, kMaxSecretBytes) * kMostPerByte + kMostAround;
    most = std::max(most, text + std::min(uses, kMaxSecretBytes) * each);
  }
  return std::min(most, kMaxSecretBytes);
}

Result<SecretValue> TemplateFrom(std::string_view text) {
  SecretMemory memory = GRANTFS_TRY(SecretMemory::Allocate(text.size()));
  std::copy(text.begin(), text.end(), memory.Expose().begin());
  return SecretValue(std::move(memory));
}

}  // namespace grantfs

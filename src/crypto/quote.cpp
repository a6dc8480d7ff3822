#include <algorithm>

#include "grantfs/util/text.h"
#include "quote_internal.h"

namespace grantfs {
namespace {

constexpr char kHexUpper[] = "0123456789ABCDEF";

std::string_view Text(const SecretValue& value) { return AsText(value.Expose()); }

/// RFC 8259 section 7: what must be escaped is, all else stays as it is.
void QuoteJson(const SecretValue& value, QuoteSink& out) {
  out.Put('"');
  for (const char c : Text(value)) {
    const auto byte = static_cast<std::uint8_t>(c);
    static constexpr std::string_view kShort = "\"\\\b\f\n\r\t";
    if (const auto at = kShort.find(c); at != std::string_view::npos) {
      out.Put('\\');
      out.Put("\"\\bfnrt"[at]);
    } else if (byte < 0x20) {
      out.Put("\\u00");
      out.Put(kHexUpper[byte >> 4]);
      out.Put(kHexUpper[byte & 15]);
    } else {
      out.Put(c);
    }
  }
  out.Put('"');
}

/// POSIX 2.2.2: between single quotes a shell takes every character as it is.
void QuoteShell(const SecretValue& value, QuoteSink& out) {
  out.Put('\'');
  for (const char c : Text(value)) {
    if (c == '\'')
      out.Put("'\\''");
    else
      out.Put(c);
  }
  out.Put('\'');
}

/// Readers of .env files differ in what a backslash means; so that none stands there where it can be done
/// without.
void QuoteDotenv(const SecretValue& value, QuoteSink& out) {
  const std::string_view text = Text(value);
  const bool single = text.find('\'') == std::string_view::npos &&
                      text.find("\\\\") == std::string_view::npos && !text.ends_with('\\');
  out.Put(single ? '\'' : '"');
  for (const char c : text) {
    if (!single && std::string_view("\\\"$`").find(c) != std::string_view::npos) out.Put('\\');
    out.Put(c);
  }
  out.Put(single ? '\'' : '"');
}

bool IsUnreserved(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

/// RFC 3986 section 2.1: all but the unreserved.
void QuoteUrl(const SecretValue& value, QuoteSink& out) {
  for (const char c : Text(value)) {
    if (IsUnreserved(c)) {
      out.Put(c);
      continue;
    }
    const auto byte = static_cast<std::uint8_t>(c);
    out.Put('%');
    out.Put(kHexUpper[byte >> 4]);
    out.Put(kHexUpper[byte & 15]);
  }
}

/// RFC 4648 section 4, with its padding.
void QuoteBase64(const SecretValue& value, QuoteSink& out) {
  static constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const auto bytes = value.Expose();
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t here = std::min<std::size_t>(3, bytes.size() - i);
    unsigned group = static_cast<unsigned>(bytes[i]) << 16;
    if (here > 1) group |= static_cast<unsigned>(bytes[i + 1]) << 8;
    if (here > 2) group |= bytes[i + 2];
    for (std::size_t digit = 0; digit < 4; ++digit)
      out.Put(digit <= here ? kAlphabet[group >> (18 - 6 * digit) & 63] : '=');
  }
}

void PutAsIs(const SecretValue& value, QuoteSink& out) { out.Put(Text(value)); }

Status CheckQuotable(const SecretValue& value, Quoting quoting) {
  if (quoting == Quoting::kJson && !IsUtf8(Text(value)))
    return Error{Code::kInvalid,
                 "the value is no UTF-8, which JSON cannot hold: put it in quotes with the filter base64"};
  const bool word = quoting == Quoting::kShell || quoting == Quoting::kDotenv;
  if (word && Text(value).find('\0') != std::string_view::npos)
    return Error{Code::kInvalid, "the value has a NUL, which no variable can hold: use the filter base64"};
  return {};
}

}  // namespace

std::optional<Quoting> QuotingNamed(std::string_view name) {
  if (name == "json") return Quoting::kJson;
  if (name == "shell") return Quoting::kShell;
  if (name == "dotenv") return Quoting::kDotenv;
  if (name == "url") return Quoting::kUrl;
  if (name == "base64") return Quoting::kBase64;
  return std::nullopt;
}

Status PutQuoted(const SecretValue& value, Quoting quoting, QuoteSink& out) {
  GRANTFS_CHECK(CheckQuotable(value, quoting));
  switch (quoting) {
    case Quoting::kNone:
      PutAsIs(value, out);
      return {};
    case Quoting::kJson:
      QuoteJson(value, out);
      return {};
    case Quoting::kShell:
      QuoteShell(value, out);
      return {};
    case Quoting::kDotenv:
      QuoteDotenv(value, out);
      return {};
    case Quoting::kUrl:
      QuoteUrl(value, out);
      return {};
    case Quoting::kBase64:
      QuoteBase64(value, out);
      return {};
  }
  return {};
}

Result<SecretMemory> Quote(const SecretValue& value, Quoting quoting) {
  QuoteSink measure;
  GRANTFS_CHECK(PutQuoted(value, quoting, measure));
  if (measure.size() > kMaxSecretBytes) return Error{Code::kInvalid, "the quoted value has more than 1 MiB"};
  SecretMemory quoted = GRANTFS_TRY(SecretMemory::Allocate(measure.size()));
  QuoteSink write(quoted.Expose().data());
  GRANTFS_CHECK(PutQuoted(value, quoting, write));
  return quoted;
}

}  // namespace grantfs

#include "grantfs/crypto/encoding.h"
#include "grantfs/crypto/hash.h"
#include "grantfs/trust/enrol_request.h"
#include "plain_line_internal.h"

namespace grantfs {
namespace {

constexpr std::size_t kLineChecksumBytes = 4;

std::string ChecksumOf(std::string_view prefix, std::string_view text) {
  const Hash hash = Blake2b256({AsBytes("grantfs-line-checksum"), AsBytes(prefix), AsBytes(text)});
  return std::string(AsText(hash.View().first(kLineChecksumBytes)));
}

Error NoSuchLine() {
  return Error{Code::kInvalid, "the line is mistyped, cut off, or of another kind; copy it whole"};
}

std::string_view TrimLine(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace

std::string EncodePlainLine(std::string_view prefix, const Json& json) {
  const std::string text = json.Dump();
  return std::string(prefix) + Base64UrlEncode(AsBytes(text + ChecksumOf(prefix, text)));
}

Result<Json> DecodePlainLine(std::string_view prefix, std::string_view text) {
  text = TrimLine(text);
  if (text.size() > kMaxPlainLineBytes || !text.starts_with(prefix)) return NoSuchLine();
  const auto raw = Base64UrlDecode(text.substr(prefix.size()), kMaxPlainLineBytes);
  if (!raw || raw->size() <= kLineChecksumBytes) return NoSuchLine();
  const std::string_view body = AsText(*raw).substr(0, raw->size() - kLineChecksumBytes);
  if (ChecksumOf(prefix, body) != AsText(*raw).substr(body.size())) return NoSuchLine();
  return ParseJson(body, {.max_bytes = kMaxPlainLineBytes, .max_depth = 4, .max_items = 64});
}

}  // namespace grantfs

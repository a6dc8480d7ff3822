#include <algorithm>
#include <array>
#include <set>
#include <string>

#include "grantfs/net/address.h"
#include "grantfs/util/text.h"
#include "request_gate_internal.h"

namespace grantfs::net {
namespace {

constexpr std::size_t kMaxHeaders = 64;

Error BadRequest(const char* where) { return Error{Code::kInvalid, where}; }

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool IsUnreserved(char c) {
  return IsLetter(c) || IsDigit(c) || c == '-' || c == '.' || c == '_' || c == '~';
}
bool IsPathCharacter(char c) {
  return IsUnreserved(c) || std::string_view("!$&'()*+,;=:@/").find(c) != std::string_view::npos;
}

int UpperHexValue(char c) {
  if (IsDigit(c)) return c - '0';
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/// Decodes a part of a target into `decoded`, if it is in the one canonical encoding. `also` are characters
/// that may stand in it beside those of a path.
Status DecodeCanonical(std::string_view text, std::string_view also, std::string& decoded) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (c != '%') {
      if (!IsPathCharacter(c) && also.find(c) == std::string_view::npos)
        return BadRequest("the target holds a character that must be encoded");
      decoded.push_back(c);
      continue;
    }
    if (at + 2 >= text.size()) return BadRequest("the target holds half an encoded character");
    const int high = UpperHexValue(text[at + 1]);
    const int low = UpperHexValue(text[at + 2]);
    if (high < 0 || low < 0) return BadRequest("the target's encoding is not in upper-case hexadecimal");
    const char value = static_cast<char>(high * 16 + low);
    if (IsUnreserved(value)) return BadRequest("the target encodes a character that needs no encoding");
    if (value == '\0') return BadRequest("the target holds a NUL");
    decoded.push_back(value);
    at += 2;
  }
  return {};
}

Status CheckTarget(std::string_view target) {
  if (!target.starts_with('/')) return BadRequest("the target is not in origin form");
  if (target.find('#') != std::string_view::npos) return BadRequest("the target has a fragment");
  const std::size_t question = target.find('?');
  const std::string_view path = target.substr(0, question);
  std::string decoded;
  GRANTFS_CHECK(DecodeCanonical(path, "", decoded));
  for (const std::string_view segment : Split(decoded, '/')) {
    if (segment == "." || segment == "..") return BadRequest("the path has a dot segment");
  }
  if (path.find("//") != std::string_view::npos) return BadRequest("the path has an empty segment");
  if (question == std::string_view::npos) return {};
  // "/a" and "/a?" have the same signature base.
  if (question + 1 == target.size()) return BadRequest("the target has an empty query");
  decoded.clear();
  return DecodeCanonical(target.substr(question + 1), "?", decoded);
}

Status CheckRequestLine(std::string_view line, bool& is_get) {
  static constexpr std::array<std::string_view, 5> kMethods = {"GET", "POST", "PUT", "PATCH", "DELETE"};
  const auto parts = Split(line, ' ');
  if (parts.size() != 3) return BadRequest("the request line does not have three parts");
  if (parts[2] != "HTTP/1.1") return BadRequest("the version is not HTTP/1.1");
  if (std::find(kMethods.begin(), kMethods.end(), parts[0]) == kMethods.end())
    return BadRequest("the method is not in use here");
  is_get = parts[0] == "GET";
  return CheckTarget(parts[1]);
}

/// Refuses what two readers could normalise differently: the signature covers the text.
Status CheckHost(std::string_view host) {
  if (host.empty()) return BadRequest("the Host header is empty");
  const auto address = ParseAddress(host);
  if (!address) return BadRequest("the Host header is not a host and port");
  const std::string full = address->Text();
  const bool with_port = host == address->Authority();
  const bool without_port = host == std::string_view(full).substr(0, full.rfind(':'));
  if (!with_port && !without_port) return BadRequest("the Host header is not in canonical form");
  return {};
}

Status CheckLength(std::string_view value, bool is_get) {
  unsigned long long length = 0;
  if (!ParseNumber(value, 1ull << 40, &length)) return BadRequest("Content-Length is not a number");
  if (is_get && length != 0) return BadRequest("a GET has a body");
  return {};
}

bool MustBeSingle(std::string_view name) {
  return name == "host" || name.starts_with("content-") || name.starts_with("signature") ||
         name == "connection" || name.starts_with("grantfs-");
}

bool IsRefused(std::string_view name) {
  return name == "transfer-encoding" || name == "expect" || name == "upgrade" || name == "trailer" ||
         name == "te";
}

std::string_view Trim(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

/// Reads "Name: value" and checks what can be said of one header alone.
Status CheckHeader(std::string_view line, bool is_get, std::string& name) {
  if (line.front() == ' ' || line.front() == '\t') return BadRequest("a header is folded over two lines");
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0) return BadRequest("a header has no name");
  for (const char c : line.substr(0, colon)) {
    if (!IsLetter(c) && !IsDigit(c) && c != '-') return BadRequest("a header's name holds an odd character");
    name.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c);
  }
  if (IsRefused(name)) return BadRequest("the request has a header that is not in use here");
  const std::string_view value = Trim(line.substr(colon + 1));
  if (name == "host") return CheckHost(value);
  if (name == "content-length") return CheckLength(value, is_get);
  return {};
}

}  // namespace

Status CheckHeadBytes(std::string_view beginning) {
  for (std::size_t at = 0; at < beginning.size(); ++at) {
    const char c = beginning[at];
    if ((c >= 0x20 && c < 0x7f) || c == '\t') continue;
    if (c == '\r' && (at + 1 == beginning.size() || beginning[at + 1] == '\n')) continue;
    if (c == '\n' && at > 0 && beginning[at - 1] == '\r') continue;
    return BadRequest("the request's head holds a byte that may not stand there");
  }
  return {};
}

Status CheckRequestHead(std::string_view head) {
  GRANTFS_CHECK(CheckHeadBytes(head));
  if (!head.ends_with("\r\n\r\n")) return BadRequest("the request's head has no end");
  head.remove_suffix(2);
  std::set<std::string, std::less<>> seen;
  std::size_t count = 0;
  bool is_get = false;
  bool first = true;
  while (!head.empty()) {
    const std::size_t end = head.find("\r\n");
    const std::string_view line = head.substr(0, end);
    head.remove_prefix(end + 2);
    if (first) {
      GRANTFS_CHECK(CheckRequestLine(line, is_get));
      first = false;
      continue;
    }
    if (line.empty()) return BadRequest("the request's head has an empty line inside");
    if (++count > kMaxHeaders) return BadRequest("the request has too many headers");
    std::string name;
    GRANTFS_CHECK(CheckHeader(line, is_get, name));
    if (!seen.insert(name).second && MustBeSingle(name))
      return BadRequest("a header that must be single stands twice");
  }
  if (!seen.contains("host")) return BadRequest("the request has no Host header");
  return {};
}

}  // namespace grantfs::net

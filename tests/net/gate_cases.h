#pragma once

#include <string>
#include <utility>
#include <vector>

namespace grantfs {

/// Requests that a lenient reader might let through and a signed API must not see: what is wrong, and the raw
/// bytes. Shared by the gate's own test and the one over a real connection.
inline std::vector<std::pair<std::string, std::string>> RefusedRequests() {
  const auto get = [](const std::string& target) {
    return "GET " + target + " HTTP/1.1\r\nHost: vault.lan:7843\r\n\r\n";
  };
  const auto host = [](const std::string& value) { return "GET / HTTP/1.1\r\nHost: " + value + "\r\n\r\n"; };
  const auto with = [](const std::string& lines) {
    return "POST /v1 HTTP/1.1\r\nHost: vault.lan:7843\r\n" + lines + "\r\n\r\n";
  };
  std::vector<std::pair<std::string, std::string>> cases = {
      {"no Host", "GET / HTTP/1.1\r\nAccept: a\r\n\r\n"},
      {"no header at all", "GET / HTTP/1.1\r\n\r\n"},
      {"empty line first", "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"two Hosts", with("Host: vault.lan:7843")},
      {"two Hosts, other case", with("hOST: other.lan")},
      {"HTTP/1.0", "GET / HTTP/1.0\r\nHost: a\r\n\r\n"},
      {"HTTP/1.2", "GET / HTTP/1.2\r\nHost: a\r\n\r\n"},
      {"HTTP/2.0", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"},
      {"lower-case version", "GET / http/1.1\r\nHost: a\r\n\r\n"},
      {"no version", "GET /\r\nHost: a\r\n\r\n"},
      {"two spaces", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"tab in the request line", "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"space at the end of the request line", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n"},
      {"lower-case method", "get / HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"CONNECT", "CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"TRACE", "TRACE / HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"HEAD", "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"asterisk form", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"absolute form", get("https://vault.lan:7843/v1")},
      {"authority form", get("vault.lan:7843")},
      {"no slash", get("v1")},
      {"fragment", get("/v1#x")},
      {"fragment in the query", get("/v1?a#x")},
      {"dot segment", get("/v1/./x")},
      {"dot segment at the end", get("/v1/.")},
      {"two dots", get("/v1/../x")},
      {"two dots at the end", get("/v1/..")},
      {"encoded dots", get("/v1/%2e%2e/x")},
      {"encoded dots, upper case", get("/v1/%2E%2E/x")},
      {"half encoded dots", get("/v1/.%2E/x")},
      {"dots behind an encoded slash", get("/v1/a%2F..%2Fb")},
      {"empty segment", get("/v1//x")},
      {"empty segment first", get("//v1")},
      {"encoding in lower case", get("/v1/%c3%a9")},
      {"encoding of mixed case", get("/v1/%C3%a9")},
      {"encoded letter", get("/v1/%41")},
      {"encoded digit", get("/v1/%30")},
      {"encoded tilde", get("/v1/%7E")},
      {"encoded hyphen in the query", get("/v1?a=%2D")},
      {"encoding in lower case in the query", get("/v1?a=%2f")},
      {"encoded NUL", get("/v1/%00")},
      {"half an encoding", get("/v1/%4")},
      {"a bare percent sign", get("/v1/%")},
      {"no hexadecimal", get("/v1/%ZZ")},
      {"empty query", get("/v1?")},
      {"quote", get("/v1/\"")},
      {"backslash", get("/v1\\x")},
      {"angle bracket", get("/v1/<")},
      {"caret", get("/v1/^")},
      {"brackets", get("/v1/[a]")},
      {"bar in the query", get("/v1?a|b")},
      {"not ASCII", get("/v1/\xc3\xa9")},
      {"control byte", get("/v1/\x01")},
      {"DEL", get("/v1/\x7f")},
      {"empty Host", host("")},
      {"blank Host", host("   ")},
      {"port 443", host("vault.lan:443")},
      {"port 443 of an IPv6 address", host("[::1]:443")},
      {"empty port", host("vault.lan:")},
      {"port 0", host("vault.lan:0")},
      {"port with a zero in front", host("vault.lan:07843")},
      {"port too large", host("vault.lan:78430")},
      {"upper-case Host", host("Vault.lan")},
      {"Host with user", host("user@vault.lan")},
      {"Host with path", host("vault.lan/x")},
      {"Host with a dot at the end", host("vault.lan.")},
      {"two names in Host", host("vault.lan, other.lan")},
      {"IPv6 address in long form", host("[0:0:0:0:0:0:0:1]")},
      {"IPv6 address without brackets", host("::1")},
      {"IPv4 address in short form", host("127.1")},
      {"Transfer-Encoding chunked", with("Transfer-Encoding: chunked")},
      {"Transfer-Encoding identity", with("Transfer-Encoding: identity")},
      {"Transfer-Encoding with a length", with("Content-Length: 0\r\nTransfer-Encoding: chunked")},
      {"Transfer-Encoding with odd space", with("Transfer-Encoding: \tchunked")},
      {"Expect", with("Expect: 100-continue")},
      {"Upgrade", with("Upgrade: h2c")},
      {"Trailer", with("Trailer: x")},
      {"folded header", with("Accept: a\r\n b")},
      {"folded header with a tab", with("Accept: a\r\n\tb")},
      {"folded first header", "GET / HTTP/1.1\r\n Host: a\r\n\r\n"},
      {"space before the colon", with("Accept : a")},
      {"space in a name", with("Acc ept: a")},
      {"underscore in a name", with("content_length: 5")},
      {"no colon", with("Accept")},
      {"no name", with(": a")},
      {"odd name", with("Acc(ept: a")},
      {"control byte in a value", with("Accept: a\x01")},
      {"value that is not ASCII", with("Accept: \xff")},
      {"bare CR in a value", with("Accept: a\rb: c")},
      {"bare LF", "GET / HTTP/1.1\nHost: a\n\n"},
      {"bare LF inside", with("Accept: a\nHost: b")},
      {"body on GET", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx"},
      {"negative length", with("Content-Length: -1")},
      {"length with a plus sign", with("Content-Length: +1")},
      {"length with a zero in front", with("Content-Length: 01")},
      {"length in hexadecimal", with("Content-Length: 0x1")},
      {"empty length", with("Content-Length: ")},
      {"list of lengths", with("Content-Length: 1, 1")},
      {"huge length", with("Content-Length: 99999999999999999999999")},
      {"two equal lengths", with("Content-Length: 0\r\nContent-Length: 0")},
      {"two lengths", with("Content-Length: 1\r\nContent-Length: 2")},
      {"two Signatures", with("Signature: a\r\nSignature: a")},
      {"two Signature-Inputs", with("Signature-Input: a\r\nsignature-input: b")},
      {"two Content-Digests", with("Content-Digest: a\r\nContent-Digest: b")},
      {"two vaults", with("Grantfs-Vault: a\r\nGrantfs-Vault: a")},
      {"two instances", with("grantfs-instance: a\r\nGRANTFS-INSTANCE: b")},
      {"two headers of later", with("grantfs-later: a\r\ngrantfs-later: b")},
  };
  std::string many;
  for (int i = 0; i < 65; ++i) many += (i == 0 ? "x" : "\r\nx") + std::to_string(i) + ": y";
  cases.push_back({"too many headers", with(many)});
  cases.push_back({"NUL in the target", get(std::string("/v1/\0x", 6))});
  cases.push_back({"TLS inside", std::string("\x16\x03\x01\x02\x00\x01\x00", 7)});
  return cases;
}

inline std::vector<std::pair<std::string, std::string>> AcceptedRequests() {
  const auto get = [](const std::string& target) {
    return "GET " + target + " HTTP/1.1\r\nHost: vault.lan:7843\r\n\r\n";
  };
  const auto host = [](const std::string& value) { return "GET / HTTP/1.1\r\nHost: " + value + "\r\n\r\n"; };
  return {{"plain", get("/")},
          {"path", get("/v1/secrets")},
          {"slash at the end", get("/v1/")},
          {"query", get("/v1?a=b&c=d/e?f")},
          {"encoded characters", get("/v1/%C3%A9%20%2F%0A")},
          {"everything that needs no encoding", get("/v1/aZ0-._~!$&'()*+,;=:@?aZ0-._~!$&'()*+,;=:@/?")},
          {"dots in names", get("/v1/.../a.b/..c/d..")},
          {"Host without port", host("vault.lan")},
          {"IPv4", host("10.0.0.1:7843")},
          {"IPv6", host("[2001:db8::1]:7843")},
          {"IPv6 without port", host("[::1]")},
          {"blanks around values", "GET / HTTP/1.1\r\nHost: \t a \t\r\nAccept:b\r\n\r\n"},
          {"empty value", "GET / HTTP/1.1\r\nHost: a\r\nGrantfs-Instance:\r\n\r\n"},
          {"a header twice that does not count", "GET / HTTP/1.1\r\nHost: a\r\nVia: b\r\nVia: c\r\n\r\n"},
          {"length 0 on GET", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"},
          {"body", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"},
          {"no body", "DELETE / HTTP/1.1\r\nHost: a\r\n\r\n"}};
}

}  // namespace grantfs

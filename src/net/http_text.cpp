#include <algorithm>
#include <boost/beast/http/status.hpp>  // needs <ostream> before it
#include <cstdio>
#include <ctime>
#include <ostream>

#include "http_text_internal.h"
#include "request_gate_internal.h"

namespace grantfs::net {
namespace {

Error Unsendable(const char* where) { return Error{Code::kInvalid, where}; }

bool IsNameCharacter(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; }
bool IsValueCharacter(char c) { return (c >= 0x20 && c < 0x7f) || c == '\t'; }

bool IsSetByUs(std::string_view name) {
  return name == "host" || name == "content-length" || name == "transfer-encoding" || name == "connection";
}

Status AppendHeaders(const std::vector<HttpHeader>& headers, std::string& out) {
  for (const auto& [name, value] : headers) {
    if (name.empty() || !std::all_of(name.begin(), name.end(), IsNameCharacter) || IsSetByUs(name))
      return Unsendable("a header's name is not one that may be sent");
    if (!std::all_of(value.begin(), value.end(), IsValueCharacter))
      return Unsendable("a header's value cannot be sent");
    out.append(name).append(": ").append(value).append("\r\n");
  }
  return {};
}

/// The time now, made once a second and thread.
const std::string& DateText() {
  thread_local std::time_t second = 0;
  thread_local std::string text;
  const std::time_t now = std::time(nullptr);
  if (now == second && !text.empty()) return text;
  second = now;
  text = HttpDate(now);
  return text;
}

std::string StatusLine(int status) {
  const auto reason = boost::beast::http::obsolete_reason(static_cast<boost::beast::http::status>(status));
  return "HTTP/1.1 " + std::to_string(status) + " " + std::string(reason) + "\r\n";
}

bool HasNoBody(int status) { return status == 204 || status == 304; }

}  // namespace

Result<std::string> ResponseText(const HttpResponse& response, Framing framing, bool keep_alive) {
  if (response.status < 200 || response.status > 599)
    return Unsendable("a response's status is not one that may be sent");
  if (HasNoBody(response.status) && (!response.body.empty() || framing == Framing::kChunked))
    return Unsendable("a response of this status has no body");
  std::string out = StatusLine(response.status);
  out.reserve(512 + response.body.size());
  GRANTFS_CHECK(AppendHeaders(response.headers, out));
  if (FindHeader(response.headers, "date") == nullptr) out.append("date: ").append(DateText()).append("\r\n");
  if (!keep_alive) out += "connection: close\r\n";
  if (framing == Framing::kChunked) return out + "transfer-encoding: chunked\r\n\r\n";
  if (!HasNoBody(response.status)) out += "content-length: " + std::to_string(response.body.size()) + "\r\n";
  return std::move(out.append("\r\n").append(response.body));
}

std::string ChunkText(std::string_view chunk) {
  char size[20];
  std::snprintf(size, sizeof size, "%zx\r\n", chunk.size());
  std::string out;
  out.reserve(chunk.size() + 24);
  return std::move(out.append(size).append(chunk).append("\r\n"));
}

Result<std::string> RequestText(const HttpRequest& request, const Address& server) {
  if (request.path.find_first_of("?#") != std::string::npos)
    return Unsendable("the request's path holds more than a path");
  std::string out = request.method + " " + request.path;
  if (!request.query.empty()) out.append("?").append(request.query);
  out.append(" HTTP/1.1\r\nhost: ");
  out.append(request.authority.empty() ? server.Authority() : request.authority).append("\r\n");
  GRANTFS_CHECK(AppendHeaders(request.headers, out));
  if (request.method != "GET" || !request.body.empty())
    out += "content-length: " + std::to_string(request.body.size()) + "\r\n";
  out += "\r\n";
  GRANTFS_CHECK(CheckRequestHead(out));
  if (out.size() > kMaxHeadBytes) return Unsendable("the request's headers are too large");
  if (request.body.size() > kMaxRequestBytes) return Unsendable("the request is too large");
  return std::move(out.append(request.body));
}

HttpResponse Problem(int status, const char* title, const char* code) {
  HttpResponse response;
  response.status = status;
  response.headers = {{"content-type", "application/problem+json"}};
  response.body = std::string(R"({"type":"about:blank","title":")") + title + R"(","status":)" +
                  std::to_string(status) + R"(,"code":")" + code + R"("})";
  return response;
}

}  // namespace grantfs::net

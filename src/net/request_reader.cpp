#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include "http_text_internal.h"
#include "request_gate_internal.h"
#include "request_reader_internal.h"

namespace grantfs::net {

namespace http = boost::beast::http;

struct RequestReader::Parser {
  http::request_parser<http::string_body> beast;
};

RequestReader::RequestReader(std::size_t max_body_bytes) : max_body_bytes_(max_body_bytes) {}
RequestReader::~RequestReader() = default;

RequestReader::Progress RequestReader::Refuse(int status, const char* title, const char* code) {
  refusal_ = Problem(status, title, code);
  parser_.reset();
  return Progress::kRefused;
}

RequestReader::Progress RequestReader::Feed(std::string& input) {
  if (!parser_) {
    if (const Progress progress = FeedHead(input); progress != Progress::kDone) return progress;
  }
  return FeedParser(input);
}

/// kDone once the head is complete and good, and a parser waits for it.
RequestReader::Progress RequestReader::FeedHead(const std::string& input) {
  std::size_t from = checked_bytes_ < 3 ? 0 : checked_bytes_ - 3;
  if (from > 0 && input[from] == '\n') --from;  // to its CR
  const std::size_t end = input.find("\r\n\r\n", from);
  if (std::min(end, input.size()) > kMaxHeadBytes)
    return Refuse(431, "the request's headers are too large", "too-large");
  if (end == std::string::npos) {
    // Bytes that no head holds are refused at once: a peer that speaks something else never sends its end.
    if (const Status good = CheckHeadBytes(std::string_view(input).substr(from)); !good)
      return Refuse(400, good.error().where, "bad-request");
    checked_bytes_ = input.size();
    return Progress::kNeedMore;
  }
  checked_bytes_ = 0;
  if (const Status good = CheckRequestHead(std::string_view(input).substr(0, end + 4)); !good)
    return Refuse(400, good.error().where, "bad-request");
  parser_ = std::make_unique<Parser>();
  parser_->beast.eager(true);
  parser_->beast.header_limit(static_cast<std::uint32_t>(kMaxHeadBytes + 4));
  parser_->beast.body_limit(max_body_bytes_);
  return Progress::kDone;
}

RequestReader::Progress RequestReader::FeedParser(std::string& input) {
  boost::system::error_code failed;
  while (!parser_->beast.is_done() && !input.empty()) {
    const std::size_t taken = parser_->beast.put(boost::asio::buffer(input), failed);
    input.erase(0, taken);
    if (failed == http::error::body_limit) return Refuse(413, "the request is too large", "too-large");
    if (failed == http::error::need_more && taken == 0) break;
    if (failed && failed != http::error::need_more)
      return Refuse(400, "the request is malformed", "bad-request");
  }
  return parser_->beast.is_done() ? Progress::kDone : Progress::kNeedMore;
}

HttpRequest RequestReader::Take() {
  auto message = parser_->beast.release();
  parser_.reset();
  keep_alive_ = message.keep_alive();
  HttpRequest request;
  request.method = std::string(message.method_string());
  const std::string_view target(message.target().data(), message.target().size());
  const std::size_t question = target.find('?');
  request.path = std::string(target.substr(0, question));
  if (question != std::string_view::npos) request.query = std::string(target.substr(question + 1));
  for (const auto& field : message) {
    std::string name(field.name_string());
    std::transform(name.begin(), name.end(), name.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    if (name == "host") {
      request.authority = std::string(field.value());
    } else {
      request.headers.push_back({std::move(name), std::string(field.value())});
    }
  }
  request.body = std::move(message.body());
  return request;
}

}  // namespace grantfs::net

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include "response_reader_internal.h"

namespace grantfs::net {

namespace http = boost::beast::http;

struct ResponseReader::Parser {
  http::response_parser<http::string_body> beast;
};

ResponseReader::ResponseReader(std::size_t max_body_bytes) : parser_(std::make_unique<Parser>()) {
  parser_->beast.eager(true);
  parser_->beast.header_limit(static_cast<std::uint32_t>(kMaxHeadBytes));
  if (max_body_bytes == 0) {
    parser_->beast.body_limit(boost::none);
  } else {
    parser_->beast.body_limit(max_body_bytes);
  }
}

ResponseReader::~ResponseReader() = default;

/// A body that only the end of the connection ends could be cut short unnoticed.
Status ResponseReader::CheckHead() const {
  const auto& message = parser_->beast.get();
  if (message.version() != 11 || message.result_int() < 200)
    return Error{Code::kInvalid, "the server's response is not one of HTTP/1.1"};
  if (parser_->beast.need_eof()) return Error{Code::kInvalid, "the server's response has no length"};
  return {};
}

Result<ResponseReader::Progress> ResponseReader::Feed(std::string& input) {
  boost::system::error_code failed;
  while (!parser_->beast.is_done() && !input.empty()) {
    const std::size_t taken = parser_->beast.put(boost::asio::buffer(input), failed);
    input.erase(0, taken);
    if (failed == http::error::need_more && taken == 0) break;
    if (failed == http::error::body_limit || failed == http::error::header_limit)
      return Error{Code::kInvalid, "the server's response is too large"};
    if (failed && failed != http::error::need_more)
      return Error{Code::kInvalid, "the server's response is malformed"};
    if (HasHead()) GRANTFS_CHECK(CheckHead());
  }
  return parser_->beast.is_done() ? Progress::kDone : Progress::kNeedMore;
}

bool ResponseReader::HasHead() const { return parser_->beast.is_header_done(); }

HttpResponse ResponseReader::Head() const {
  const auto& message = parser_->beast.get();
  HttpResponse response;
  response.status = static_cast<int>(message.result_int());
  for (const auto& field : message) {
    std::string name(field.name_string());
    std::transform(name.begin(), name.end(), name.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    response.headers.push_back({std::move(name), std::string(field.value())});
  }
  return response;
}

std::string ResponseReader::TakeBody() { return std::exchange(parser_->beast.get().body(), {}); }

bool ResponseReader::keep_alive() const { return parser_->beast.get().keep_alive(); }

}  // namespace grantfs::net

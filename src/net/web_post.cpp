#include "grantfs/net/web_post.h"

#include <openssl/x509_vfy.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <cerrno>
#include <optional>

#include "dial_internal.h"
#include "grantfs/util/unique_fd.h"
#include "tls_stream_internal.h"

// A few posts a minute at most: one thread waits for each.

namespace grantfs {
namespace net {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds kLook{200};  ///< how often it is asked whether to go on
constexpr std::size_t kMostTarget = 1024;

/// One post on its way.
class WebExchange {
 public:
  WebExchange(const WebAddress& address, SSL_CTX* context, Clock::time_point end,
              const std::atomic<bool>& stop)
      : address_(address), context_(context), end_(end), stop_(stop) {}

  Result<int> Run(const std::string& text) {
    GRANTFS_CHECK(Connect());
    if (context_ != nullptr) GRANTFS_CHECK(Handshake());
    GRANTFS_CHECK(WriteAll(text));
    return ReadStatus();
  }

 private:
  Error Failed(Code code, const char* where, int sys = 0) const {
    return {code, where, sys, address_.server.Text()};
  }

  /// Until the socket is ready, in pieces.
  Status Await(short events) {
    for (;;) {
      if (stop_) return Failed(Code::kCancelled, "the vault is stopping");
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end_ - Clock::now());
      if (left.count() <= 0) return Failed(Code::kUnreachable, "no answer came in time", ETIMEDOUT);
      pollfd one{fd_, events, 0};
      if (::poll(&one, 1, static_cast<int>(std::min(left, kLook).count())) > 0) return {};
    }
  }

  Status Connect() {
    DialOptions options;
    options.server = address_.server;
    options.subject = address_.server.Text();
    options.end = end_;
    options.stop = &stop_;
    Dialed dialed = GRANTFS_TRY(Dial(options));
    socket_ = std::move(dialed.fd);
    fd_ = socket_.get();
    is_v6_ = dialed.v6;
    return {};
  }

  Status Handshake() {
    boost::asio::ip::tcp::socket socket(io_);
    boost::system::error_code failed;
    socket.assign(is_v6_ ? boost::asio::ip::tcp::v6() : boost::asio::ip::tcp::v4(), fd_, failed);
    if (failed) return Failed(Code::kIo, "TLS could not be set up", failed.value());
    socket_.Release();
    stream_.emplace(context_, std::move(socket), /*is_server=*/false);
    if (!stream_->ok()) return Failed(Code::kIo, "TLS could not be set up");
    SSL* ssl = stream_->ssl();
    if (!ExpectServer(ssl, address_.server.host)) return Failed(Code::kIo, "TLS could not be set up");
    for (;;) {
      const TlsOutcome outcome = stream_->Handshake();
      if (outcome == TlsOutcome::kDone) return {};
      if (outcome == TlsOutcome::kClosed || outcome == TlsOutcome::kFailed) {
        const bool certificate = SSL_get_verify_result(ssl) != X509_V_OK;
        return certificate ? Failed(Code::kIntegrity, "its certificate does not verify")
                           : Failed(Code::kUnreachable, "the TLS handshake failed");
      }
      GRANTFS_CHECK(Await(outcome == TlsOutcome::kWantRead ? POLLIN : POLLOUT));
    }
  }

  TlsOutcome WriteSome(std::string_view data, std::size_t* size) {
    if (stream_) return stream_->Write(data, size);
    const ssize_t sent = ::send(fd_, data.data(), data.size(), MSG_NOSIGNAL);
    if (sent >= 0) return *size = static_cast<std::size_t>(sent), TlsOutcome::kDone;
    return errno == EAGAIN || errno == EINTR ? TlsOutcome::kWantWrite : TlsOutcome::kFailed;
  }

  TlsOutcome ReadSome(char* data, std::size_t capacity, std::size_t* size) {
    if (stream_) return stream_->Read(data, capacity, size);
    const ssize_t got = ::recv(fd_, data, capacity, 0);
    if (got > 0) return *size = static_cast<std::size_t>(got), TlsOutcome::kDone;
    if (got == 0) return TlsOutcome::kClosed;
    return errno == EAGAIN || errno == EINTR ? TlsOutcome::kWantRead : TlsOutcome::kFailed;
  }

  Status WriteAll(std::string_view text) {
    while (!text.empty()) {
      std::size_t size = 0;
      const TlsOutcome outcome = WriteSome(text, &size);
      if (outcome == TlsOutcome::kWantRead || outcome == TlsOutcome::kWantWrite) {
        GRANTFS_CHECK(Await(outcome == TlsOutcome::kWantRead ? POLLIN : POLLOUT));
      } else if (outcome != TlsOutcome::kDone) {
        return {};  // who has refused it may have answered already
      }
      text.remove_prefix(size);
    }
    return {};
  }

  /// "HTTP/1.1 204": the rest is nobody's business.
  Result<int> ReadStatus() {
    std::string line;
    char piece[64];
    while (line.size() < 12) {
      std::size_t size = 0;
      const TlsOutcome outcome = ReadSome(piece, sizeof piece, &size);
      if (outcome == TlsOutcome::kWantRead || outcome == TlsOutcome::kWantWrite)
        GRANTFS_CHECK(Await(outcome == TlsOutcome::kWantRead ? POLLIN : POLLOUT));
      else if (outcome != TlsOutcome::kDone)
        return Failed(Code::kUnreachable, "the connection broke before an answer came");
      line.append(piece, size);
    }
    const auto digit = [&](std::size_t at) {
      return line[at] >= '0' && line[at] <= '9' ? line[at] - '0' : -1;
    };
    const bool good =
        line.starts_with("HTTP/1.") && line[8] == ' ' && digit(9) > 0 && digit(10) >= 0 && digit(11) >= 0;
    if (!good) return Failed(Code::kInvalid, "it does not speak HTTP/1.1");
    return digit(9) * 100 + digit(10) * 10 + digit(11);
  }

  const WebAddress& address_;
  SSL_CTX* const context_;
  const Clock::time_point end_;
  const std::atomic<bool>& stop_;
  UniqueFd socket_;  ///< until TLS takes it over
  int fd_ = -1;
  bool is_v6_ = false;
  boost::asio::io_context io_;
  std::optional<TlsStream> stream_;
};

class Poster final : public WebPoster {
 public:
  Poster(WebAddress address, SslContext context)
      : address_(std::move(address)), context_(std::move(context)) {}

  Result<int> Post(const std::vector<HttpHeader>& headers, const std::string& body,
                   std::chrono::milliseconds deadline, const std::atomic<bool>& stop) override {
    std::string text = "POST " + address_.target + " HTTP/1.1\r\nHost: " + HostText() +
                       "\r\nConnection: close\r\nContent-Length: " + std::to_string(body.size()) + "\r\n";
    for (const HttpHeader& header : headers) text += header.name + ": " + header.value + "\r\n";
    text += "\r\n" + body;
    return WebExchange(address_, context_.get(), Clock::now() + deadline, stop).Run(text);
  }

 private:
  std::string HostText() const {
    const std::string all = address_.server.Text();
    const bool usual = address_.server.port == (address_.tls ? 443 : 80);
    return usual ? all.substr(0, all.rfind(':')) : all;
  }
  const WebAddress address_;
  const SslContext context_;
};

}  // namespace
}  // namespace net

Result<WebAddress> ParseWebAddress(std::string_view text) {
  const auto bad = [&](const char* where) { return Error{Code::kInvalid, where, 0, std::string(text)}; };
  WebAddress address;
  std::string_view rest = text;
  if (rest.starts_with("https://")) {
    rest.remove_prefix(8);
  } else if (rest.starts_with("http://")) {
    rest.remove_prefix(7);
    address.tls = false;
  } else {
    return bad("is no address of a webhook: https://HOST[:PORT]/PATH");
  }
  const std::size_t slash = std::min(rest.find_first_of("/?"), rest.size());
  std::string host(rest.substr(0, slash));
  const std::size_t bracket = host.rfind(']');
  if (host.find(':', bracket == std::string::npos ? 0 : bracket) == std::string::npos)
    host += address.tls ? ":443" : ":80";
  const auto server = ParseAddress(host);
  if (!server) return bad(server.error().where);
  address.server = *server;
  address.target = std::string(rest.substr(slash));
  if (!address.target.starts_with('/')) address.target.insert(0, "/");
  const auto plain = [](char c) { return c > 0x20 && c < 0x7f && c != '#'; };
  if (address.target.size() > net::kMostTarget ||
      !std::all_of(address.target.begin(), address.target.end(), plain))
    return bad("has a path of more than 1024 bytes, or with characters that are to be escaped");
  if (!address.tls && !IsLoopback(address.server))
    return bad("would send alerts in the clear: use https://, or http:// on this computer's loopback alone");
  return address;
}

Result<std::unique_ptr<WebPoster>> WebPoster::Create(WebAddress address, const std::string& ca_file) {
  net::SslContext context;
  if (address.tls) context = GRANTFS_TRY(net::MakeVerifyingContext(ca_file));
  return std::unique_ptr<WebPoster>(std::make_unique<net::Poster>(std::move(address), std::move(context)));
}

}  // namespace grantfs

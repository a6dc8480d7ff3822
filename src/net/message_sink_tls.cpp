#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <poll.h>

#include <cerrno>

#include "message_sink_internal.h"
#include "tls_internal.h"

// TLS to a server of logs, RFC 5425: its certificate is verified against a CA and its name.

namespace grantfs::net {
namespace {

class TlsSink final : public SocketSink {
 public:
  TlsSink(UniqueFd fd, const SinkTarget& target, std::chrono::milliseconds deadline, SslContext context)
      : SocketSink(std::move(fd), target, deadline, false),
        context_(std::move(context)),
        ssl_(SSL_new(context_.get())) {}

  ~TlsSink() override {
    if (ssl_) SSL_shutdown(ssl_.get());
    ERR_clear_error();
  }

  Status Connect() {
    until_ = std::chrono::steady_clock::now() + deadline_;
    if (!ssl_ || SSL_set_fd(ssl_.get(), fd_.get()) != 1 || !ExpectServer(ssl_.get(), target_.host))
      return Error{Code::kIo, "TLS could not be set up", 0, target_.Text()};
    for (;;) {
      const int done = SSL_connect(ssl_.get());
      if (done == 1) return {};
      GRANTFS_CHECK(Waited(done));
    }
  }

 private:
  Status WriteSome(std::string_view* rest) override {
    std::size_t written = 0;
    const int done = SSL_write_ex(ssl_.get(), rest->data(), rest->size(), &written);
    if (done != 1) return Waited(done);
    rest->remove_prefix(written);
    return {};
  }

  // Its end, and what belongs to TLS itself (tickets, new keys), come this way.
  Status CheckOpen() override {
    std::array<char, 512> said;
    for (;;) {
      const int size = SSL_read(ssl_.get(), said.data(), static_cast<int>(said.size()));
      if (size > 0) continue;
      const int why = SSL_get_error(ssl_.get(), size);
      ERR_clear_error();
      if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) return {};
      return Broken("it has closed the connection", 0);
    }
  }

  Status Waited(int done) {
    const int sys = errno;
    const int why = SSL_get_error(ssl_.get(), done);
    const long verified = SSL_get_verify_result(ssl_.get());
    ERR_clear_error();
    if (why == SSL_ERROR_WANT_READ) return WaitFor(POLLIN, until_);
    if (why == SSL_ERROR_WANT_WRITE) return WaitFor(POLLOUT, until_);
    if (verified != X509_V_OK)
      return Error{Code::kIntegrity,
                   "its certificate is not good for that name, or of no trusted authority: see --ca", 0,
                   target_.Text() + " (" + X509_verify_cert_error_string(verified) + ")"};
    return Broken("TLS with it failed", why == SSL_ERROR_SYSCALL ? sys : 0);
  }

  SslContext context_;
  SslPtr ssl_;
};

}  // namespace

Result<std::unique_ptr<MessageSink>> OpenTlsSink(UniqueFd fd, const SinkTarget& target,
                                                 std::chrono::milliseconds deadline) {
  SslContext context = GRANTFS_TRY(MakeVerifyingContext(target.ca_file));
  auto sink = std::make_unique<TlsSink>(std::move(fd), target, deadline, std::move(context));
  GRANTFS_CHECK(sink->Connect());
  return std::unique_ptr<MessageSink>(std::move(sink));
}

}  // namespace grantfs::net

#include <openssl/err.h>
#include <sys/socket.h>

#include <cerrno>

#include "tls_stream_internal.h"

namespace grantfs::net {
namespace {

// OpenSSL's own socket BIO writes with write(2), which raises SIGPIPE when the peer has gone.

int DescriptorOf(BIO* bio) { return static_cast<int>(reinterpret_cast<std::intptr_t>(BIO_get_data(bio))); }

bool ShouldRetry() { return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR; }

int BioWrite(BIO* bio, const char* data, int size) {
  BIO_clear_retry_flags(bio);
  const ssize_t sent = ::send(DescriptorOf(bio), data, static_cast<std::size_t>(size), MSG_NOSIGNAL);
  if (sent < 0 && ShouldRetry()) BIO_set_retry_write(bio);
  return static_cast<int>(sent);
}

int BioRead(BIO* bio, char* data, int size) {
  BIO_clear_retry_flags(bio);
  const ssize_t received = ::recv(DescriptorOf(bio), data, static_cast<std::size_t>(size), 0);
  if (received < 0 && ShouldRetry()) BIO_set_retry_read(bio);
  return static_cast<int>(received);
}

long BioControl(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

BIO_METHOD* SocketMethod() {
  static BIO_METHOD* const method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_TYPE_SOURCE_SINK | BIO_get_new_index(), "socket");
    if (made == nullptr) std::abort();
    BIO_meth_set_write(made, BioWrite);
    BIO_meth_set_read(made, BioRead);
    BIO_meth_set_ctrl(made, BioControl);
    return made;
  }();
  return method;
}

}  // namespace

TlsStream::TlsStream(SSL_CTX* context, boost::asio::ip::tcp::socket socket, bool is_server)
    : socket_(std::move(socket)) {
  boost::system::error_code failed;
  socket_.non_blocking(true, failed);
  if (failed) return;
  socket_.set_option(boost::asio::ip::tcp::no_delay(true), failed);
  if (failed) return;
  BIO* bio = BIO_new(SocketMethod());
  SslPtr ssl(SSL_new(context));
  if (bio == nullptr || ssl == nullptr) {
    BIO_free(bio);
    return;
  }
  BIO_set_data(bio, reinterpret_cast<void*>(static_cast<std::intptr_t>(socket_.native_handle())));
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl.get(), bio, bio);
  is_server ? SSL_set_accept_state(ssl.get()) : SSL_set_connect_state(ssl.get());
  ssl_ = std::move(ssl);
}

TlsOutcome TlsStream::Outcome(int result) {
  const int error = SSL_get_error(ssl_.get(), result);
  ERR_clear_error();
  switch (error) {
    case SSL_ERROR_NONE:
      return TlsOutcome::kDone;
    case SSL_ERROR_WANT_READ:
      return TlsOutcome::kWantRead;
    case SSL_ERROR_WANT_WRITE:
      return TlsOutcome::kWantWrite;
    case SSL_ERROR_ZERO_RETURN:
      return TlsOutcome::kClosed;
    default:
      return TlsOutcome::kFailed;
  }
}

TlsOutcome TlsStream::Handshake() {
  if (!socket_.is_open()) return TlsOutcome::kFailed;  // its number may be another's by now
  ERR_clear_error();
  return Outcome(SSL_do_handshake(ssl_.get()));
}

TlsOutcome TlsStream::Read(char* buffer, std::size_t capacity, std::size_t* size) {
  if (!socket_.is_open()) return TlsOutcome::kFailed;
  ERR_clear_error();
  return Outcome(SSL_read_ex(ssl_.get(), buffer, capacity, size));
}

TlsOutcome TlsStream::Write(std::string_view data, std::size_t* size) {
  if (!socket_.is_open()) return TlsOutcome::kFailed;
  ERR_clear_error();
  return Outcome(SSL_write_ex(ssl_.get(), data.data(), data.size(), size));
}

void TlsStream::SayGoodbye() {
  if (!socket_.is_open() || SSL_is_init_finished(ssl_.get()) == 0) return;
  ERR_clear_error();
  SSL_shutdown(ssl_.get());
  ERR_clear_error();
}

void TlsStream::Close() {
  boost::system::error_code ignored;
  socket_.close(ignored);
}

std::array<char, 17 << 10>& RecordBuffer() {
  thread_local std::array<char, 17 << 10> buffer;
  return buffer;
}

}  // namespace grantfs::net

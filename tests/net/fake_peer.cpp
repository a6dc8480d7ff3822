#include "fake_peer.h"

#include <netinet/in.h>
#include <openssl/pem.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>

#include "test_server.h"

namespace grantfs {

FakePeer::FakePeer(Behaviour behaviour, std::string raw) : behaviour_(behaviour), raw_(std::move(raw)) {
  std::signal(SIGPIPE, SIG_IGN);
  const TlsIdentity& identity = TestIdentity();
  context_ = SSL_CTX_new(TLS_server_method());
  BIO* in =
      BIO_new_mem_buf(identity.certificate_pem.data(), static_cast<int>(identity.certificate_pem.size()));
  X509* certificate = PEM_read_bio_X509(in, nullptr, nullptr, nullptr);
  SSL_CTX_use_certificate(context_, certificate);
  X509_free(certificate);
  BIO_free(in);
  const auto key_pem = identity.private_key_pem.Expose();
  in = BIO_new_mem_buf(key_pem.data(), static_cast<int>(key_pem.size()));
  EVP_PKEY* key = PEM_read_bio_PrivateKey(in, nullptr, nullptr, nullptr);
  SSL_CTX_use_PrivateKey(context_, key);
  EVP_PKEY_free(key);
  BIO_free(in);

  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address);
  ::listen(listener_, 64);
  socklen_t size = sizeof address;
  ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { Run(); });
}

FakePeer::~FakePeer() {
  ::shutdown(listener_, SHUT_RDWR);
  thread_.join();
  {
    const std::lock_guard lock(mutex_);
    for (const int fd : open_) ::shutdown(fd, SHUT_RDWR);
  }
  for (auto& thread : serving_) thread.join();
  ::close(listener_);
  SSL_CTX_free(context_);
}

void FakePeer::Run() {
  while (true) {
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) return;
    const std::lock_guard lock(mutex_);
    open_.push_back(fd);
    serving_.emplace_back([this, fd] {
      Serve(fd);
      const std::lock_guard done(mutex_);
      std::erase(open_, fd);
      ::close(fd);
    });
  }
}

/// Reads to the empty line.
bool FakePeer::ReadRequest(SSL* ssl) {
  std::string request;
  std::array<char, 4096> buffer;
  while (request.find("\r\n\r\n") == std::string::npos) {
    const int size = SSL_read(ssl, buffer.data(), static_cast<int>(buffer.size()));
    if (size <= 0) return false;
    request.append(buffer.data(), static_cast<std::size_t>(size));
  }
  ++requests_;
  return true;
}

void FakePeer::Serve(int fd) {
  char byte = 0;
  if (behaviour_ == Behaviour::kNoHandshake) {
    while (::recv(fd, &byte, 1, 0) > 0) {
    }
    return;
  }
  SSL* ssl = SSL_new(context_);
  SSL_set_fd(ssl, fd);
  if (SSL_accept(ssl) == 1 && ReadRequest(ssl)) {
    const std::string answer =
        behaviour_ == Behaviour::kAnswerRaw ? raw_ : "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    SSL_write(ssl, answer.data(), static_cast<int>(answer.size()));
    if (behaviour_ == Behaviour::kAnswerOnceThenClose) ReadRequest(ssl);
    // In good order: what was written must arrive before the end does.
    SSL_shutdown(ssl);
    ::shutdown(fd, SHUT_WR);
    while (behaviour_ == Behaviour::kAnswerRaw && ::recv(fd, &byte, 1, 0) > 0) {
    }
  }
  SSL_free(ssl);
}

}  // namespace grantfs

#pragma once

#include <openssl/ssl.h>

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace grantfs {

/// A server that misbehaves, on a free port of 127.0.0.1 and with the test's identity.
class FakePeer {
 public:
  enum class Behaviour {
    kNoHandshake,          ///< accepts and says nothing
    kAnswerOnceThenClose,  ///< each connection answers one request with 200, and closes when it has read
                           ///< another
    kAnswerRaw,            ///< answers each request with the given bytes and closes
  };
  explicit FakePeer(Behaviour behaviour, std::string raw = {});
  ~FakePeer();

  std::uint16_t port() const { return port_; }
  int requests() const { return requests_; }

 private:
  void Run();
  void Serve(int fd);
  bool ReadRequest(SSL* ssl);

  const Behaviour behaviour_;
  const std::string raw_;
  SSL_CTX* context_ = nullptr;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<int> requests_{0};
  std::mutex mutex_;
  std::vector<int> open_;             // guarded by mutex_
  std::vector<std::thread> serving_;  // of thread_ until it is joined
  std::thread thread_;
};

}  // namespace grantfs

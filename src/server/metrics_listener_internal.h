#pragma once

#include <functional>
#include <string>
#include <thread>

#include "grantfs/net/address.h"
#include "grantfs/util/result.h"
#include "grantfs/util/unique_fd.h"

namespace grantfs {

/// Answers GET /metrics without TLS to whoever is on this host: so on loopback alone, one connection at a
/// time, each for two seconds at most.
class MetricsListener {
 public:
  /// @param text  runs on the listener's thread; an error answers 503.
  /// Errors: kInvalid (no loopback address), kConflict (in use), kDenied (a port that is not allowed), kIo.
  static Result<std::unique_ptr<MetricsListener>> Start(const Address& address,
                                                        std::function<Result<std::string>()> text);
  ~MetricsListener();
  std::uint16_t port() const { return port_; }

 private:
  MetricsListener(UniqueFd socket, UniqueFd stop, std::uint16_t port,
                  std::function<Result<std::string>()> text);
  void Run();
  void Serve(int connection);

  const UniqueFd socket_, stop_;
  const std::uint16_t port_;
  const std::function<Result<std::string>()> text_;
  std::thread thread_;
};

}  // namespace grantfs

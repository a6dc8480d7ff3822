#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

#include "grantfs/util/unique_fd.h"

namespace grantfs::testing {

/// Carries bytes between 127.0.0.1 and another port of it, until it is told to cut every connection: a
/// network that breaks at a chosen moment.
class TcpRelay {
 public:
  TcpRelay();
  ~TcpRelay();
  std::uint16_t port() const { return port_; }
  /// Connections that come from now on are led there. 0: they are closed at once.
  void LeadTo(std::uint16_t port) { target_ = port; }
  /// Ends all connections that there are; returns when they have ended.
  void CutAll();

 private:
  struct Link {
    UniqueFd client;
    UniqueFd server;
  };
  void Run();
  void Accept();
  static bool Carry(const UniqueFd& from, const UniqueFd& to);
  UniqueFd listener_;
  UniqueFd wake_;
  std::uint16_t port_ = 0;
  std::atomic<std::uint16_t> target_{0};
  std::atomic<bool> stop_{false};
  std::mutex mutex_;
  std::vector<Link> links_;
  std::thread thread_;
};

}  // namespace grantfs::testing

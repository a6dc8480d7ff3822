#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "grantfs/api/routes.h"
#include "grantfs/net/http_server.h"
#include "grantfs/vault/vault.h"

namespace grantfs {

/// Counts how requests were answered. Threads: safe.
class RequestCounts {
 public:
  static constexpr std::array kStatuses = {200, 400, 401, 403, 404, 409, 410, 413, 429, 500, 503, 0};
  static constexpr std::size_t kNoRoute = std::size(api::kRoutes);

  /// Which route a request is for; kNoRoute.
  static std::size_t RouteOf(const HttpRequest& request);
  void Add(std::size_t route, int status);
  std::uint64_t Get(std::size_t route, int status) const;
  /// Of a request's answer: counted when it is given.
  std::shared_ptr<Responder> Counting(std::size_t route, std::shared_ptr<Responder> responder);

 private:
  std::array<std::array<std::atomic<std::uint64_t>, kStatuses.size()>, kNoRoute + 1> counts_{};
};

/// The exposition format of Prometheus (text, 0.0.4). Numbers alone: no name of anything that the vault
/// keeps.
/// @param started  unix seconds
std::string MetricsText(const RequestCounts& counts, const Vault::Figures& figures,
                        const std::string& version, std::int64_t started);

}  // namespace grantfs

#pragma once

#include <memory>

#include "grantfs/api/routes.h"
#include "grantfs/net/http_server.h"
#include "grantfs/vault/vault.h"
#include "slow_lane_internal.h"

namespace grantfs {

/// Beside the threads that carry requests. Who searches does not hold up who revokes.
struct SlowLanes {
  explicit SlowLanes(unsigned threads) : reads(threads), appends(threads) {}
  SlowLane reads;
  SlowLane appends;
};

/// One authenticated request on its way to the vault.
struct RouteCall {
  Vault& vault;
  const VaultCaller& caller;
  const HttpRequest& request;
  std::shared_ptr<Responder> responder;
  SlowLanes& lanes;
};

/// A route of the wire and what answers it.
struct Endpoint {
  const api::Route* route;
  void (*handle)(RouteCall call);
  SlowLane SlowLanes::*lane = nullptr;  ///< of what may take long
};

/// Answers a request that has passed authentication: finds the route, checks who may call it, and hands over.
/// What is not there and what is not for this kind of caller look alike.
void Dispatch(RouteCall call);

/// How an error is told. Never used for failures of authentication.
HttpResponse ProblemResponse(const Error& error);

}  // namespace grantfs

#pragma once

#include <memory>

#include "grantfs/api/routes.h"
#include "grantfs/net/http_server.h"
#include "grantfs/vault/vault.h"

namespace grantfs {

/// One authenticated request on its way to the vault.
struct RouteCall {
  Vault& vault;
  const VaultCaller& caller;
  const HttpRequest& request;
  std::shared_ptr<Responder> responder;
};

/// A route of the wire and what answers it.
struct Endpoint {
  const api::Route* route;
  void (*handle)(RouteCall call);
};

/// Answers a request that has passed authentication: finds the route, checks who may call it, and hands over.
/// What is not there and what is not for this kind of caller look alike.
void Dispatch(RouteCall call);

/// How an error is told. Never used for failures of authentication.
HttpResponse ProblemResponse(const Error& error);

}  // namespace grantfs

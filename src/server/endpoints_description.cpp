#include "endpoints_internal.h"
#include "grantfs/api/describe.h"

namespace grantfs {

void HandleDescription(RouteCall call) {
  if (!call.request.body.empty())
    return call.responder->Send(
        ProblemResponse({Code::kInvalid, "a request for the description has no body"}));
  const auto status = call.vault.ShowStatus(call.caller);
  if (!status) return call.responder->Send(ProblemResponse(status.error()));
  call.responder->Send(JsonResponse(api::Description(status->version)));
}

}  // namespace grantfs

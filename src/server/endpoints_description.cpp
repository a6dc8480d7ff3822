#include <memory>
#include <mutex>
#include <string>

#include "endpoints_internal.h"
#include "grantfs/api/describe.h"

namespace grantfs {
namespace {

/// The same for everybody and as long as the process lives; to make it takes longer than most requests do.
std::shared_ptr<const std::string> DescriptionText(const std::string& version) {
  static std::mutex mutex;
  static std::string of;
  static std::shared_ptr<const std::string> text;
  const std::lock_guard lock(mutex);
  if (text == nullptr || of != version) {
    text = std::make_shared<const std::string>(api::Description(version).Dump());
    of = version;
  }
  return text;
}

}  // namespace

void HandleDescription(RouteCall call) {
  if (!call.request.body.empty())
    return call.responder->Send(
        ProblemResponse({Code::kInvalid, "a request for the description has no body"}));
  const auto status = call.vault.ShowStatus(call.caller);
  if (!status) return call.responder->Send(ProblemResponse(status.error()));
  call.responder->Send({200, {{"content-type", "application/json"}}, *DescriptionText(status->version)});
}

}  // namespace grantfs

#include "endpoints_internal.h"
#include "grantfs/tlog/tile.h"

namespace grantfs {
namespace {

/// What stands before a tile's path in that of its route.
constexpr std::string_view kPrefix = "/v1/log/";

void Send(RouteCall& call, const char* type, const Result<std::string>& content) {
  if (!content) return call.responder->Send(ProblemResponse(content.error()));
  call.responder->Send({200, {{"content-type", type}}, *content});
}

bool Refused(RouteCall& call) {
  if (call.request.body.empty()) return false;
  call.responder->Send(ProblemResponse({Code::kInvalid, "a request for a part of the log has no body"}));
  return true;
}

}  // namespace

void HandleLogCheckpoint(RouteCall call) {
  if (!Refused(call)) Send(call, "text/plain; charset=utf-8", call.vault.LogCheckpoint());
}

void HandleLogTile(RouteCall call) {
  if (Refused(call)) return;
  const auto name = TileName::Parse(std::string_view(call.request.path).substr(kPrefix.size()));
  if (!name) return call.responder->Send(ProblemResponse(name.error()));
  Send(call, "application/octet-stream", call.vault.LogTile(*name));
}

}  // namespace grantfs

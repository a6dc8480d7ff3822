#pragma once

#include "grantfs/json/json.h"
#include "routes_internal.h"

namespace grantfs {

/// The body of a request; an empty one is {}. Errors: kInvalid.
Result<Json> ParseBody(const HttpRequest& request);

HttpResponse JsonResponse(const Json& json);

/// A stream of changes and beats.
void HandleWatch(RouteCall call);

/// The API's description.
void HandleDescription(RouteCall call);

/// The audit log as C2SP tlog-tiles has it: bytes, not JSON.
void HandleLogCheckpoint(RouteCall call);
void HandleLogTile(RouteCall call);

template <typename Request>
Result<Request> ReadBody(const HttpRequest& request) {
  return Request::FromJson(GRANTFS_TRY(ParseBody(request)));
}

template <typename Response>
HttpResponse Answer(const Result<Response>& result) {
  return result ? JsonResponse(result->ToJson()) : ProblemResponse(result.error());
}

/// Binds a route to a function of the vault: reads its request, calls it, writes its response. By the shape
/// of the function: without a request, answering at once, answering later.
template <auto kFunction, typename Type = decltype(kFunction)>
struct Bound;

template <auto kFunction, typename Response>
struct Bound<kFunction, Result<Response> (Vault::*)(const VaultCaller&) const> {
  static void Handle(RouteCall call) {
    const auto body = ReadBody<api::Nothing>(call.request);
    if (!body) return call.responder->Send(ProblemResponse(body.error()));
    call.responder->Send(Answer((call.vault.*kFunction)(call.caller)));
  }
};

template <auto kFunction, typename Request, typename Response>
struct Bound<kFunction, Result<Response> (Vault::*)(const VaultCaller&, const Request&) const> {
  static void Handle(RouteCall call) {
    const auto body = ReadBody<Request>(call.request);
    if (!body) return call.responder->Send(ProblemResponse(body.error()));
    call.responder->Send(Answer((call.vault.*kFunction)(call.caller, *body)));
  }
};

template <auto kFunction, typename Request, typename Response>
struct Bound<kFunction, Result<Response> (Vault::*)(const VaultCaller&, const Request&)> {
  static void Handle(RouteCall call) {
    const auto body = ReadBody<Request>(call.request);
    if (!body) return call.responder->Send(ProblemResponse(body.error()));
    call.responder->Send(Answer((call.vault.*kFunction)(call.caller, *body)));
  }
};

template <auto kFunction, typename Request, typename Response>
struct Bound<kFunction,
             void (Vault::*)(const VaultCaller&, const Request&, std::function<void(Result<Response>)>)> {
  static void Handle(RouteCall call) {
    const auto body = ReadBody<Request>(call.request);
    if (!body) return call.responder->Send(ProblemResponse(body.error()));
    const auto answer = [responder = call.responder](Result<Response> result) {
      responder->Send(Answer(result));
    };
    (call.vault.*kFunction)(call.caller, *body, answer);
  }
};

}  // namespace grantfs

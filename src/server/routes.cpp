#include <algorithm>
#include <iterator>

#include "endpoints_internal.h"
#include "grantfs/api/problem.h"
#include "grantfs/log/log.h"
#include "routes_internal.h"

namespace grantfs {
namespace {

constexpr SlowLane SlowLanes::*kLooksAtMuch = &SlowLanes::reads;

// clang-format off
constexpr Endpoint kEndpoints[] = {
    {&api::kClaimShow,       &Bound<&Vault::ShowClaim>::Handle},
    {&api::kClaimUse,        &Bound<&Vault::UseClaim>::Handle},
    {&api::kStatus,          &Bound<&Vault::ShowStatus>::Handle},
    {&api::kDescription,     &HandleDescription},
    {&api::kListsRead,       &Bound<&Vault::ReadList>::Handle},
    {&api::kListsTails,      &Bound<&Vault::ReadTails>::Handle, kLooksAtMuch},
    {&api::kListsAppend,     &Bound<&Vault::Append>::Handle, &SlowLanes::appends},
    {&api::kSecretsReserve,  &Bound<&Vault::ReserveSecrets>::Handle},
    {&api::kSecretsList,     &Bound<&Vault::ListSecrets>::Handle, kLooksAtMuch},
    {&api::kSecretsFind,     &Bound<&Vault::FindSecret>::Handle},
    {&api::kStageCiphertext, &Bound<&Vault::StageCiphertext>::Handle},
    {&api::kStageCopies,     &Bound<&Vault::StageCopies>::Handle},
    {&api::kStageEpoch,      &Bound<&Vault::StageEpoch>::Handle},
    {&api::kStageGroup,      &Bound<&Vault::StageGroup>::Handle},
    {&api::kGroupKeys,       &Bound<&Vault::GroupKeys>::Handle},
    {&api::kEpochCopies,     &Bound<&Vault::EpochCopies>::Handle},
    {&api::kSecretCopies,    &Bound<&Vault::SecretCopies>::Handle, kLooksAtMuch},
    {&api::kSecretValue,     &Bound<&Vault::ReadValue>::Handle},
    {&api::kEnrol,           &Bound<&Vault::Enrol>::Handle},
    {&api::kEnrolmentState,  &Bound<&Vault::EnrolmentState>::Handle},
    {&api::kEnrolmentsJoin,  &Bound<&Vault::Join>::Handle},
    {&api::kEnrolmentsList,  &Bound<&Vault::ListEnrolments>::Handle},
    {&api::kFreezesSet,      &Bound<&Vault::SetFreezes>::Handle},
    {&api::kFreezesLift,     &Bound<&Vault::LiftFreezes>::Handle},
    {&api::kFreezesList,     &Bound<&Vault::ListFreezes>::Handle},
    {&api::kFreezesFollowed, &Bound<&Vault::FreezeFollowed>::Handle, kLooksAtMuch},
    {&api::kCanariesSet,     &Bound<&Vault::SetCanary>::Handle},
    {&api::kCanariesList,    &Bound<&Vault::ListCanaries>::Handle},
    {&api::kTripwiresSet,    &Bound<&Vault::SetTripwire>::Handle},
    {&api::kTripwiresShow,   &Bound<&Vault::ShowTripwire>::Handle},
    {&api::kRequestsAsk,     &Bound<&Vault::AskRequest>::Handle},
    {&api::kRequestsList,    &Bound<&Vault::ListRequests>::Handle, kLooksAtMuch},
    {&api::kRequestsSettle,  &Bound<&Vault::SettleRequest>::Handle},
    {&api::kAlertsState,     &Bound<&Vault::AlertsState>::Handle},
    {&api::kAlertsTest,      &Bound<&Vault::TestAlert>::Handle},
    {&api::kTlsShow,         &Bound<&Vault::ShowTls>::Handle},
    {&api::kTlsNext,         &Bound<&Vault::MakeNextTls>::Handle},
    {&api::kTlsSwitch,       &Bound<&Vault::SwitchTls>::Handle},
    {&api::kMachineGrants,   &Bound<&Vault::MachineGrants>::Handle, kLooksAtMuch},
    {&api::kMachineRead,     &Bound<&Vault::MachineRead>::Handle},
    {&api::kMachineCheck,    &Bound<&Vault::MachineCheck>::Handle},
    {&api::kMachineRefusals, &Bound<&Vault::MachineRefused>::Handle},
    {&api::kMachineJournal,  &Bound<&Vault::MachineJournal>::Handle},
    {&api::kWatch,           &HandleWatch},
    {&api::kWatchAck,        &Bound<&Vault::Acknowledge>::Handle},
    {&api::kPresence,        &Bound<&Vault::Presence>::Handle},
    {&api::kAuditRecords,    &Bound<&Vault::AuditRecords>::Handle, kLooksAtMuch},
    {&api::kAuditSearch,     &Bound<&Vault::SearchAudit>::Handle, kLooksAtMuch},
    {&api::kAuditReaders,    &Bound<&Vault::AuditReaders>::Handle, kLooksAtMuch},
    {&api::kLogCheckpoint,   &HandleLogCheckpoint},
    {&api::kLogTile,         &HandleLogTile},
    {&api::kMachineRecords,  &Bound<&Vault::MachineRecords>::Handle, kLooksAtMuch},
    {&api::kLogComplaints,   &Bound<&Vault::ComplainOfLog>::Handle},
};
// clang-format on
static_assert(std::size(kEndpoints) == std::size(api::kRoutes));

/// Whether a caller is of the kind that a route is for. Roles are the vault's to judge.
bool Admits(api::Who who, const VaultCaller& caller) {
  const bool identity = caller.kind == VaultCaller::Kind::kIdentity;
  switch (who) {
    case api::Who::kClaim:
      return caller.kind == VaultCaller::Kind::kClaim;
    case api::Who::kInvite:
      return caller.kind == VaultCaller::Kind::kInvite;
    case api::Who::kIdentity:
      return identity;
    case api::Who::kReader:
      return identity || caller.kind == VaultCaller::Kind::kInvite;
    case api::Who::kMachine:
      return caller.IsMachine();
    case api::Who::kPerson:
    case api::Who::kMember:
    case api::Who::kVaultOwner:
      return caller.IsPerson();
  }
  std::abort();
}

/// A route that ends in a slash has everything below it.
bool IsAt(const api::Route& route, std::string_view path) {
  const std::string_view at = route.path;
  return at.ends_with('/') ? path.size() > at.size() && path.starts_with(at) : path == at;
}

/// Whoever carries requests goes on.
void HandleLater(const Endpoint& endpoint, const RouteCall& call) {
  struct Held {
    VaultCaller caller;
    HttpRequest request;
  };
  const auto work = [held = std::make_shared<const Held>(Held{call.caller, call.request}),
                     &vault = call.vault, responder = call.responder, handle = endpoint.handle,
                     &lanes = call.lanes] {
    handle({vault, held->caller, held->request, responder, lanes});
  };
  if (!(call.lanes.*endpoint.lane).Add(call.caller.id, work))
    call.responder->Send(ProblemResponse({Code::kThrottled, "too many requests wait: try again"}));
}

const Endpoint* Find(const HttpRequest& request) {
  const auto found =
      std::find_if(std::begin(kEndpoints), std::end(kEndpoints), [&](const Endpoint& endpoint) {
        return IsAt(*endpoint.route, request.path) && request.method == endpoint.route->method;
      });
  return found == std::end(kEndpoints) ? nullptr : found;
}

}  // namespace

HttpResponse ProblemResponse(const Error& error) {
  const api::Problem problem = api::ToProblem(error);
  const bool own =
      problem.code == api::ProblemCode::kInternal || problem.code == api::ProblemCode::kUnrecorded;
  if (own || error.code == Code::kNoSpace) Log(LogLevel::kError, "a request failed", error);
  return {api::ProblemStatus(problem.code), {{"content-type", api::kProblemType}}, problem.ToJson().Dump()};
}

void Dispatch(RouteCall call) {
  const Endpoint* endpoint = Find(call.request);
  if (endpoint == nullptr || !Admits(endpoint->route->who, call.caller)) {
    const Error nothing{Code::kNotFound, "there is no such thing, or it is not visible to this identity"};
    return call.responder->Send(ProblemResponse(nothing));
  }
  if (!call.request.query.empty())
    return call.responder->Send(ProblemResponse({Code::kInvalid, "a request has no query"}));
  endpoint->lane != nullptr ? HandleLater(*endpoint, call) : endpoint->handle(std::move(call));
}

}  // namespace grantfs

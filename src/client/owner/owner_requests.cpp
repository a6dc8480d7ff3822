// What is asked of an environment's owners, and what becomes of it.

#include <algorithm>

#include "grantfs/api/requests.h"
#include "owner_internal.h"
#include "request_words_internal.h"

namespace grantfs {
namespace {

/// Of one environment: more than people have asked for in its time.
constexpr std::size_t kMostRequests = 1'000'000;

}  // namespace

Result<SignedRequest> OwnerSessionImpl::SignRequest(const std::string& environment, AnyAsk ask,
                                                    const std::string& reason, std::int64_t time,
                                                    std::int64_t expires) {
  Request request;
  request.vault = home_.profile().vault;
  request.environment = environment;
  request.signer = me_.Id();
  request.time = time;
  request.expires = expires;
  request.reason = reason;
  request.vault_head = *keeper_->vault().head();
  request.environment_head = *keeper_->FindEnvironment(environment)->head();
  request.ask = std::move(ask);
  return SignedRequest::Sign(request, me_.signing_key());
}

Result<Hash> OwnerSessionImpl::SendRequest(const SignedRequest& request) {
  const auto answer = GRANTFS_TRY(
      vault_->Ask<api::RequestAskResponse>(api::kRequestsAsk, api::RequestAskRequest{request.envelope()}));
  if (answer.id == request.id()) return answer.id;
  return Error{Code::kIntegrity, "the vault keeps another request than was sent", 0, request.id().Hex()};
}

Result<SignedRequest> OwnerSessionImpl::SendNewRequest(
    const std::function<Result<SignedRequest>(std::int64_t time)>& make) {
  constexpr std::int64_t kMostLater = 3;  // the vault takes what is a little of the future
  const std::int64_t now = Now();
  for (std::int64_t time = now;; ++time) {
    auto request = GRANTFS_TRY(make(time));
    const auto sent = SendRequest(request);
    if (sent) return request;
    if (sent.error().code != Code::kConflict || time == now + kMostLater) return sent.error();
  }
}

Result<RequestInfo> OwnerSessionImpl::AskFor(const std::string& environment, AnyAsk ask,
                                             const std::string& reason, std::int64_t seconds) {
  if (seconds < 1 || seconds > kMaxRequestSeconds)
    return Error{Code::kInvalid, "a request holds for 1s to 30d", 0, environment};
  GRANTFS_CHECK(Enter(environment, Operation::kAsk));
  return RequestInfoOf(GRANTFS_TRY(SendNewRequest(
      [&](std::int64_t time) { return SignRequest(environment, ask, reason, time, time + seconds); })));
}

RequestInfo OwnerSessionImpl::RequestInfoOf(const SignedRequest& signed_request) const {
  const Request& request = signed_request.request();
  const EnvironmentList& environment = *keeper_->FindEnvironment(request.environment);
  RequestInfo info;
  info.id = signed_request.id().Hex();
  info.environment = request.environment;
  const Identity* asker = environment.FindIdentity(request.signer);
  info.asker = asker != nullptr ? asker->name : request.signer.Hex();
  info.asker_id = request.signer.Hex();
  info.time = request.time;
  info.expires = request.expires;
  info.reason = request.reason;
  info.ask = request.ask;
  info.what = AskSentence(request.environment, request.ask);
  if (const Status counts = signed_request.Check(keeper_->vault(), environment, Now()); !counts)
    info.problem = counts.error().where;
  return info;
}

Result<std::vector<RequestInfo>> OwnerSessionImpl::RequestsIn(const std::string& environment, bool mine,
                                                              bool all) {
  std::vector<RequestInfo> infos;
  api::RequestsListRequest ask;
  ask.environment = environment;
  ask.mine = mine;
  ask.all = all;
  for (;;) {
    const auto page = GRANTFS_TRY(vault_->Ask<api::RequestsListResponse>(api::kRequestsList, ask));
    for (const auto& entry : page.requests) {
      if (ask.before && entry.number >= *ask.before)
        return Error{Code::kIntegrity, "the vault lists requests out of order", 0, environment};
      ask.before = entry.number;
      const auto request = GRANTFS_TRY(SignedRequest::Parse(entry.request));
      if (request.request().environment != environment || (mine && request.request().signer != me_.Id()))
        return Error{Code::kIntegrity, "the vault lists a request that does not belong there", 0,
                     request.id().Hex()};
      RequestInfo info = RequestInfoOf(request);
      info.state = entry.state;
      info.settled = entry.changed;
      info.settled_by = entry.by;
      info.settled_reason = entry.reason;
      infos.push_back(std::move(info));
    }
    if (!page.more || page.requests.empty()) break;
    if (infos.size() > kMostRequests)
      return Error{Code::kIntegrity, "the vault lists more requests than there can be", 0, environment};
  }
  NameWaiting(infos);
  return infos;
}

void OwnerSessionImpl::NameWaiting(std::vector<RequestInfo>& infos) {
  for (const RequestInfo& one : infos) {
    const auto* consent = std::get_if<AskConsent>(&one.ask);
    if (consent == nullptr || !consent->request || one.state != RequestState::kOpen || !one.problem.empty())
      continue;
    for (RequestInfo& other : infos) {
      if (other.id == consent->request->Hex() && other.state == RequestState::kOpen) other.waits_as = one.id;
    }
  }
}

Result<std::vector<RequestInfo>> OwnerSessionImpl::ListRequests(const RequestQueryOptions& options) {
  GRANTFS_CHECK(keeper_->RefreshVault());
  const Operation needed = options.mine ? Operation::kAsk : Operation::kGrant;
  std::vector<std::string> environments;
  if (!options.environment.empty()) {
    GRANTFS_CHECK(Enter(options.environment, needed));
    environments.push_back(options.environment);
  } else {
    environments = GRANTFS_TRY(EnvironmentsWith(needed));
  }
  std::vector<RequestInfo> infos;
  for (const std::string& environment : environments) {
    for (RequestInfo& info : GRANTFS_TRY(RequestsIn(environment, options.mine, options.all)))
      infos.push_back(std::move(info));
  }
  return infos;
}

Status OwnerSessionImpl::AddOpenRequests(const std::string& environment, VaultStatusInfo& info) {
  for (const RequestInfo& one : GRANTFS_TRY(RequestsIn(environment, false, false))) {
    const bool mine = std::holds_alternative<AskConsent>(one.ask) && one.asker_id == me_.Id().Hex();
    if (one.problem.empty() && one.waits_as.empty() && !mine)
      info.requests.push_back({one.id, environment, one.asker, one.what});
  }
  return {};
}

// By its id, or the first digits of it.
Result<RequestInfo> OwnerSessionImpl::FindRequest(const std::string& id, bool mine) {
  const bool digits = id.size() >= 6 && id.size() <= 64 && std::all_of(id.begin(), id.end(), [](char c) {
                        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
                      });
  if (!digits)
    return Error{Code::kInvalid, "a request is named by its id, or its first 6 digits or more", 0, id};
  std::vector<RequestInfo> found;
  for (RequestInfo& info : GRANTFS_TRY(ListRequests({.environment = {}, .mine = mine, .all = true}))) {
    if (info.id.starts_with(id)) found.push_back(std::move(info));
  }
  if (found.size() == 1) return std::move(found.front());
  if (!found.empty()) return Error{Code::kInvalid, "several requests begin so: give more of its id", 0, id};
  return Error{Code::kNotFound, "there is no such request: grantfs request list shows those that there are",
               0, id};
}

Result<RequestInfo> OwnerSessionImpl::RefuseRequest(const std::string& id, const std::string& reason) {
  return Settle(GRANTFS_TRY(FindRequest(id, false)), RequestState::kRefused, reason);
}

Result<RequestInfo> OwnerSessionImpl::WithdrawRequest(const std::string& id, const std::string& reason) {
  return Settle(GRANTFS_TRY(FindRequest(id, true)), RequestState::kWithdrawn, reason);
}

Result<RequestInfo> OwnerSessionImpl::Settle(RequestInfo info, RequestState state,
                                             const std::string& reason) {
  const api::RequestSettleRequest settle{GRANTFS_TRY(Hash::FromHex(info.id)), state, reason};
  GRANTFS_TRY(vault_->Ask<api::Nothing>(api::kRequestsSettle, settle));
  info.state = state;
  info.settled = Now();
  info.settled_by = home_.profile().name;
  info.settled_reason = reason;
  return info;
}

}  // namespace grantfs

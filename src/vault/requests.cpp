#include "grantfs/api/requests.h"

#include "core_internal.h"
#include "records_internal.h"

// What somebody asks an environment's owners for, kept for them. The vault judges it as they do, so that what
// could not be acted on does not lie before them; they take its word for nothing.

namespace grantfs {
namespace {

constexpr char kRefusedType[] = "request.refused", kWithdrawnType[] = "request.withdrawn";
/// What ended so long ago is forgotten; the audit log has it.
constexpr std::int64_t kKeptSeconds = 90LL * 86400;
/// Of one identity in one environment: whoever asks and withdraws, or asks for a second, must not fill the disk.
constexpr std::size_t kKeptRequests = 100, kKeptConsents = 1000;

bool IsConsent(const SignedRequest& request) {
  return std::holds_alternative<AskConsent>(request.request().ask);
}

std::string ObjectOf(const SignedRequest& request) {
  const std::string& environment = request.request().environment;
  const AnyAsk& ask = request.request().ask;
  const std::vector<std::string>* paths = nullptr;
  if (const auto* grant = std::get_if<AskGrant>(&ask)) paths = &grant->paths;
  if (const auto* revoke = std::get_if<AskRevoke>(&ask)) paths = &revoke->paths;
  if (const auto* rotation = std::get_if<AskRotation>(&ask)) return environment + "/" + rotation->path;
  return paths != nullptr && paths->size() == 1 ? environment + "/" + paths->front() : environment;
}

std::string AboutOf(const AnyAsk& ask) {
  if (const auto* grant = std::get_if<AskGrant>(&ask)) return grant->machine;
  if (const auto* revoke = std::get_if<AskRevoke>(&ask)) return revoke->machine;
  if (const auto* member = std::get_if<AskMember>(&ask)) return member->member.name;
  return {};
}

AuditRecord RecordOf(const Clock& clock, const VaultCaller& caller, const char* type,
                     const SignedRequest& request, const std::string& reason) {
  AuditRecord record =
      MakeRecord(clock, caller, type, request.request().environment, ObjectOf(request), kDone);
  record.severity = AuditSeverity::kNotice;
  const std::string about = AboutOf(request.request().ask);
  if (!about.empty()) record.body.Set("about", about);
  record.body.Set("asked", AskName(request.request().ask));
  if (!reason.empty()) record.body.Set("reason", reason);
  record.body.Set("request", request.id().Hex());
  return record;
}

Operation OperationOf(const SignedRequest& request) {
  return IsConsent(request) ? Operation::kGrant : Operation::kAsk;
}

Status CheckAsk(const VaultState& now, const VaultCaller& caller, const SignedRequest& request,
                std::int64_t time) {
  GRANTFS_CHECK(now.CheckMember(caller, request.request().environment, OperationOf(request)));
  if (request.request().signer != caller.id)
    return Error{Code::kDenied, "one asks only by what one has signed oneself"};
  return request.Check(*now.vault, *now.FindEnvironment(request.request().environment), time);
}

Status WriteAsk(const Vault::Core& core, StoreWriter& writer, const VaultCaller& caller,
                const SignedRequest& request) {
  const std::int64_t now = core.Now();
  const Request& asked = request.request();
  GRANTFS_CHECK(CheckAsk(*core.state.Get(), caller, request, now));
  if (const auto found = GRANTFS_TRY(writer.FindRequest(request.id()))) {
    if (found->state == RequestState::kOpen) return {};
    return Error{Code::kConflict, "the request was made before, and is settled", 0, request.id().Hex()};
  }
  const auto open = GRANTFS_TRY(writer.CountOpenRequests(caller.id, asked.environment, now));
  if (open >= (IsConsent(request) ? api::kMaxOpenConsents : api::kMaxOpenRequests))
    return Error{Code::kConflict,
                 "too many of your requests are open in this environment: withdraw one, or let its owners "
                 "settle some",
                 0, asked.environment};
  GRANTFS_CHECK(writer.DropRequests(now - kKeptSeconds));
  const bool consent = IsConsent(request);
  GRANTFS_CHECK(writer.DropRequestsOf(caller.id, asked.environment, consent,
                                      consent ? kKeptConsents : kKeptRequests, now));
  StoredRequest row;
  row.id = request.id();
  row.environment = asked.environment;
  row.signer = caller.id;
  row.type = AskName(asked.ask);
  if (const auto* rotation = std::get_if<AskRotation>(&asked.ask)) row.subject = rotation->path;
  row.envelope = request.envelope();
  row.received = now;
  row.expires = asked.expires;
  GRANTFS_CHECK(writer.AddRequest(row));
  GRANTFS_TRY(writer.Audit(RecordOf(core.clock(), caller, "request.asked", request, asked.reason)));
  return {};
}

// Who may not even see it learns nothing of it.
Status WriteSettled(const Vault::Core& core, StoreWriter& writer, const VaultCaller& caller,
                    const api::RequestSettleRequest& settle) {
  const StatePtr now = core.state.Get();
  const auto found = GRANTFS_TRY(writer.FindRequest(settle.id));
  if (!found) return NotVisible(settle.id.Hex());
  const bool own = found->signer == caller.id;
  const bool withdrawn = settle.state == RequestState::kWithdrawn;
  const Status owns = now->CheckMember(caller, found->environment, Operation::kGrant);
  if (!owns && !own) return owns.error().code == Code::kDenied ? RoleMissing(found->environment) : owns;
  if (!now->RoleOf(caller.id, found->environment)) return NotVisible(settle.id.Hex());
  if (withdrawn ? !own : !owns) return RoleMissing(found->environment);
  const auto request = GRANTFS_TRY(SignedRequest::Parse(found->envelope));
  GRANTFS_CHECK(writer.SettleRequest(settle.id, settle.state, caller.name, settle.reason, core.Now()));
  GRANTFS_TRY(writer.Audit(
      RecordOf(core.clock(), caller, withdrawn ? kWithdrawnType : kRefusedType, request, settle.reason)));
  return {};
}

}  // namespace

void Vault::AskRequest(const VaultCaller& caller, const api::RequestAskRequest& ask,
                       Done<api::RequestAskResponse> done) {
  auto parsed = SignedRequest::Parse(ask.request);
  if (!parsed) return done(parsed.error());
  const auto request = std::make_shared<const SignedRequest>(std::move(*parsed));
  if (const Status may = CheckAsk(*core_->state.Get(), caller, *request, core_->Now()); !may)
    return done(may.error());
  core_->store.Write([core = core_.get(), caller,
                      request](StoreWriter& writer) { return WriteAsk(*core, writer, caller, *request); },
                     [request, done = std::move(done)](Status status) {
                       if (!status) return done(status.error());
                       done(api::RequestAskResponse{request->id()});
                     });
}

Result<api::RequestsListResponse> Vault::ListRequests(const VaultCaller& caller,
                                                      const api::RequestsListRequest& request) const {
  const StatePtr now = core_->state.Get();
  GRANTFS_CHECK(
      now->CheckMember(caller, request.environment, request.mine ? Operation::kAsk : Operation::kGrant));
  RequestQuery query;
  query.environment = request.environment;
  if (request.mine) query.signer = caller.id;
  query.all = request.all;
  query.now = core_->Now();
  query.before = request.before;
  query.limit = request.limit + 1;
  const auto reader = GRANTFS_TRY(core_->store.Read());
  api::RequestsListResponse response;
  std::size_t bytes = 0;
  for (const StoredRequest& row : GRANTFS_TRY(reader->ListRequests(query))) {
    response.more = response.requests.size() == request.limit || bytes > api::kStatementBytes;
    if (response.more) break;
    bytes += row.envelope.size();
    response.requests.push_back(
        {row.number, row.envelope, row.received, row.state, row.changed, row.by, row.reason});
  }
  return response;
}

void Vault::SettleRequest(const VaultCaller& caller, const api::RequestSettleRequest& settle,
                          Done<api::Nothing> done) {
  // Who may not see it does not make all writing wait; judged again where it is written.
  const auto visible = [&]() -> Status {
    const auto reader = GRANTFS_TRY(core_->store.Read());
    const auto found = GRANTFS_TRY(reader->FindRequest(settle.id));
    const bool member = found && core_->state.Get()->RoleOf(caller.id, found->environment).has_value();
    return member ? Status() : Status(NotVisible(settle.id.Hex()));
  }();
  if (!visible) return done(visible.error());
  core_->store.Write([core = core_.get(), caller,
                      settle](StoreWriter& writer) { return WriteSettled(*core, writer, caller, settle); },
                     [done = std::move(done)](Status status) {
                       if (!status) return done(status.error());
                       done(api::Nothing{});
                     });
}

}  // namespace grantfs

// Requests that an append fulfils: in its transaction, so that none is fulfilled twice.

#include <algorithm>
#include <map>
#include <set>

#include "append_plan_internal.h"
#include "grantfs/trust/request.h"
#include "records_internal.h"

namespace grantfs {
namespace {

struct Settling {
  StoreWriter& writer;
  const AppendPlan& plan;
  const VaultCaller& caller;
  const Clock& clock;
};

Error Gone(const Hash& id) {
  return {Code::kConflict,
          "the request is not open any more: it was fulfilled, refused or withdrawn, or has expired", 0,
          id.Hex()};
}

/// The statements of the plan that name the request, which must be of its environment.
Result<std::vector<const SignedStatement*>> ActsFor(const AppendPlan& plan, const StoredRequest& request) {
  std::vector<const SignedStatement*> acts;
  for (const auto& one : plan.appended()) {
    if (one.statement->statement().request != request.id) continue;
    if (one.environment != request.environment)
      return Error{Code::kInvalid, "the request that the statement names is for another environment", 0,
                   request.id.Hex()};
    acts.push_back(one.statement.get());
  }
  return acts;
}

Status Record(const Settling& settling, const StoredRequest& request,
              const std::vector<const SignedStatement*>& acts) {
  const std::string object =
      request.subject.empty() ? request.environment : request.environment + "/" + request.subject;
  AuditRecord record =
      MakeRecord(settling.clock, settling.caller, "request.fulfilled", request.environment, object, kDone);
  record.severity = AuditSeverity::kNotice;
  record.body.Set("asked", request.type).Set("request", request.id.Hex());
  Json statements = Json::Array();
  // A body is small: of many the first ones, which name the request as all do.
  for (std::size_t i = 0; i < std::min<std::size_t>(acts.size(), 10); ++i)
    statements.Append(acts[i]->hash().Hex());
  record.body.Set("statements", std::move(statements));
  GRANTFS_TRY(settling.writer.Audit(record));
  return {};
}

Status Fulfil(const Settling& settling, const StoredRequest& request,
              const std::vector<const SignedStatement*>& acts) {
  const std::int64_t now = settling.clock.WallSeconds();
  if (request.state != RequestState::kOpen || request.expires <= now) return Gone(request.id);
  GRANTFS_CHECK(
      settling.writer.SettleRequest(request.id, RequestState::kFulfilled, settling.caller.name, "", now));
  return Record(settling, request, acts);
}

// What an owner decides is fulfilled by an owner; a new value by whoever may set it.
Status FulfilNamed(const Settling& settling, const Hash& id) {
  const auto found = GRANTFS_TRY(settling.writer.FindRequest(id));
  if (!found) return Gone(id);
  const auto acts = GRANTFS_TRY(ActsFor(settling.plan, *found));
  const VaultState& after = *settling.plan.after();
  const auto request = GRANTFS_TRY(SignedRequest::Parse(found->envelope));
  const EnvironmentList* environment = after.FindEnvironment(found->environment);
  if (environment == nullptr) return Gone(id);
  const auto* consent = std::get_if<AskConsent>(&request.request().ask);
  const auto* rotation = std::get_if<AskRotation>(&request.request().ask);
  if (rotation == nullptr && after.RoleOf(settling.caller.id, found->environment) != Role::kOwner)
    return RoleMissing(found->environment);
  if (const Status counts = request.Check(*after.vault, *environment, settling.clock.WallSeconds()); !counts)
    return counts.error().code == Code::kExpired ? Gone(id) : counts;
  GRANTFS_CHECK(Fulfil(settling, *found, acts));
  if (consent == nullptr || !consent->request) return {};
  // Two owners' answer to somebody's request: that one is fulfilled too, if it is there still.
  const auto asked = GRANTFS_TRY(settling.writer.FindRequest(*consent->request));
  if (!asked || asked->environment != found->environment || asked->state != RequestState::kOpen) return {};
  GRANTFS_CHECK(settling.writer.SettleRequest(asked->id, RequestState::kFulfilled, settling.caller.name, "",
                                              settling.clock.WallSeconds()));
  return Record(settling, *asked, acts);
}

// A second signature is used while the request that brought it is open: so it can be taken back.
Status CheckConsents(const Settling& settling) {
  for (const auto& one : settling.plan.appended()) {
    const Statement& statement = one.statement->statement();
    if (!statement.consent) continue;
    const auto found = statement.request ? GRANTFS_TRY(settling.writer.FindRequest(*statement.request))
                                         : std::optional<StoredRequest>();
    if (!found || found->type != AskName(AnyAsk(AskConsent{})) || found->signer != statement.consent->signer)
      return Error{Code::kConflict, "the second signature is of no request that waits for one", 0,
                   statement.list.Text()};
    if (statement.consent->expires <= settling.clock.WallSeconds()) return Gone(found->id);
  }
  return {};
}

/// By environment, the paths that have a newer current value than before.
std::map<std::string, std::set<std::string>> Rotated(const AppendPlan& plan) {
  std::map<std::string, std::set<std::string>> paths;
  for (const auto& [number, touched] : plan.secrets()) {
    const auto* after = touched.after->Current();
    const auto* before = touched.before != nullptr ? touched.before->Current() : nullptr;
    if (before == nullptr || after == nullptr || after->publish.version <= before->publish.version) continue;
    paths[touched.environment].insert(touched.after->state().path);
  }
  return paths;
}

/// What asked for one of these values has it.
Status FulfilRotations(const Settling& settling, const std::string& environment,
                       const std::set<std::string>& paths) {
  const std::int64_t now = settling.clock.WallSeconds();
  for (const auto& [path, id] : GRANTFS_TRY(settling.writer.OpenRotations(environment, now))) {
    const auto found =
        paths.contains(path) ? GRANTFS_TRY(settling.writer.FindRequest(id)) : std::optional<StoredRequest>();
    if (!found) continue;
    std::vector<const SignedStatement*> acts;
    for (const auto& one : settling.plan.appended()) {
      if (one.environment == environment && one.path == path) acts.push_back(one.statement.get());
    }
    GRANTFS_CHECK(Fulfil(settling, *found, acts));
  }
  return {};
}

}  // namespace

Status WriteRequests(StoreWriter& writer, const AppendPlan& plan, const VaultCaller& caller,
                     const Clock& clock) {
  const Settling settling{writer, plan, caller, clock};
  GRANTFS_CHECK(CheckConsents(settling));
  std::set<Hash> named;
  for (const auto& one : plan.appended()) {
    if (one.statement->statement().request) named.insert(*one.statement->statement().request);
  }
  for (const Hash& id : named) GRANTFS_CHECK(FulfilNamed(settling, id));
  for (const auto& [environment, paths] : Rotated(plan))
    GRANTFS_CHECK(FulfilRotations(settling, environment, paths));
  return {};
}

Status AppendPlan::CheckGroupsByTwo(const std::string& environment) const {
  for (const auto& [key, list] : after_->groups) {
    if (key.first != environment) continue;
    const auto lacking = list->FindSignedByOne(*after_->machines, *after_->vault, core_.Now());
    if (lacking.empty()) continue;
    return Error{
        Code::kConflict,
        "what stands in a group has one owner's signature: all is signed by two before the rule is turned on",
        0,
        (lacking.machines.empty() ? lacking.invitations.front().id : lacking.machines.front().name) +
            " in @" + list->name() + " of " + environment};
  }
  return {};
}

Status AppendPlan::CheckRules(StoreReader& reader) {
  for (const Appended& one : appended_) {
    const auto* rules = std::get_if<RulesSet>(&one.statement->statement().act);
    if (rules == nullptr || !rules->two_owners) continue;
    GRANTFS_CHECK(CheckGroupsByTwo(one.environment));
    for (const auto& [key, standing] : after_->FindEnvironment(one.environment)->groups().prefixes()) {
      if (!standing.by_two)
        return Error{Code::kConflict,
                     "a standing grant by prefix has one owner's signature: all are signed by two before the "
                     "rule is turned on",
                     0, one.environment + "/" + key.first};
    }
    const auto check = [&](const SecretList& list) -> Status {
      if (list.state().deleted) return {};  // back again, they are not in force until two have signed them
      for (const auto& [key, standing] : list.grants()) {
        if (standing.statement->statement().consent) continue;
        return Error{Code::kConflict,
                     "a standing grant has one owner's signature: all are signed by two before the rule is "
                     "turned on",
                     0, one.environment + "/" + list.state().path + " to " + standing.grant.grantee.name};
      }
      return {};
    };
    for (const auto& [number, touched] : secrets_) {
      if (touched.environment == one.environment) GRANTFS_CHECK(check(*touched.after));
    }
    std::string after;
    for (;;) {
      constexpr std::size_t kPage = 1000;
      const auto page = GRANTFS_TRY(reader.ListSecrets(one.environment, after, kPage));
      for (const StoredSecret& secret : page) {
        if (secrets_.contains(secret.number) || secret.destroyed) continue;
        if (GRANTFS_TRY(reader.GrantsOfSecret(secret.number)).empty()) continue;
        GRANTFS_CHECK(check(*GRANTFS_TRY(core_.LoadSecret(reader, secret))));
      }
      if (page.size() < kPage) break;
      after = page.back().path;
    }
  }
  return {};
}

}  // namespace grantfs

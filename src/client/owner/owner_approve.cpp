// An approval: the owner's own act, made from what was signed by who asked.

#include "grantfs/crypto/random.h"
#include "grantfs/crypto/secret.h"
#include "owner_internal.h"

namespace grantfs {
namespace {

std::vector<SecretName> SecretsNamed(const std::string& environment, const std::vector<std::string>& paths) {
  std::vector<SecretName> names;
  for (const std::string& path : paths) names.push_back({environment, path});
  return names;
}

std::string Versions(std::size_t count) {
  return std::to_string(count) + " version" + (count == 1 ? "" : "s");
}

}  // namespace

Result<ApproveResult> OwnerSessionImpl::ApproveRequest(const std::string& id, const ApproveOptions& options) {
  ApproveResult result;
  result.request = GRANTFS_TRY(FindRequest(id, false));
  const RequestInfo& request = result.request;
  if (request.state != RequestState::kOpen)
    return Error{Code::kConflict, "the request is settled already", 0, request.id};
  if (!request.problem.empty())
    return Error{Code::kDenied, "it cannot be acted on any more", 0,
                 request.id + " (" + request.problem + ")"};
  if (!request.waits_as.empty() && !options.dry_run)
    return Error{Code::kConflict, "one owner has approved it: the other approves what he left (see the id)",
                 0, request.waits_as};
  answers_ = GRANTFS_TRY(Hash::FromHex(request.id));
  approval_reason_ = options.reason.empty() ? request.reason : options.reason;
  const Status done = std::visit([&](const auto& ask) { return Approve(ask, options, result); }, request.ask);
  answers_.reset();
  approval_reason_.clear();
  if (!done) return done.error();
  return result;
}

Status OwnerSessionImpl::Approve(const AskGrant& ask, const ApproveOptions& options, ApproveResult& result) {
  GrantOptions grant;
  grant.terms = ask.terms;
  grant.reason = approval_reason_;
  grant.dry_run = options.dry_run;
  grant.wait = options.wait;
  const auto granted =
      GRANTFS_TRY(GrantTo(ask.machine, SecretsNamed(result.request.environment, ask.paths), grant));
  for (const GrantOutcome& one : granted.secrets)
    result.lines.push_back("grant " + one.secret.Full() + " to " + granted.machine + " (" +
                           granted.fingerprint + ", " + Versions(one.versions) +
                           (one.replaced ? ", replaces its grant" : "") + ")" +
                           (one.needs_second ? ", which another owner signs too" : ""));
  result.waiting = granted.waiting;
  result.machine = granted.machine;
  result.delivery = granted.delivery;
  return {};
}

Status OwnerSessionImpl::Approve(const AskRevoke& ask, const ApproveOptions& options, ApproveResult& result) {
  const auto names = SecretsNamed(result.request.environment, ask.paths);
  for (const SecretName& name : names)
    result.lines.push_back("revoke " + name.Full() + " from " + ask.machine);
  result.machine = ask.machine;
  if (!options.dry_run)
    result.delivery = GRANTFS_TRY(RevokeFrom(ask.machine, names, approval_reason_, options.wait)).delivery;
  return {};
}

Status OwnerSessionImpl::Approve(const AskMember& ask, const ApproveOptions& options, ApproveResult& result) {
  const Identity known = GRANTFS_TRY(FindPerson(ask.member.Id().Hex()));
  if (known != ask.member)
    return Error{Code::kIntegrity, "is none whom the vault's list knows with these keys", 0, ask.member.name};
  const std::string& environment = result.request.environment;
  result.lines.push_back("make " + known.name + " (" + known.Fingerprint() + ") " + RoleName(ask.role) +
                         " of " + environment + (ask.prefix.empty() ? "" : ", below " + ask.prefix));
  if (options.dry_run) return {};
  result.waiting = GRANTFS_TRY(AddMember(environment, known, ask.role, ask.prefix, approval_reason_));
  return {};
}

Status OwnerSessionImpl::Approve(const AskRotation& ask, const ApproveOptions& options,
                                 ApproveResult& result) {
  const SecretName name{result.request.environment, ask.path};
  if (ask.length == 0)
    return Error{Code::kInvalid, "a new value is set by grantfs secret set, which fulfils the request", 0,
                 name.Full()};
  GRANTFS_TRY(FetchSecret(name));  // it is there: an approval makes no new one
  const std::string_view letters = AlphabetNamed(ask.alphabet.empty() ? "letters" : ask.alphabet);
  if (letters.empty())
    return Error{Code::kUnsupported, "the request names letters unknown to this build", 0, ask.alphabet};
  const SecretValue value(GRANTFS_TRY(RandomText(letters, ask.length)));
  SetSecretOptions set;
  set.reason = approval_reason_;
  set.dry_run = options.dry_run;
  const auto made = GRANTFS_TRY(SetSecret(name, value, set));
  result.lines.push_back("set " + name.Full() + " to " + std::to_string(ask.length) +
                         " generated characters (version " + std::to_string(made.version) + ", for " +
                         std::to_string(made.sealed_to) + " machine" + (made.sealed_to == 1 ? "" : "s") +
                         ")");
  return {};
}

}  // namespace grantfs

#include <set>

#include "grantfs/trust/names.h"
#include "owner_internal.h"

// Many machines at once: standing invitations, requests that come without one, and what ends by itself.

namespace grantfs {

Status CheckLifetime(std::int64_t lives, const std::string& name) {
  if (lives >= 0 && lives <= kMaxLifeSeconds) return {};
  return Error{Code::kInvalid, "a machine lives for ten years at most, or for ever", 0, name};
}

Result<std::vector<SignedList::StatementPtr>> OwnerSessionImpl::Tidy(MachinesList& machines) {
  std::vector<StatementPtr> made;
  const std::int64_t now = Now();
  std::vector<Act> acts;
  for (const auto& [id, entry] : machines.standing()) {
    if (!entry.withdrawn && entry.invitation.expires <= now) acts.push_back(InvitationWithdraw{id});
  }
  for (const auto& [number, machine] : machines.machines()) {
    if (!machine.removed && machine.HasEnded(now)) acts.push_back(MachineRemove{machine.identity.Id()});
  }
  if (acts.size() > kTidiedAtOnce) acts.resize(kTidiedAtOnce);
  for (Act& act : acts)
    made.push_back(
        GRANTFS_TRY(Next(machines, {&keeper_->vault(), nullptr}, std::move(act), "ended by itself")));
  return made;
}

std::vector<std::string> OwnerSessionImpl::LetInBy(const MachinesList& machines,
                                                   const std::string& standing) const {
  std::vector<std::string> names;
  for (const auto& [number, machine] : machines.machines()) {
    if (machine.standing == standing && !machine.removed && !machine.HasEnded(Now()))
      names.push_back(machine.identity.name);
  }
  return names;
}

Result<InviteResult> OwnerSessionImpl::InviteStanding(const StandingOptions& options) {
  GRANTFS_CHECK(CheckNamePattern(options.pattern));
  GRANTFS_CHECK(CheckLifetime(options.lives, options.pattern));
  if (options.ttl < kMinInvitationSeconds || options.ttl > kMaxInvitationSeconds)
    return Error{Code::kInvalid, "an invitation holds for 1s to 30d", 0, options.pattern};
  if (options.uses < 1 || options.uses > kMaxStandingUses)
    return Error{Code::kInvalid, "a standing invitation is used 1 to 10000 times", 0, options.pattern};
  const auto secret = GRANTFS_TRY(InviteSecret::Generate());
  StandingInvitation invitation;
  invitation.id = secret.id();
  invitation.pattern = options.pattern;
  invitation.uses = options.uses;
  invitation.sign = secret.signing_key().verify_key();
  invitation.seal = secret.unseal_key().seal_key();
  invitation.lives = options.lives;
  const Status invited = Retry([&]() -> Status {
    GRANTFS_CHECK(RequireVaultOwner());
    GRANTFS_CHECK(keeper_->RefreshMachines());
    invitation.expires = Now() + options.ttl;
    MachinesList machines = keeper_->machines();
    auto made = GRANTFS_TRY(Tidy(machines));
    made.push_back(
        GRANTFS_TRY(Next(machines, {&keeper_->vault(), nullptr}, InvitationStand{invitation}, {})));
    GRANTFS_TRY(Submit({{ListId::Machines(), std::move(made), {}}}));
    return {};
  });
  GRANTFS_CHECK(invited);
  auto line = GRANTFS_TRY(InviteLineOf(secret, IdentityKind::kMachine, options.pattern, true));
  return InviteResult{std::move(line), invitation.id, invitation.expires};
}

// ---- requests

namespace {

Status JudgeRequest(const EnrolmentRequest& request, const MachinesList& machines, const VaultList& vault,
                    std::int64_t now) {
  const Identity& who = request.identity;
  if (const auto* known = machines.FindById(who.Id())) {
    const char* where =
        known->removed
            ? "this key was removed from the vault, and never returns: make a request there with a new home"
            : "this request was let in already; grantfs identity show --line NAME prints its line once more";
    return Error{Code::kConflict, where, 0, who.name};
  }
  if (request.expires <= now)
    return Error{Code::kExpired,
                 "the request has expired: make a new one there with grantfs enroll --request", 0, who.name};
  return CheckNameFree(machines, vault, who.name);
}

}  // namespace

Result<std::vector<Status>> OwnerSessionImpl::JudgeRequests(const std::vector<EnrolmentRequest>& requests) {
  GRANTFS_CHECK(RequireVaultOwner());
  GRANTFS_CHECK(keeper_->RefreshMachines());
  MachinesList machines = keeper_->machines();
  GRANTFS_TRY(Tidy(machines));  // by then those names are free
  std::vector<Status> verdicts;
  std::set<Hash> ids;
  std::set<std::string> names;
  for (const EnrolmentRequest& request : requests) {
    const Identity& who = request.identity;
    Status verdict = JudgeRequest(request, machines, keeper_->vault(), Now());
    if (!ids.insert(who.Id()).second)
      verdict = Error{Code::kConflict, "the same request stands there twice", 0, who.name};
    else if (!names.insert(who.name).second)
      verdict =
          Error{Code::kConflict, "another request has the same name: give one of them another", 0, who.name};
    verdicts.push_back(std::move(verdict));
  }
  return verdicts;
}

Result<std::vector<PendingEnrolment>> OwnerSessionImpl::CheckRequests(
    const std::vector<EnrolmentRequest>& requests) {
  const auto verdicts = GRANTFS_TRY(JudgeRequests(requests));
  std::vector<PendingEnrolment> all;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    const Identity& who = requests[i].identity;
    all.push_back({who.name, who.kind, who.Id().Hex(), who.Fingerprint(), {}});
    if (!verdicts[i]) all.back().problem = Describe(verdicts[i].error());
  }
  return all;
}

AcceptLine OwnerSessionImpl::LineFor(const Hash& identity) const {
  const VaultList& vault = keeper_->vault();
  return {home_.profile().vault, home_.profile().address.Text(), vault.pins().front(), *vault.head(),
          identity};
}

Result<std::vector<AdmittedMachine>> OwnerSessionImpl::AdmitSome(std::span<const EnrolmentRequest> requests,
                                                                 std::int64_t lives,
                                                                 const std::string& reason) {
  MachinesList machines = keeper_->machines();
  auto made = GRANTFS_TRY(Tidy(machines));
  for (const EnrolmentRequest& request : requests) {
    const MachineAdmit admit{request, EndOfLife(Now(), lives)};
    made.push_back(GRANTFS_TRY(Next(machines, {&keeper_->vault(), nullptr}, admit, reason)));
  }
  GRANTFS_TRY(Submit({{ListId::Machines(), std::move(made), {}}}));
  std::vector<AdmittedMachine> admitted;
  for (const EnrolmentRequest& request : requests) {
    const Hash id = request.identity.Id();
    admitted.push_back({InfoOf(*machines.FindById(id)), EncodeAcceptLine(LineFor(id))});
  }
  return admitted;
}

Result<AdmitResult> OwnerSessionImpl::Admit(const std::vector<EnrolmentRequest>& requests, std::int64_t lives,
                                            const std::string& reason) {
  GRANTFS_CHECK(CheckLifetime(lives, "--lives"));
  AdmitResult result;
  while (result.machines.size() < requests.size()) {
    const std::size_t begun = result.machines.size();
    const std::vector<EnrolmentRequest> rest(requests.begin() + static_cast<std::ptrdiff_t>(begun),
                                             requests.end());
    auto some = Retry([&]() -> Result<std::vector<AdmittedMachine>> {
      for (const Status& verdict : GRANTFS_TRY(JudgeRequests(rest)))
        if (!verdict) return Settled(verdict.error());
      return AdmitSome(std::span(rest).first(std::min(rest.size(), kStatementsAtOnce)), lives, reason);
    });
    if (!some && begun == 0) return some.error();
    if (!some) {
      result.stopped = some.error();
      return result;
    }
    std::move(some->begin(), some->end(), std::back_inserter(result.machines));
    Report("letting in", result.machines.size(), requests.size());
  }
  return result;
}

Result<std::string> OwnerSessionImpl::AcceptLineFor(const std::string& name) {
  GRANTFS_CHECK(RequireVaultOwner());
  GRANTFS_CHECK(keeper_->RefreshMachines());
  const auto* machine = keeper_->machines().FindByName(name);
  if (machine == nullptr)
    return Error{Code::kNotFound,
                 "there is no such machine: grantfs identity list shows those that there are", 0, name};
  return EncodeAcceptLine(LineFor(machine->identity.Id()));
}

}  // namespace grantfs

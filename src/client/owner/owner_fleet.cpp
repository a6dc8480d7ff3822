#include <algorithm>
#include <set>

#include "grantfs/log/log.h"
#include "grantfs/trust/names.h"
#include "grantfs/util/text.h"
#include "owner_internal.h"

// Many machines at once: standing invitations, requests that come without one, and what ends by itself.

namespace grantfs {

Status CheckLifetime(std::int64_t lives, const std::string& name) {
  if (lives >= 0 && lives <= kMaxLifeSeconds) return {};
  return Error{Code::kInvalid, "a machine lives for ten years at most, or for ever", 0, name};
}

Status CheckInvitationTime(std::int64_t ttl, const std::string& name) {
  if (ttl >= kMinInvitationSeconds && ttl <= kMaxInvitationSeconds) return {};
  return Error{Code::kInvalid, "an invitation holds for 1s to 30d", 0, name};
}

Result<std::vector<SignedList::StatementPtr>> OwnerSessionImpl::Tidy(MachinesList& machines) {
  std::vector<StatementPtr> made;
  const std::int64_t now = Now();
  std::vector<Act> acts;
  for (const auto& [id, entry] : machines.standing()) {
    if (entry.withdrawn || entry.invitation.expires > now) continue;
    acts.push_back(InvitationWithdraw{id});
    expired_standing_.insert(id);
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
  GRANTFS_CHECK(CheckInvitationTime(options.ttl, options.pattern));
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
  std::uint64_t number = 0;
  std::vector<std::string> waiting;  // groups that two owners sign for what leads into
  const Status invited = Retry([&]() -> Status {
    GRANTFS_CHECK(RequireVaultOwner());
    GRANTFS_CHECK(keeper_->RefreshMachines());
    invitation.expires = Now() + options.ttl;
    waiting.clear();
    std::vector<std::string> at_once;
    for (const std::string& group : options.groups) {
      const auto [environment, name] = GRANTFS_TRY(ParseGroupPlace(group));
      GRANTFS_CHECK(EnterGroups(environment));
      const EnvironmentList& list = *keeper_->FindEnvironment(environment);
      if (list.groups().FindByName(name) == nullptr) return NoGroup(environment, name);
      (list.two_owners() ? waiting : at_once).push_back(group);
    }
    MachinesList machines = keeper_->machines();
    auto made = GRANTFS_TRY(Tidy(machines));
    number = machines.next_sequence();
    made.push_back(
        GRANTFS_TRY(Next(machines, {&keeper_->vault(), nullptr}, InvitationStand{invitation}, {})));
    Batch batch{{ListId::Machines(), std::move(made), {}}};
    for (const std::string& group : at_once)
      batch.push_back(GRANTFS_TRY(LeadInto(group, invitation, number)));
    GRANTFS_TRY(Submit(batch));
    return {};
  });
  GRANTFS_CHECK(invited);
  ShutOutExpired();
  auto asked = ProposeLeads(waiting, invitation, number);
  if (!asked) {  // nobody has its line yet
    static_cast<void>(
        WithdrawInvitations(invitation.id, "its groups' owners could not be asked").has_value());
    return asked.error();
  }
  auto line = GRANTFS_TRY(InviteLineOf(secret, IdentityKind::kMachine, options.pattern, true));
  return InviteResult{std::move(line), invitation.id, invitation.expires, std::move(*asked)};
}

// ---- groups that standing invitations lead into

Result<std::pair<std::string, std::string>> ParseGroupPlace(const std::string& text) {
  const auto at = text.find('@');
  const std::string environment = text.substr(0, at);
  if (at != std::string::npos && CheckEnvironmentName(environment) && CheckIdentityName(text.substr(at + 1)))
    return std::pair(environment, text.substr(at + 1));
  return Error{Code::kInvalid, "a group is named with its environment: shop/prod@web", 0, Printable(text)};
}

// The environment was entered.
Result<KnownStore::Verified> OwnerSessionImpl::LeadInto(const std::string& place,
                                                        const StandingInvitation& invitation,
                                                        std::uint64_t number) {
  const auto [environment, name] = GRANTFS_TRY(ParseGroupPlace(place));
  GroupList group = GRANTFS_TRY(FetchGroup(environment, name));
  const EnvironmentList& list = *keeper_->FindEnvironment(environment);
  const auto& standing = *list.groups().Find(group.id().number);
  const std::uint32_t epoch = standing.newest().epoch.number;
  const UnsealKey key = GRANTFS_TRY(GroupKeyOf(list, standing));
  const auto copies =
      GRANTFS_TRY(SealGroupKey(key, {{{RecipientKind::kInvitation, number, 0}, invitation.seal}}));
  GRANTFS_CHECK(StageGroup(environment, group.id().number, epoch, copies));
  const GroupInvitationAdd leads{number, invitation.id,          invitation.seal, invitation.expires,
                                 epoch,  GroupCopiesRoot(copies)};
  auto made = GRANTFS_TRY(Next(group, keeper_->UpperOf(environment), leads, {}));
  return KnownStore::Verified{group.id(), {std::move(made)}, {}};
}

// It lets machines in at once; they are in these groups when the other owners have signed that it leads
// there.
Result<std::vector<std::string>> OwnerSessionImpl::ProposeLeads(const std::vector<std::string>& places,
                                                                const StandingInvitation& invitation,
                                                                std::uint64_t number) {
  Waiting waiting;
  for (const std::string& place : places) {
    const auto [environment, name] = GRANTFS_TRY(ParseGroupPlace(place));
    GRANTFS_CHECK(EnterGroups(environment));
    const GroupList group = GRANTFS_TRY(FetchGroup(environment, name));
    const GroupInvitationAdd leads{number, invitation.id, invitation.seal, invitation.expires, 1, {}};
    waiting[environment].push_back(ConsentTo(group, keeper_->UpperOf(environment), leads));
  }
  std::vector<std::string> ids;
  for (auto& [environment, items] : waiting) {
    for (std::string& id : GRANTFS_TRY(Propose(environment, std::move(items), {})))
      ids.push_back(std::move(id));
  }
  return ids;
}

namespace {

// The highest number of a machine that came by it; where none did, its own, which is lower than any to come.
std::uint64_t LastBy(const MachinesList& machines, const GroupInvitationAdd& invitation) {
  std::uint64_t last = invitation.number;
  for (const auto& [number, machine] : machines.machines())
    if (machine.standing == invitation.id) last = std::max(last, number);
  return last;
}

}  // namespace

// Whoever has the invitation has the group's key: its next one begins in the same append.
Status OwnerSessionImpl::ShutOut(const std::set<std::string>& invitations, const MachinesList& machines,
                                 const std::string& reason, Batch& batch, std::vector<std::string>& groups) {
  for (const std::string& environment : GRANTFS_TRY(EnvironmentsWith(Operation::kManageMembers))) {
    if (keeper_->FindEnvironment(environment)->groups().all().empty()) continue;
    EnvironmentList list = *keeper_->FindEnvironment(environment);
    std::vector<StatementPtr> started;
    const auto all = list.groups().all();
    for (const auto& [number, standing] : all) {
      GroupList group = GRANTFS_TRY(keeper_->RefreshGroup(environment, number));
      KnownStore::Verified ended{group.id(), {}, {}};
      const auto leading = group.invitations();
      for (const auto& [at, invitation] : leading) {
        if (!invitation.open || !invitations.contains(invitation.act.id)) continue;
        const GroupInvitationRemove remove{at, LastBy(machines, invitation.act)};
        ended.statements.push_back(GRANTFS_TRY(Next(group, keeper_->UpperOf(environment), remove, reason)));
      }
      if (ended.statements.empty()) continue;
      const UnsealKey key = GRANTFS_TRY(GroupKeyOf(list, standing));
      started.push_back(
          GRANTFS_TRY(NextGroupEpoch(list, {&keeper_->vault(), &keeper_->machines()}, group, key, reason)));
      groups.push_back(environment + "@" + standing.name);
      batch.push_back(std::move(ended));
    }
    if (!started.empty()) batch.push_back({list.id(), std::move(started), {}});
  }
  return {};
}

Status OwnerSessionImpl::ShutOutNow(const std::set<std::string>& invitations, const std::string& reason,
                                    std::vector<std::string>& groups) {
  return Retry([&]() -> Status {
    GRANTFS_CHECK(keeper_->RefreshMachines());
    Batch batch;
    groups.clear();
    GRANTFS_CHECK(ShutOut(invitations, keeper_->machines(), reason, batch, groups));
    if (!batch.empty()) GRANTFS_TRY(Submit(batch));
    return {};
  });
}

void OwnerSessionImpl::ShutOutExpired() {
  if (expired_standing_.empty()) return;
  std::vector<std::string> groups;
  const Status done = ShutOutNow(expired_standing_, "ended by itself", groups);
  if (!done)
    Log(LogLevel::kWarning,
        "a standing invitation has expired, and its groups have no new keys yet: grantfs status says what is "
        "left to do",
        done.error());
  expired_standing_.clear();
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
  ShutOutExpired();
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

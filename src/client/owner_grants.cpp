#include <algorithm>
#include <iterator>

#include "grantfs/api/machine.h"
#include "owner_internal.h"
#include "problem_internal.h"

namespace grantfs {
namespace {

// The vault answers a wait of its own before this.
constexpr std::chrono::milliseconds kPatience{10'000};

Error Removed(std::string machine) {
  return {Code::kDenied, "the machine was removed and can be granted nothing", 0, std::move(machine)};
}

Status CheckMachine(const MachinesList& machines, const VaultList& vault, const std::string& name,
                    std::int64_t now) {
  const auto* machine = machines.FindByName(name);
  if (machine == nullptr) {
    const auto& all = machines.machines();
    const bool was = std::any_of(all.begin(), all.end(),
                                 [&](const auto& one) { return one.second.identity.name == name; });
    if (was) return Removed(name);
    return Error{Code::kNotFound, "there is no such machine: invite it with grantfs invite", 0, name};
  }
  if (vault.IsRemoved(machine->identity.Id())) return Removed(name);
  const std::int64_t end = machine->identity.not_after;
  if (end != 0 && end <= now)
    return Error{Code::kExpired, "the machine's identity has expired: enrol it anew", 0, name};
  return {};
}

}  // namespace

Result<GrantResult> OwnerSessionImpl::GrantTo(const std::string& machine,
                                              const std::vector<SecretName>& secrets,
                                              const GrantOptions& options) {
  GRANTFS_CHECK(RequireMachines());
  GRANTFS_CHECK(CheckMachine(keeper_->machines(), keeper_->vault(), machine, Now()));
  const auto grantee = *keeper_->machines().FindByName(machine);
  GrantResult result;
  result.machine = machine;
  result.fingerprint = grantee.identity.Fingerprint();
  std::uint64_t change = 0;
  while (result.secrets.size() < secrets.size()) {
    const std::size_t begun = result.secrets.size();
    Waiting waiting;
    auto outcomes = Retry([&]() -> Result<std::vector<GrantOutcome>> {
      GRANTFS_CHECK(EnterAll(std::span(secrets).subspan(begun), Operation::kGrant));
      Batch batch;
      waiting.clear();
      std::vector<GrantOutcome> made;
      std::size_t copies = 0;
      while (begun + made.size() < secrets.size() && made.size() < kListsAtOnce && copies < kCopiesAtOnce) {
        made.push_back(
            GRANTFS_TRY(PrepareGrant(grantee, secrets[begun + made.size()], options, batch, waiting)));
        copies += made.back().versions;
        Report("granting", begun + made.size(), secrets.size());
      }
      if (!options.dry_run && !batch.empty()) change = GRANTFS_TRY(Submit(batch));
      return made;
    });
    if (!outcomes) return Halfway(outcomes.error(), begun, secrets.size());
    for (auto& [environment, items] : waiting) {
      if (options.dry_run) break;
      for (std::string& id : GRANTFS_TRY(Propose(environment, std::move(items), options.reason)))
        result.waiting.push_back(std::move(id));
    }
    std::move(outcomes->begin(), outcomes->end(), std::back_inserter(result.secrets));
  }
  for (GrantOutcome& outcome : result.secrets) DropGrantedParts(grantee.number, secrets, outcome);
  if (change != 0) result.delivery = WaitFor(grantee.identity.Id(), change, options.wait);
  return result;
}

Result<GrantOutcome> OwnerSessionImpl::PrepareGrant(const MachinesList::Machine& machine,
                                                    const SecretName& name, const GrantOptions& options,
                                                    Batch& batch, Waiting& waiting) {
  SecretList list = GRANTFS_TRY(FetchSecret(name));
  const UpperLists upper = keeper_->UpperOf(name.environment);
  const Identity& who = machine.identity;
  if (upper.vault->IsRemoved(who.Id())) return Removed(who.name);
  Grant grant = options.terms;
  grant.grantee = {GranteeKind::kMachine, machine.number, who.Id(), who.name, who.seal, who.not_after};
  GrantOutcome outcome;
  outcome.secret = name;
  NamePartsOf(list, outcome);
  if (const auto* version = list.Current(); version != nullptr) {
    const std::int64_t due = version->publish.RotationDue(version->statement->statement().time);
    if (due != 0 && due <= Now()) outcome.overdue = due;
  }
  outcome.replaced = list.grants().contains({GranteeKind::kMachine, machine.number});
  if (upper.environment->two_owners()) {  // the keys are sealed by the owner who signs second
    GRANTFS_CHECK(CheckLives(list, name));
    outcome.needs_second = true;
    outcome.versions = list.versions().size();
    waiting[name.environment].push_back(ConsentTo(list, upper, GrantAdd{grant}));
    return outcome;
  }
  batch.push_back({list.id(), {GRANTFS_TRY(Next(list, upper, GrantAdd{grant}, options.reason))}, {}});
  const SecretList::Target target{{RecipientKind::kMachine, machine.number, 0}, who.seal, who.name};
  outcome.versions = GRANTFS_TRY(SealVersionsTo(list, *upper.environment, target, options.dry_run));
  return outcome;
}

Delivery OwnerSessionImpl::WaitFor(const Hash& machine, std::uint64_t change,
                                   std::chrono::milliseconds wait) {
  api::PresenceRequest request;
  request.machine = machine;
  request.change = change;
  Delivery delivery;
  // The vault waits as long as it lets itself be asked to, so that a longer wait is asked for in pieces.
  for (auto left = std::max(wait, std::chrono::milliseconds(0));;) {
    const auto piece = std::min(left, std::chrono::milliseconds(api::kMaxPresenceWaitMs));
    left -= piece;
    request.wait_ms = static_cast<int>(piece.count());
    VaultConnection::CallOptions call;
    call.deadline = piece + kPatience;
    const auto presence = vault_->Ask<api::PresenceResponse>(api::kPresence, request, call);
    if (!presence) return delivery;
    delivery.last_seen = presence->last_seen;
    if (presence->acknowledged >= change) {
      delivery.state = Delivery::State::kAcknowledged;
    } else {
      delivery.state = presence->online ? Delivery::State::kPending : Delivery::State::kOffline;
    }
    if (delivery.state != Delivery::State::kPending || left.count() == 0) return delivery;
  }
}

Result<std::vector<OwnerSessionImpl::Listed>> OwnerSessionImpl::SecretsOfMine() {
  GRANTFS_CHECK(keeper_->RefreshVault());
  std::vector<Listed> all;
  for (const auto& environment : GRANTFS_TRY(EnvironmentsWith(Operation::kGrant))) {
    for (auto& listed : GRANTFS_TRY(ListNames(environment, {}))) all.push_back(std::move(listed));
  }
  return all;
}

Result<std::vector<GrantInfo>> OwnerSessionImpl::ListGrants(const std::string& machine,
                                                            const SecretName& secret) {
  std::vector<Listed> names;
  GRANTFS_CHECK(keeper_->RefreshVault());
  if (!secret.path.empty()) {
    GRANTFS_CHECK(Enter(secret.environment, Operation::kList));
    const SecretList list = GRANTFS_TRY(FetchSecret(secret));
    names.push_back({secret, list.id().number, *list.head()});
  } else {
    for (const auto& environment : GRANTFS_TRY(EnvironmentsWith(Operation::kList))) {
      if (!secret.environment.empty() && environment != secret.environment) continue;
      for (auto& listed : GRANTFS_TRY(ListNames(environment, {}))) names.push_back(std::move(listed));
    }
  }
  std::vector<GrantInfo> all;
  std::size_t done = 0;
  for (const Listed& listed : names) {
    const SecretList list = GRANTFS_TRY(keeper_->RefreshSecret(listed.number, listed.name, listed.head));
    for (GrantInfo& info : GrantsOf(listed.name, list)) {
      if (machine.empty() || info.machine == machine || info.machine_id == machine)
        all.push_back(std::move(info));
    }
    Report("verifying", ++done, names.size());
  }
  return all;
}

}  // namespace grantfs

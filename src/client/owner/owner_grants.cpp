#include <algorithm>
#include <iterator>
#include <set>

#include "client/connection/problem_internal.h"
#include "grantfs/api/machine.h"
#include "owner_internal.h"

namespace grantfs {
namespace {

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
  const bool to_group = machine.starts_with("@");
  GrantResult result;
  result.machine = machine;
  if (!to_group) {
    GRANTFS_CHECK(CheckMachine(keeper_->machines(), keeper_->vault(), machine, Now()));
    result.fingerprint = keeper_->machines().FindByName(machine)->identity.Fingerprint();
  }
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
            GRANTFS_TRY(PrepareGrant(machine, secrets[begun + made.size()], options, batch, waiting)));
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
  for (GrantOutcome& outcome : result.secrets) DropGrantedParts(machine, secrets, outcome);
  if (change == 0) return result;
  if (!to_group) {
    result.delivery = WaitFor(keeper_->machines().FindByName(machine)->identity.Id(), change, options.wait);
    return result;
  }
  std::set<std::string> environments;
  for (const SecretName& secret : secrets) environments.insert(secret.environment);
  for (const std::string& environment : environments) {
    const auto to = GRANTFS_TRY(GranteeNamed(machine, environment));
    result.followed.push_back(WaitForGroup(environment, to.grantee.number, change, options.wait));
  }
  return result;
}

Result<GrantOutcome> OwnerSessionImpl::PrepareGrant(const std::string& machine, const SecretName& name,
                                                    const GrantOptions& options, Batch& batch,
                                                    Waiting& waiting) {
  SecretList list = GRANTFS_TRY(FetchSecret(name));
  const UpperLists upper = keeper_->UpperOf(name.environment);
  const GrantedTo to = GRANTFS_TRY(GranteeNamed(machine, name.environment));
  if (upper.vault->IsRemoved(to.grantee.id) || to.grantee.number == 0) return Removed(machine);
  if (const auto* group = upper.environment->groups().Find(to.grantee))
    GRANTFS_CHECK(CheckGroupKey(*upper.environment, *group));
  Grant grant = options.terms;
  grant.grantee = to.grantee;
  GrantOutcome outcome;
  outcome.secret = name;
  NamePartsOf(list, outcome);
  if (const auto* version = list.Current(); version != nullptr) {
    const std::int64_t due = version->publish.RotationDue(version->statement->statement().time);
    if (due != 0 && due <= Now()) outcome.overdue = due;
  }
  outcome.replaced = list.grants().contains({to.grantee.kind, to.grantee.number});
  if (upper.environment->two_owners()) {  // the keys are sealed by the owner who signs second
    GRANTFS_CHECK(CheckLives(list, name));
    outcome.needs_second = true;
    outcome.versions = list.versions().size();
    waiting[name.environment].push_back(ConsentTo(list, upper, GrantAdd{grant}));
    return outcome;
  }
  batch.push_back({list.id(), {GRANTFS_TRY(Next(list, upper, GrantAdd{grant}, options.reason))}, {}});
  outcome.versions = GRANTFS_TRY(SealVersionsTo(list, *upper.environment, to.target, options.dry_run));
  return outcome;
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
  std::vector<std::string> environments{secret.environment};
  GRANTFS_CHECK(keeper_->RefreshVault());
  if (!secret.path.empty()) {
    GRANTFS_CHECK(Enter(secret.environment, Operation::kList));
    const SecretList list = GRANTFS_TRY(FetchSecret(secret));
    names.push_back({secret, list.id().number, *list.head()});
  } else {
    environments = GRANTFS_TRY(EnvironmentsWith(Operation::kList));
    if (!secret.environment.empty()) {
      std::erase_if(environments, [&](const auto& one) { return one != secret.environment; });
    }
    for (const auto& environment : environments)
      for (auto& listed : GRANTFS_TRY(ListNames(environment, {}))) names.push_back(std::move(listed));
  }
  // A machine's are those of its groups too.
  std::map<std::string, std::set<std::string>> groups;
  for (const auto& environment : environments) {
    if (!machine.empty() && !machine.starts_with("@"))
      groups[environment] = GRANTFS_TRY(GroupsOf(environment, machine));
  }
  const auto meant = [&](const GrantInfo& info) {
    return machine.empty() || info.machine == machine || info.machine_id == machine ||
           groups[info.secret.environment].contains(info.machine);
  };
  std::vector<GrantInfo> all;
  for (const auto& environment : environments) {
    for (GrantInfo& info : PrefixGrantsIn(*keeper_->FindEnvironment(environment))) {
      const bool covers = secret.path.empty() || secret.path.starts_with(info.secret.path);
      if (covers && meant(info)) all.push_back(std::move(info));
    }
  }
  std::size_t done = 0;
  for (const Listed& listed : names) {
    const SecretList list = GRANTFS_TRY(keeper_->RefreshSecret(listed.number, listed.name, listed.head));
    for (GrantInfo& info : GrantsOf(listed.name, list)) {
      if (meant(info)) all.push_back(std::move(info));
    }
    Report("verifying", ++done, names.size());
  }
  return all;
}

}  // namespace grantfs

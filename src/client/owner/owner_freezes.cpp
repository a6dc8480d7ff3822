#include <algorithm>
#include <condition_variable>
#include <iterator>
#include <mutex>
#include <set>

#include "grantfs/api/freezes.h"
#include "grantfs/util/text.h"
#include "owner_internal.h"

// What is frozen: the vault's own state, so that nothing here is signed or verified but who asks.

namespace grantfs {
namespace {

constexpr std::chrono::milliseconds kBetweenFollowed{100};
/// As many as a vault of every machine and environment frozen has, and more.
constexpr int kMostPages = 1000;

std::vector<api::Freeze> Ordered(std::vector<api::Freeze> freezes) {
  std::sort(freezes.begin(), freezes.end(),
            [](const api::Freeze& a, const api::Freeze& b) { return a.object < b.object; });
  return freezes;
}

bool IsOf(const std::string& environment, const std::string& project) {
  return environment.substr(0, environment.find('/')) == project;
}

}  // namespace

// Any identity that was a machine: what is frozen of one that was removed can be lifted by its id.
Result<FrozenObject> OwnerSessionImpl::MachineToFreeze(const std::string& name) {
  GRANTFS_CHECK(RequireVaultOwner());
  GRANTFS_CHECK(keeper_->RefreshMachines());
  const MachinesList::Machine* machine = keeper_->machines().FindByName(name);
  if (const auto id = Hash::FromHex(name); machine == nullptr && id)
    machine = keeper_->machines().FindById(*id);
  if (machine != nullptr) return FrozenObject{FrozenKind::kMachine, machine->identity.Id().Hex()};
  return Error{Code::kNotFound, "there is no such machine: grantfs identity list shows those that there are",
               0, name};
}

// Who may not see the list of machines, as an operator, knows them by the grants of the environment.
Result<FrozenObject> OwnerSessionImpl::MachineToFreezeIn(const std::string& environment,
                                                         const std::string& name) {
  GRANTFS_CHECK(Enter(environment, Operation::kFreeze));
  const FrozenObject none{FrozenKind::kMachineIn, "", environment};
  const auto of = [&](const std::string& id) { return FrozenObject{none.kind, id, environment}; };
  if (Hash::FromHex(name)) return of(name);
  if (RequireMachines()) {
    if (const auto* machine = keeper_->machines().FindByName(name)) return of(machine->identity.Id().Hex());
  } else {
    GRANTFS_CHECK(LearnGrantees(environment));
    std::optional<std::string> found;
    for (const auto& [id, known] : grantees_) {
      if (known != name || keeper_->vault().IsRemoved(id)) continue;
      if (found) return Error{Code::kInvalid, "several machines have this name: name it by its id", 0, name};
      found = id.Hex();
    }
    if (found) return of(*found);
  }
  return Error{Code::kNotFound,
               "there is no such machine, or none that is granted something there: grantfs grants shows them",
               0, name + " in " + environment};
}

Status OwnerSessionImpl::LearnGrantees(const std::string& environment) {
  const auto names = GRANTFS_TRY(ListNames(environment, {}));
  return keeper_->RefreshSecrets(environment, names, [&](const Listed&, Result<SecretList> list) -> Status {
    if (!list) return {};  // a machine by its id will do
    for (const auto& [key, standing] : list->grants()) {
      const Grantee& grantee = standing.grant.grantee;
      if (key.first == GranteeKind::kMachine) grantees_[grantee.id] = grantee.name;
    }
    return {};
  });
}

Result<std::vector<FrozenObject>> OwnerSessionImpl::ProjectToFreeze(const std::string& name,
                                                                    std::vector<std::string>& left) {
  GRANTFS_CHECK(keeper_->RefreshVault());
  const auto mine = GRANTFS_TRY(EnvironmentsWith(Operation::kFreeze));
  std::vector<FrozenObject> objects;
  for (const auto& [environment, entry] : keeper_->vault().environments()) {
    if (!IsOf(environment, name)) continue;
    if (std::find(mine.begin(), mine.end(), environment) != mine.end())
      objects.push_back({FrozenKind::kEnvironment, environment});
    else
      left.push_back(environment);
  }
  if (!objects.empty()) return objects;
  if (left.empty())
    return Error{Code::kNotFound, "there is no such project: grantfs project list shows those that there are",
                 0, name};
  return Error{
      Code::kDenied,
      "you are neither owner nor operator of any of its environments; one of their owners can change "
      "that",
      0, name};
}

Result<FreezeResult> OwnerSessionImpl::ChangeFreezes(const api::Route& route, const FreezeTarget& target,
                                                     const std::string& reason,
                                                     std::chrono::milliseconds wait) {
  if (reason.size() > api::kMaxFreezeReasonBytes || reason != Printable(reason))
    return Error{Code::kInvalid, "a freeze's reason has at most 512 bytes, on one line", 0, "--reason"};
  FreezeResult result;
  api::FreezeRequest request;
  request.reason = reason;
  switch (target.kind) {
    case FreezeTarget::Kind::kMachine:
      request.objects = {GRANTFS_TRY(MachineToFreeze(target.name))};
      break;
    case FreezeTarget::Kind::kMachineIn:
      request.objects = {GRANTFS_TRY(MachineToFreezeIn(target.environment, target.name))};
      break;
    case FreezeTarget::Kind::kEnvironment:
      GRANTFS_CHECK(Enter(target.name, Operation::kFreeze));
      request.objects = {{FrozenKind::kEnvironment, target.name}};
      break;
    case FreezeTarget::Kind::kProject:
      request.objects = GRANTFS_TRY(ProjectToFreeze(target.name, result.left));
      break;
  }
  const auto response = GRANTFS_TRY(vault_->Ask<api::FreezeResponse>(route, request));
  result.freezes = InfosOf(response.freezes);
  result.before = InfosOf(response.before);
  if (response.change == 0) return result;
  const auto until = std::chrono::steady_clock::now() + wait;
  for (const FreezeInfo& changed : result.freezes) {
    if (changed.IsMachine())
      result.delivery = WaitFor(GRANTFS_TRY(Hash::FromHex(changed.id)), response.change, wait);
    else
      result.followed.push_back(WaitForMachinesOf(changed.name, response.change, until));
  }
  return result;
}

// Many machines may be concerned, of which some are never online: those that are get this long.
EnvironmentDelivery OwnerSessionImpl::WaitForMachinesOf(const std::string& environment, std::uint64_t change,
                                                        std::chrono::steady_clock::time_point until) {
  EnvironmentDelivery delivery;
  delivery.environment = environment;
  for (std::mutex mutex;;) {
    const auto now = std::chrono::steady_clock::now();
    const auto said =
        vault_->Ask<api::FollowedResponse>(api::kFreezesFollowed, api::FollowedRequest{environment, change});
    if (!said) return delivery;
    delivery.known = true;
    delivery.machines = said->machines;
    delivery.followed = said->followed;
    delivery.pending = said->pending;
    delivery.behind.clear();
    for (const auto& one : said->behind) {
      const auto state = one.online ? Delivery::State::kPending : Delivery::State::kOffline;
      delivery.behind.push_back({one.machine, {state, one.last_seen}});
    }
    if (said->pending == 0 || now >= until) return delivery;
    std::unique_lock lock(mutex);
    std::condition_variable never;
    never.wait_until(lock, std::min(until, now + kBetweenFollowed));
  }
}

Result<FreezeResult> OwnerSessionImpl::Freeze(const FreezeTarget& target, const std::string& reason,
                                              std::chrono::milliseconds wait) {
  return ChangeFreezes(api::kFreezesSet, target, reason, wait);
}

Result<FreezeResult> OwnerSessionImpl::Unfreeze(const FreezeTarget& target, const std::string& reason,
                                                std::chrono::milliseconds wait) {
  auto result = GRANTFS_TRY(ChangeFreezes(api::kFreezesLift, target, reason, wait));
  if (!result.freezes.empty()) return result;
  return Error{Code::kNotFound, "it is not frozen: grantfs freezes shows what is", 0, target.name};
}

std::vector<FreezeInfo> OwnerSessionImpl::InfosOf(const std::vector<api::Freeze>& freezes) const {
  std::vector<FreezeInfo> infos;
  for (const api::Freeze& freeze : Ordered(freezes)) {
    FreezeInfo info;
    info.name = freeze.object.id;
    if (freeze.object.IsMachine()) {
      const bool here = freeze.object.kind == FrozenKind::kMachineIn;
      info.kind = here ? FreezeTarget::Kind::kMachineIn : FreezeTarget::Kind::kMachine;
      info.id = freeze.object.id;
      info.environment = freeze.object.environment;
      if (const auto id = Hash::FromHex(info.id)) {
        const auto grantee = grantees_.find(*id);
        info.name = grantee != grantees_.end() ? grantee->second : NameOf(*id);
      }
    }
    info.by = freeze.by;
    info.time = freeze.time;
    info.reason = freeze.reason;
    infos.push_back(std::move(info));
  }
  return infos;
}

Result<std::vector<FreezeInfo>> OwnerSessionImpl::ListFreezes() {
  std::vector<api::Freeze> all;
  api::FreezesListRequest request;
  int pages = 0;
  do {
    auto page = GRANTFS_TRY(vault_->Ask<api::FreezesListResponse>(api::kFreezesList, request));
    if (++pages > kMostPages)
      return Error{Code::kIntegrity, "the vault lists what is frozen without end", 0,
                   home_.profile().address.Text()};
    if (page.next && request.after && !(*request.after < *page.next))
      return Error{Code::kIntegrity, "the vault lists what is frozen out of order"};
    std::move(page.freezes.begin(), page.freezes.end(), std::back_inserter(all));
    request.after = page.next;
  } while (request.after);
  std::set<std::string> environments;  // machines are named by
  bool machines = false;
  for (const api::Freeze& freeze : all) {
    machines = machines || freeze.object.IsMachine();
    if (freeze.object.kind == FrozenKind::kMachineIn) environments.insert(freeze.object.environment);
  }
  if (machines) GRANTFS_CHECK(keeper_->RefreshVault());
  if (machines && keeper_->vault().IsOwner(me_.Id())) {
    GRANTFS_CHECK(keeper_->RefreshMachines());
  } else {
    for (const std::string& environment : environments)
      if (Enter(environment, Operation::kList)) GRANTFS_CHECK(LearnGrantees(environment));
  }
  return InfosOf(all);
}

}  // namespace grantfs

#include "core_internal.h"

namespace grantfs {
namespace {

Result<std::set<std::string>> EnvironmentsOf(const Vault::Core& core, const VaultCaller& caller) {
  if (!caller.IsMachine()) return std::set<std::string>();
  const auto reader = GRANTFS_TRY(core.store.Read());
  const auto names = GRANTFS_TRY(reader->EnvironmentsOf(GranteeKind::kMachine, caller.machine));
  return std::set<std::string>(names.begin(), names.end());
}

bool OwnsSomething(const VaultState& now, const VaultCaller& caller) {
  if (now.IsVaultOwner(caller.id)) return true;
  for (const auto& [name, environment] : now.environments) {
    if (now.RoleOf(caller.id, name) == Role::kOwner) return true;
  }
  return false;
}

}  // namespace

Result<std::uint64_t> Vault::Watch(const VaultCaller& caller, std::shared_ptr<WatchSink> sink) {
  const StatePtr now = core_->state.Get();
  const auto principal = now->FindPrincipal(caller.id, core_->Now());
  if (!principal) return NotVisible();
  WatchHub::Subscriber subscriber;
  subscriber.id = caller.id;
  subscriber.machine = caller.machine;
  subscriber.not_after = principal->identity->not_after;
  subscriber.environments = GRANTFS_TRY(EnvironmentsOf(*core_, caller));
  subscriber.sink = std::move(sink);
  const std::uint64_t number = GRANTFS_TRY(core_->hub.Add(std::move(subscriber), *now->vault->head()));
  // Between the look and the addition a grant or a removal may have come.
  if (auto environments = EnvironmentsOf(*core_, caller))
    core_->hub.AddEnvironments(number, *std::move(environments));
  if (!core_->state.Get()->FindPrincipal(caller.id, core_->Now())) core_->hub.Expel(caller.id);
  return number;
}

void Vault::Unwatch(std::uint64_t watch) { core_->hub.Remove(watch); }

Result<api::Nothing> Vault::Acknowledge(const VaultCaller& caller, const api::AckRequest& request) {
  core_->hub.Acknowledge(caller.id, request.change);
  return api::Nothing{};
}

void Vault::Presence(const VaultCaller& caller, const api::PresenceRequest& request,
                     Done<api::PresenceResponse> done) {
  const StatePtr now = core_->state.Get();
  if (!OwnsSomething(*now, caller)) return done(RoleMissing("machines"));
  const auto* machine = now->machines->FindById(request.machine);
  if (machine == nullptr) return done(NotVisible(request.machine.Hex()));
  core_->hub.Presence(request, std::move(done));
}

}  // namespace grantfs

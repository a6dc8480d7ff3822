#include "state_internal.h"

namespace grantfs {

Error NotVisible(std::string subject) {
  return {Code::kNotFound, "there is no such thing, or it is not visible to this identity", 0,
          std::move(subject)};
}

Error RoleMissing(std::string subject) {
  return {Code::kDenied, "the identity's role does not allow this", 0, std::move(subject)};
}

std::string VaultCaller::Actor() const {
  switch (kind) {
    case Kind::kIdentity:
      return id.Hex();
    case Kind::kInvite:
      return "invite:" + key;
    case Kind::kClaim:
      return "claim:" + key;
  }
  std::abort();
}

const EnvironmentList* VaultState::FindEnvironment(const std::string& name) const {
  const auto found = environments.find(name);
  return found == environments.end() ? nullptr : found->second.get();
}

UpperLists VaultState::Upper(const std::string& environment) const {
  return {vault.get(), environment.empty() ? nullptr : FindEnvironment(environment)};
}

std::optional<VaultState::Principal> VaultState::FindPrincipal(const Hash& id, std::int64_t now) const {
  if (!claimed() || vault->IsRemoved(id)) return std::nullopt;
  Principal found;
  if (const auto* machine = machines->FindById(id)) {
    if (machine->removed) return std::nullopt;
    found = {&machine->identity, machine->number};
  } else if (vault->IsOwner(id) || IsRecovery(id)) {
    found.identity = vault->FindIdentity(id);
  } else if (const Identity* person = vault->FindPerson(id)) {
    found.identity = person;
  } else {
    for (const auto& [name, environment] : environments) {
      if (!environment->RoleOf(id)) continue;
      found.identity = environment->FindIdentity(id);
      break;
    }
  }
  if (found.identity == nullptr) return std::nullopt;
  const std::int64_t end = found.identity->not_after;
  if (end != 0 && end <= now) return std::nullopt;
  return found;
}

bool VaultState::IsVaultOwner(const Hash& id) const {
  return claimed() && vault->IsOwner(id) && !vault->IsRemoved(id);
}

std::optional<Role> VaultState::RoleOf(const Hash& id, const std::string& environment) const {
  const EnvironmentList* list = FindEnvironment(environment);
  if (list == nullptr || vault->IsRemoved(id)) return std::nullopt;
  return list->RoleOf(id);
}

Status VaultState::CheckMember(const VaultCaller& caller, const std::string& environment,
                               Operation operation) const {
  if (!caller.IsPerson() || FindEnvironment(environment) == nullptr) return NotVisible(environment);
  // What recovery adds and removes owners with: it sees lists and makes epochs.
  const bool recovers = operation == Operation::kList || operation == Operation::kManageMembers;
  if (recovers && IsRecovery(caller.id)) return {};
  const auto role = RoleOf(caller.id, environment);
  if (!role) return NotVisible(environment);
  return RoleAllows(*role, operation) ? Status() : Status(RoleMissing(environment));
}

}  // namespace grantfs

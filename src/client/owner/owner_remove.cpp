#include <algorithm>

#include "grantfs/api/enrolments.h"
#include "owner_internal.h"

namespace grantfs {
namespace {

bool IsNamed(const Identity& who, const std::string& name) {
  return who.name == name || who.Id().Hex() == name;
}

std::optional<Identity> MachineNamed(const MachinesList& machines, const std::string& name) {
  if (const auto* present = machines.FindByName(name)) return present->identity;
  std::optional<Identity> last;
  for (const auto& [number, machine] : machines.machines()) {
    if (IsNamed(machine.identity, name)) last = machine.identity;
  }
  return last;
}

bool IsInvited(const std::vector<OpenInvitation>& open, const std::string& name) {
  return std::any_of(open.begin(), open.end(), [&](const OpenInvitation& one) { return one.name == name; });
}

// How a command means this grantee alone: by name, unless another that is granted the secret has it too.
std::string Unmistakable(const SecretList& list, const Grantee& grantee) {
  const auto same = [&](const auto& one) { return one.second.grant.grantee.name == grantee.name; };
  const bool only = std::count_if(list.grants().begin(), list.grants().end(), same) == 1;
  return only ? grantee.name : grantee.id.Hex();
}

std::optional<Identity> OwnerNamed(const VaultList& vault, const std::string& name) {
  for (const Identity& owner : vault.Owners()) {
    if (IsNamed(owner, name)) return owner;
  }
  return std::nullopt;
}

}  // namespace

Result<std::optional<Identity>> OwnerSessionImpl::AnyoneNamed(const std::string& name) const {
  std::map<Hash, Identity> found;
  const auto add = [&found](const Identity& who) { found.emplace(who.Id(), who); };
  if (const auto machine = MachineNamed(keeper_->machines(), name)) add(*machine);
  if (const auto owner = OwnerNamed(keeper_->vault(), name)) add(*owner);
  for (const Identity& person : keeper_->vault().People()) {
    if (IsNamed(person, name)) add(person);
  }
  for (const auto& [environment, entry] : keeper_->vault().environments()) {
    const EnvironmentList* list = keeper_->FindEnvironment(environment);
    if (list == nullptr) continue;
    for (const auto& [id, member] : list->members()) {
      if (IsNamed(member.identity, name)) add(member.identity);
    }
  }
  // One who has a new key has the name still: the keys before are meant where no other has it.
  const auto gone = [this](const auto& one) { return keeper_->vault().IsRemoved(one.first); };
  const bool any = std::any_of(found.begin(), found.end(), [&](const auto& one) { return !gone(one); });
  if (any) std::erase_if(found, gone);
  if (found.size() > 1)
    return Error{
        Code::kInvalid,
        "several have this name; name the one that you mean by its id (grantfs identity list --json)", 0,
        name};
  if (found.empty()) return std::optional<Identity>();
  return std::optional<Identity>(found.begin()->second);
}

// In the vault's list, which every client verifies, and for a machine at the same time in the list of
// machines.
Status OwnerSessionImpl::EndIdentity(const Identity& who, const std::string& reason,
                                     RemoveIdentityResult& result) {
  if (keeper_->vault().IsOwner(who.Id())) return RemoveVaultOwnerOnce(who.Id(), reason, &result);
  VaultList vault = keeper_->vault();
  MachinesList machines = keeper_->machines();
  Batch batch;
  KnownStore::Verified ended{ListId::Machines(), {}, {}};
  const auto* machine = machines.FindById(who.Id());
  result.invitations = {};
  // Nobody seals to one whose life is over, so that the list that all verify need not name it.
  const bool ended_by_itself = machine != nullptr && machine->HasEnded(Now());
  if (!vault.IsRemoved(who.Id()) && !ended_by_itself) {
    const auto removed = GRANTFS_TRY(Next(vault, {}, IdentityRemove{who.Id(), who.name}, reason));
    batch.push_back({ListId::Vault(), {removed}, {}});
  }
  if (machine != nullptr && !machine->removed) {
    const std::string standing = machine->standing;
    const auto by = machines.standing().find(standing);
    const bool stands = by != machines.standing().end() && !ended_by_itself && !by->second.withdrawn;
    ended.statements.push_back(
        GRANTFS_TRY(Next(machines, {&keeper_->vault(), nullptr}, MachineRemove{who.Id()}, reason)));
    if (stands) {  // withdrawn by that
      ++result.invitations.withdrawn;
      result.invitations.let_in = LetInBy(machines, standing);
      result.invitations.standing = standing;
    }
  }
  if (batch.empty() && ended.statements.empty()) return {};  // somebody may have invited the name again since
  for (auto& made : GRANTFS_TRY(Withdraw(machines, who.name, reason, result.invitations)))
    ended.statements.push_back(std::move(made));
  if (!ended.statements.empty()) {
    for (auto& made : GRANTFS_TRY(Tidy(machines))) ended.statements.push_back(std::move(made));
    batch.push_back(std::move(ended));
  }
  GRANTFS_TRY(Submit(batch));
  return {};
}

Result<RemoveIdentityResult> OwnerSessionImpl::RemoveIdentity(const std::string& name,
                                                              const std::string& reason) {
  Hash id;
  bool machine = false;
  RemoveIdentityResult result;
  const Status ended = Retry([&]() -> Status {
    GRANTFS_CHECK(RequireVaultOwner());
    GRANTFS_CHECK(keeper_->RefreshMachines());
    GRANTFS_TRY(EnvironmentsWith(Operation::kManageMembers));  // so that their members are known by name
    const auto who = GRANTFS_TRY(AnyoneNamed(name));
    if (!who) {
      if (const auto open = GRANTFS_TRY(OpenInvitations()); IsInvited(open, name))
        return Error{Code::kNotFound,
                     "nobody was let in under this name, which is invited: grantfs invitation withdraw takes "
                     "that back",
                     0, name};
      return Error{Code::kNotFound,
                   "there is no such identity: grantfs identity list shows those that there are", 0, name};
    }
    if (who->Id() == me_.Id())
      return Error{Code::kInvalid, "you cannot remove yourself: another owner can", 0, name};
    id = who->Id();
    machine = who->kind == IdentityKind::kMachine;
    return EndIdentity(*who, reason, result);
  });
  GRANTFS_CHECK(ended);
  result.name = name;
  if (!result.invitations.standing.empty()) {
    const Status shut = ShutOutNow({result.invitations.standing}, reason, result.invitations.groups);
    if (!shut) result.problems.push_back(Describe(shut.error()));
  }
  ShutOutExpired();
  const auto mine = GRANTFS_TRY(EnvironmentsWith(Operation::kManageMembers));
  result.not_owned = EnvironmentsBeside(mine);
  if (machine) {
    for (const std::string& environment : mine) LeaveGroups(id, environment, reason, result);
    RevokeRemoved(id, reason, result);
  } else {
    for (const std::string& environment : mine) {
      const auto* list = keeper_->FindEnvironment(environment);
      if (!list->RoleOf(id)) continue;
      const Status removed = RemoveMember(environment, id.Hex(), reason);
      if (!removed) result.problems.push_back(Describe(removed.error()));
    }
  }
  return result;
}

// One secret that cannot be revoked must not keep the others.
void OwnerSessionImpl::RevokeRemoved(const Hash& id, const std::string& reason,
                                     RemoveIdentityResult& result) {
  const auto mine = SecretsOfMine();
  if (!mine) {
    result.problems.push_back(Describe(mine.error()));
    return;
  }
  std::size_t done = 0;
  for (const Listed& listed : *mine) {
    const auto list = keeper_->RefreshSecret(listed.number, listed.name, listed.head);
    Report("revoking", ++done, mine->size());
    if (!list) {
      result.problems.push_back(Describe(list.error()));
      continue;
    }
    if (!IsGrantedTo(*list, id.Hex())) continue;
    auto revoked = RevokeListed(id.Hex(), {listed.name}, reason, false, std::chrono::milliseconds(0));
    if (!revoked) {
      result.problems.push_back(Describe(revoked.error()));
      continue;
    }
    result.reads_known = result.reads_known && revoked->reads_known;
    result.revoked.push_back(listed.name);
    for (auto& report : revoked->read) result.read.push_back(std::move(report));
  }
}

Status OwnerSessionImpl::CheckOwed(const std::string& environment, std::vector<std::string>& owed) {
  const VaultList& vault = keeper_->vault();
  if (!keeper_->FindEnvironment(environment)->HasFollowedRecovery(vault))
    owed.push_back("the key of " + environment +
                   " is not sealed to the new recovery identity: run grantfs recovery follow");
  GRANTFS_CHECK(CheckGroupsOwed(environment, owed));  // a machine, or an invitation, may have ended by itself
  bool any = false;
  for (const auto& statement : vault.Statements())
    any = any || IsAnyOf<IdentityRemove, IdentityReplace>(statement->statement().act);
  if (!any) return {};
  for (const auto& [id, member] : keeper_->FindEnvironment(environment)->members()) {
    if (!member.present || !vault.IsRemoved(id)) continue;
    if (const Identity* now = vault.ReplacementOf(id); now != nullptr && !vault.IsRemoved(now->Id())) {
      owed.push_back(member.identity.name + " has a new key in the vault, fingerprint " + now->Fingerprint() +
                     ", and the role in " + environment +
                     " is the one's before: ask whether it is so, then run grantfs member rekey " +
                     environment + " " + member.identity.name);
      continue;
    }
    owed.push_back(member.identity.name + " was removed from the vault and is still a member of " +
                   environment + ", whose owner has to remove him there too");
  }
  for (const Listed& listed : GRANTFS_TRY(ListNames(environment, {}))) {
    const auto list = keeper_->RefreshSecret(listed.number, listed.name, listed.head);
    if (!list) {
      owed.push_back(Describe(list.error()));
      continue;
    }
    for (const auto& [key, standing] : list->grants()) {
      const Grantee& grantee = standing.grant.grantee;
      if (!vault.IsRemoved(grantee.id)) continue;
      owed.push_back(grantee.name + " was removed from the vault and is still granted " + listed.name.Full() +
                     ": run grantfs revoke " + Unmistakable(*list, grantee) + " " + listed.name.Full());
    }
  }
  return {};
}

}  // namespace grantfs

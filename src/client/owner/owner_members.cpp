#include <map>
#include <optional>

#include "client/connection/problem_internal.h"
#include "grantfs/api/secrets.h"
#include "grantfs/trust/consent.h"
#include "owner_internal.h"

namespace grantfs {
namespace {

bool HoldsKey(Role role) { return RoleAllows(role, Operation::kReadValue); }

Result<Hash> MemberNamed(const EnvironmentList& environment, const std::string& name) {
  std::optional<Hash> found;
  for (const auto& [id, member] : environment.members()) {
    if (!member.present || (member.identity.name != name && id.Hex() != name)) continue;
    if (found) {
      return Error{Code::kInvalid,
                   "several members of this environment have this name: name the one that you mean by its id",
                   0, name + " of " + environment.name()};
    }
    found = id;
  }
  if (found) return *found;
  return Error{Code::kNotFound, "is no member of this environment", 0, name + " of " + environment.name()};
}

}  // namespace

Result<Identity> OwnerSessionImpl::FindPerson(const std::string& name) {
  GRANTFS_CHECK(keeper_->RefreshVault());
  const VaultList& vault = keeper_->vault();
  std::map<Hash, Identity> found;
  for (const auto& all : {vault.Owners(), vault.People()}) {
    for (const Identity& one : all) {
      if ((one.name == name || one.Id().Hex() == name) && !vault.IsRemoved(one.Id()))
        found.emplace(one.Id(), one);
    }
  }
  if (found.size() == 1) return found.begin()->second;
  if (!found.empty()) {
    return Error{
        Code::kInvalid,
        "several have this name; name the one that you mean by its id (grantfs identity list --json)", 0,
        name};
  }
  return Error{Code::kNotFound,
               "is no user or agent of this vault: an owner of the vault lets one in with grantfs invite "
               "--kind user (or agent) and grantfs approve; machines have grants, and no role",
               0, name};
}

Result<std::vector<std::string>> OwnerSessionImpl::AddMember(const std::string& environment,
                                                             const Identity& member, Role role,
                                                             const std::string& prefix,
                                                             const std::string& reason) {
  using Ids = std::vector<std::string>;
  return Retry([&]() -> Result<Ids> {
    GRANTFS_CHECK(Enter(environment, Operation::kManageMembers));
    EnvironmentList list = *keeper_->FindEnvironment(environment);
    if (keeper_->vault().IsRemoved(member.Id())) {
      return Error{Code::kDenied, "was removed from the vault and can be no member", 0, member.name};
    }
    if (const auto* has = list.TenureOf(member.Id()); has != nullptr) {
      if (has->role != role || has->prefix != prefix) {
        GRANTFS_CHECK(ChangeMember(std::move(list), {member.Id(), role, prefix, {}, {}}, reason));
        return Ids{};
      }
      return Settled({Code::kConflict, "has this role already: grantfs member list shows who has which", 0,
                      member.name + " of " + environment});
    }
    MemberAdd add{member, role, prefix, {}};
    if (NeedsTwoOwners(add, list.two_owners())) {
      add.copy.bytes[0] = 1;  // whoever signs second seals the key, and says its hash
      return Propose(environment, {ConsentTo(list, keeper_->UpperOf(environment), add)}, reason);
    }
    NewEpoch copy;
    if (HoldsKey(role)) {
      copy = GRANTFS_TRY(CopyFor(list, member));
      add.copy = Blake2b256({copy.copies.front().sealed});
    }
    const auto made = GRANTFS_TRY(Next(list, {&keeper_->vault(), nullptr}, add, reason));
    if (!copy.copies.empty()) GRANTFS_CHECK(StageEpoch(environment, copy));
    GRANTFS_TRY(Submit({{list.id(), {made}, {}}}));
    return Ids{};
  });
}

// What the role that ends has signed needs a successor, as where somebody leaves.
Status OwnerSessionImpl::ChangeMember(EnvironmentList list, MemberChange change, const std::string& reason) {
  const auto& member = list.members().at(change.id);
  if (change.id == me_.Id())
    return Error{Code::kInvalid, "you cannot change your own role: another owner of the environment can", 0,
                 member.identity.name};
  if (NeedsTwoOwners(change, list.two_owners()))
    return Error{Code::kDenied,
                 "this environment asks two owners for a new owner, and a change of role is one's alone: let "
                 "the person enrol with a new key, and add that as owner",
                 0, member.identity.name};
  NewEpoch keys;
  if (HoldsKey(member.role) && !HoldsKey(change.role)) {
    keys = GRANTFS_TRY(EpochWithout(list, change.id));
    change.epoch = keys.epoch;
  } else if (!HoldsKey(member.role) && HoldsKey(change.role)) {
    keys = GRANTFS_TRY(CopyFor(list, member.identity));
    change.copy = Blake2b256({keys.copies.front().sealed});
  }
  const EnvironmentList before = list;
  std::vector<StatementPtr> made{GRANTFS_TRY(Next(list, {&keeper_->vault(), nullptr}, change, reason))};
  GRANTFS_CHECK(VouchBefore(list, change.id, made.front(), reason));
  GRANTFS_CHECK(VouchInGroups(list, reason));
  if (!keys.copies.empty()) GRANTFS_CHECK(StageEpoch(list.name(), keys));
  if (change.epoch) {
    for (auto& started : GRANTFS_TRY(NextGroupEpochs(before, list, keeper_->vault(), reason)))
      made.push_back(std::move(started));
  }
  GRANTFS_TRY(Submit({{list.id(), std::move(made), {}}}));
  return {};
}

Status OwnerSessionImpl::RemoveMemberOnce(const std::string& environment, const Hash& id,
                                          const std::string& reason, const Identity* instead) {
  EnvironmentList list = *keeper_->FindEnvironment(environment);
  const auto* has = list.TenureOf(id);
  if (has == nullptr) return {};
  const bool reads = HoldsKey(has->role);
  const UpperLists upper{&keeper_->vault(), nullptr};
  const EnvironmentList before = list;
  std::vector<StatementPtr> made;
  NewEpoch copy, epoch;
  if (instead != nullptr) {  // first, so that the new key is sealed to it as to everybody
    MemberAdd add{*instead, has->role, has->prefix, {}};
    if (reads) {
      copy = GRANTFS_TRY(CopyFor(list, *instead));
      add.copy = Blake2b256({copy.copies.front().sealed});
    }
    made.push_back(GRANTFS_TRY(Next(list, upper, add, reason)));
  }
  MemberRemove remove{id, {}};
  if (reads) {
    epoch = GRANTFS_TRY(EpochWithout(list, id));
    remove.epoch = epoch.epoch;
  }
  made.push_back(GRANTFS_TRY(Next(list, upper, remove, reason)));
  GRANTFS_CHECK(VouchBefore(list, id, made.back(), reason));
  GRANTFS_CHECK(VouchInGroups(list, reason));
  if (!copy.copies.empty()) GRANTFS_CHECK(StageEpoch(environment, copy));
  if (remove.epoch) {
    GRANTFS_CHECK(StageEpoch(environment, epoch));
    for (auto& started : GRANTFS_TRY(NextGroupEpochs(before, list, keeper_->vault(), reason)))
      made.push_back(std::move(started));
  }
  GRANTFS_TRY(Submit({{list.id(), std::move(made), {}}}));
  return {};
}

Status OwnerSessionImpl::RemoveMember(const std::string& environment, const std::string& name,
                                      const std::string& reason) {
  return Retry([&]() -> Status {
    GRANTFS_CHECK(Enter(environment, Operation::kManageMembers));
    const Hash id = GRANTFS_TRY(MemberNamed(*keeper_->FindEnvironment(environment), name));
    if (id == me_.Id())
      return Error{Code::kInvalid, "you cannot remove yourself: another owner of the environment can", 0,
                   name};
    return RemoveMemberOnce(environment, id, reason);
  });
}

Status OwnerSessionImpl::AddVaultOwner(const Identity& owner, const std::string& reason) {
  return Retry([&]() -> Status {
    GRANTFS_CHECK(RequireVaultOwner());
    VaultList vault = keeper_->vault();
    if (vault.IsOwner(owner.Id()))
      return Settled({Code::kConflict, "is an owner of the vault already", 0, owner.name});
    const auto made = GRANTFS_TRY(Next(vault, {}, VaultOwnerAdd{owner}, reason));
    GRANTFS_TRY(Submit({{ListId::Vault(), {made}, {}}}));
    return {};
  });
}

Status OwnerSessionImpl::RemoveVaultOwner(const std::string& name, const std::string& reason) {
  return Retry([&]() -> Status {
    GRANTFS_CHECK(RequireVaultOwner());
    for (const Identity& owner : keeper_->vault().Owners()) {
      if (owner.Id() == me_.Id() && (owner.name == name || owner.Id().Hex() == name))
        return Error{Code::kInvalid, "you cannot remove yourself: another owner can", 0, name};
      if (owner.name == name || owner.Id().Hex() == name)
        return RemoveVaultOwnerOnce(owner.Id(), reason, nullptr);
    }
    return Error{Code::kNotFound, "is no owner of this vault: grantfs owner list shows who is", 0, name};
  });
}

// The removal itself is the successor that his statements in the vault's list need.
Result<std::vector<SignedList::StatementPtr>> OwnerSessionImpl::EndPromises(const Hash& owner,
                                                                            const VaultList& after,
                                                                            MachinesList& machines,
                                                                            const std::string& reason) {
  std::vector<StatementPtr> made;
  const UpperLists upper{&keeper_->vault(), nullptr};
  if (!machines.CheckStanding({&after, nullptr}))
    made.push_back(GRANTFS_TRY(Next(machines, upper, Vouch{}, reason)));
  // Nobody is let in by what he has promised to strangers.
  for (const auto& [standing, entry] : keeper_->machines().standing()) {
    if (entry.issuer != owner || entry.withdrawn) continue;
    expired_standing_.insert(standing);
    made.push_back(GRANTFS_TRY(Next(machines, upper, InvitationWithdraw{standing}, reason)));
  }
  return made;
}

Status OwnerSessionImpl::RemoveVaultOwnerOnce(const Hash& id, const std::string& reason,
                                              RemoveIdentityResult* identity_too) {
  GRANTFS_CHECK(keeper_->RefreshMachines());
  VaultList vault = keeper_->vault();
  KnownStore::Verified removal{ListId::Vault(), {}, {}};
  const std::string name = NameOf(id);
  removal.statements.push_back(GRANTFS_TRY(Next(vault, {}, VaultOwnerRemove{id}, reason)));
  if (identity_too != nullptr && !vault.IsRemoved(id)) {
    removal.statements.push_back(GRANTFS_TRY(Next(vault, {}, IdentityRemove{id, name}, reason)));
  }
  Batch batch{removal};
  MachinesList machines = keeper_->machines();
  KnownStore::Verified more{ListId::Machines(), GRANTFS_TRY(EndPromises(id, vault, machines, reason)), {}};
  if (identity_too != nullptr) {
    identity_too->invitations = {};
    for (auto& made : GRANTFS_TRY(Withdraw(machines, name, reason, identity_too->invitations)))
      more.statements.push_back(std::move(made));
  }
  if (!more.statements.empty()) batch.push_back(std::move(more));
  GRANTFS_TRY(Submit(batch));
  ShutOutExpired();
  return {};
}

}  // namespace grantfs

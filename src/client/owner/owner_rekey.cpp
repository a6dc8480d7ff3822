// Another key in the place of somebody's: in the vault's list, then in each environment where he has a role.

#include <algorithm>

#include "grantfs/api/enrolments.h"
#include "grantfs/trust/consent.h"
#include "owner_internal.h"

namespace grantfs {
namespace {

/// Whether enough owners are left beside one, whom the vault does not refuse, to give somebody a role.
bool CanGoOnWithout(const EnvironmentList& list, const VaultList& vault, const Hash& one) {
  const auto others = std::count_if(list.members().begin(), list.members().end(), [&](const auto& member) {
    return member.first != one && list.RoleOf(member.first) == Role::kOwner && !vault.IsRemoved(member.first);
  });
  return others >= (list.two_owners() ? 2 : 1);
}

/// The invitations of that name that are open still.
std::vector<std::string> OthersFor(const MachinesList& machines, const std::string& name) {
  std::vector<std::string> open;
  for (const auto& [id, entry] : machines.invitations()) {
    const bool usable = entry.state == MachinesList::InvitationState::kOpen && entry.invitation.name == name;
    if (usable && open.size() < kTidiedAtOnce) open.push_back(id);
  }
  return open;
}

/// The member of that name or id whose key was replaced.
Result<Hash> ReplacedMember(const EnvironmentList& list, const VaultList& vault, const std::string& name) {
  std::optional<Hash> found;
  for (const auto& [id, member] : list.members()) {
    const bool named = member.identity.name == name || id.Hex() == name;
    if (!named || !member.present || vault.ReplacementOf(id) == nullptr) continue;
    if (found)
      return Error{
          Code::kInvalid,
          "several keys of this name were replaced: name the one that you mean by its id (grantfs member "
          "list --json)",
          0, name + " of " + list.name()};
    found = id;
  }
  if (found) return *found;
  return Error{Code::kNotFound,
               "no member of this name has a new key in the vault: grantfs member list shows who has", 0,
               name + " of " + list.name()};
}

}  // namespace

Status CheckRekeyed(const Identity& who, IdentityKind kind, const Hash& me) {
  if (who.Id() == me)
    return Error{
        Code::kInvalid,
        "you cannot replace your own key: another owner of the vault can, or, where there is none, the "
        "recovery code makes a new owner (grantfs recover), who removes the key before",
        0, who.name};
  if (who.kind == kind) return {};
  return Error{Code::kInvalid, "a new key is of the same kind as the one before", 0, who.name};
}

/// One run of it.
class OwnerSessionImpl::Rekeyer {
 public:
  Rekeyer(OwnerSessionImpl& session, const RekeyOptions& options) : s_(session), options_(options) {}

  Result<RekeyResult> Approve(const std::string& name) {
    const Status replaced = s_.Retry([&] { return Replace(name); });
    GRANTFS_CHECK(replaced);
    s_.ShutOutExpired();
    const auto environments = s_.keeper_->vault().environments();
    for (const auto& [environment, entry] : environments) {
      const Status followed = FollowAll(environment);
      if (!followed) result_.problems.push_back(environment + ": " + Describe(followed.error()));
    }
    return std::move(result_);
  }

  Result<RekeyResult> InOne(const std::string& environment, const std::string& name) {
    GRANTFS_CHECK(s_.Enter(environment, Operation::kManageMembers));
    const VaultList& vault = s_.keeper_->vault();
    before_ = GRANTFS_TRY(ReplacedMember(*s_.keeper_->FindEnvironment(environment), vault, name));
    const Identity now = *vault.ReplacementOf(before_);
    if (!options_.fingerprint.empty() && !SameFingerprint(options_.fingerprint, now.Fingerprint()))
      return Error{
          Code::kIntegrity,
          "the new key has another fingerprint than the one given: ask the person, and whoever let it in", 0,
          now.name + " " + now.Fingerprint()};
    if (vault.IsRemoved(now.Id()))
      return Error{Code::kDenied,
                   "the new key was removed from the vault too: grantfs member remove ends the role", 0,
                   now.name};
    Tell(now, vault);
    GRANTFS_CHECK(Follow(environment, before_));
    return std::move(result_);
  }

 private:
  void Tell(const Identity& now, const VaultList& vault) {
    result_.name = now.name;
    result_.id = now.Id().Hex();
    result_.fingerprint = now.Fingerprint();
    result_.before = before_.Hex();
    result_.vault_owner = vault.IsOwner(now.Id());
  }

  // ---- in the vault's list, and in that of machines, which has the use of the invitation
  Status Replace(const std::string& name) {
    GRANTFS_CHECK(s_.RequireVaultOwner());
    GRANTFS_CHECK(s_.keeper_->RefreshMachines());
    const auto sent =
        GRANTFS_TRY(s_.vault_->Ask<api::EnrolmentsResponse>(api::kEnrolmentsList, api::Nothing{}));
    const auto chosen = ChooseWaiting(sent.enrolments, s_.keeper_->machines(), s_.home_.profile().vault, name,
                                      options_.fingerprint);
    if (!chosen) return s_.Settled(chosen.error());
    const Identity who = GRANTFS_TRY(s_.FindPerson(name));
    GRANTFS_CHECK(CheckRekeyed(who, chosen->identity.kind, s_.me_.Id()));
    before_ = who.Id();
    GRANTFS_CHECK(CheckOrphans(who));
    const UpperLists upper{&s_.keeper_->vault(), nullptr};
    VaultList vault = s_.keeper_->vault();
    MachinesList machines = s_.keeper_->machines();
    KnownStore::Verified to_vault{ListId::Vault(), {}, {}}, to_machines{ListId::Machines(), {}, {}};
    const IdentityReplace replace{before_, chosen->identity};
    to_vault.statements.push_back(GRANTFS_TRY(s_.Next(vault, {}, replace, options_.reason)));
    auto& made = to_machines.statements;
    made = GRANTFS_TRY(s_.EndPromises(before_, vault, machines, options_.reason));
    for (auto& ended : GRANTFS_TRY(s_.Tidy(machines))) made.push_back(std::move(ended));
    made.push_back(GRANTFS_TRY(s_.Next(machines, upper, MachineApprove{*chosen, 0}, options_.reason)));
    for (const std::string& other : OthersFor(machines, name))  // another line for her may be in other hands
      made.push_back(GRANTFS_TRY(s_.Next(machines, upper, InvitationWithdraw{other}, options_.reason)));
    GRANTFS_TRY(s_.Submit({to_vault, to_machines}));
    Tell(chosen->identity, vault);
    return {};
  }

  // Who holds the key before can still make another owner there; once it is replaced nobody can.
  Status CheckOrphans(const Identity& who) {
    result_.orphans.clear();
    for (const auto& [name, entry] : s_.keeper_->vault().environments()) {
      const Status seen = s_.keeper_->RefreshEnvironment(name);
      if (!seen && options_.lost) continue;  // one that does not verify keeps no stolen key alive
      GRANTFS_CHECK(seen);
      const EnvironmentList& list = *s_.keeper_->FindEnvironment(name);
      if (list.RoleOf(before_) == Role::kOwner && !CanGoOnWithout(list, s_.keeper_->vault(), before_))
        result_.orphans.push_back(name);
    }
    if (result_.orphans.empty() || options_.lost) return {};
    return s_.Settled({Code::kConflict,
                       "without that one too few owners are left there to give the new key the role: with "
                       "the key before, make "
                       "somebody else an owner first (grantfs member add); where it is lost, say --lost",
                       0, who.name + " of " + result_.orphans.front()});
  }

  // ---- in an environment
  // Also of keys that were replaced before this one, where nobody has followed.
  Status FollowAll(const std::string& environment) {
    GRANTFS_CHECK(s_.RefreshUpper(environment));
    const EnvironmentList& list = *s_.keeper_->FindEnvironment(environment);
    std::vector<Hash> before;
    for (const auto& [id, member] : list.members()) {
      const Identity* now = member.present ? s_.keeper_->vault().ReplacementOf(id) : nullptr;
      if (now != nullptr && now->Id().Hex() == result_.id) before.push_back(id);
    }
    if (!before.empty() && list.RoleOf(s_.me_.Id()) != Role::kOwner) {
      result_.others.push_back(environment);
      return {};
    }
    for (const Hash& id : before) GRANTFS_CHECK(Follow(environment, id));
    return {};
  }

  Status Follow(const std::string& environment, const Hash& before) {
    std::optional<Identity> proposed;
    bool moved = false;
    const Status followed = s_.Retry([&]() -> Status {
      proposed.reset();
      GRANTFS_CHECK(s_.Enter(environment, Operation::kManageMembers));
      const EnvironmentList& list = *s_.keeper_->FindEnvironment(environment);
      const auto* has = list.TenureOf(before);
      if (has == nullptr) return {};
      const Identity now = *s_.keeper_->vault().ReplacementOf(before);
      const bool member = list.RoleOf(now.Id()).has_value();
      const MemberAdd add{now, has->role, has->prefix, {}};
      if (!member && NeedsTwoOwners(add, list.two_owners())) proposed = now;
      GRANTFS_CHECK(
          s_.RemoveMemberOnce(environment, before, options_.reason, member || proposed ? nullptr : &now));
      moved = true;
      return {};
    });
    GRANTFS_CHECK(followed);
    if (!proposed) {
      if (moved) result_.environments.push_back(environment);
      return {};
    }
    // It ends by one owner's word, and begins by two.
    auto ids = s_.AddMember(environment, *proposed, Role::kOwner, "", options_.reason);
    if (!ids)
      return Error{
          ids.error().code,
          "the role of the key before has ended, and the new one has none: grantfs member add gives it", 0,
          Describe(ids.error())};
    for (std::string& id : *ids) result_.waiting.push_back(std::move(id));
    return {};
  }

  OwnerSessionImpl& s_;
  const RekeyOptions& options_;
  RekeyResult result_;
  Hash before_;
};

Result<RekeyResult> OwnerSessionImpl::ApproveRekey(const std::string& name, const RekeyOptions& options) {
  return Rekeyer(*this, options).Approve(name);
}

Result<RekeyResult> OwnerSessionImpl::RekeyMember(const std::string& environment, const std::string& name,
                                                  const RekeyOptions& options) {
  return Rekeyer(*this, options).InOne(environment, name);
}

}  // namespace grantfs

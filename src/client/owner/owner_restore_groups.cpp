// An environment's groups, when a backup is accepted: nobody whom this home saw leave one comes back, and no
// key that he has goes on.

#include <algorithm>

#include "owner_restore_internal.h"

namespace grantfs {

Result<OwnerSessionImpl::Restorer::Groups> OwnerSessionImpl::Restorer::CompareGroups(
    const EnvironmentList& list) {
  Groups groups;
  for (const auto& [number, group] : list.groups().all()) {
    GroupList served = GRANTFS_TRY(s_.keeper_->FetchServedGroup(number, {&vault_, &list}));
    Compared compared = GRANTFS_TRY(Compare(served));
    Tell(list.name() + "@" + group.name, compared);
    groups.emplace(number, ComparedGroup{std::move(served), std::move(compared)});
  }
  if (groups.empty() || vault_owner_ || GRANTFS_TRY(Compare(machines_)).nothing()) return groups;
  return Error{
      Code::kConflict,
      "machines that were removed have come back with the backup, and its groups' keys are not sealed to "
      "them: an owner of the vault runs grantfs restore first",
      0, list.name()};
}

Status OwnerSessionImpl::Restorer::StartGroupEpoch(EnvironmentList& list, const EnvironmentList& before,
                                                   const GroupList& group, KnownStore::Verified& append) {
  const UnsealKey previous = GRANTFS_TRY(s_.GroupKeyOf(before, *before.groups().Find(group.id().number)));
  append.statements.push_back(
      GRANTFS_TRY(s_.NextGroupEpoch(list, {&vault_, &machines_}, group, previous, options_.reason)));
  return {};
}

Status OwnerSessionImpl::Restorer::AddToOwnList(EnvironmentList& list, const Undone& undone,
                                                KnownStore::Verified& append) {
  const auto add = [&](Act act) -> Status {
    append.statements.push_back(
        GRANTFS_TRY(s_.Next(list, {&vault_, nullptr}, std::move(act), options_.reason)));
    ++result_.repeated;
    return {};
  };
  for (const auto& [prefix, group] : undone.prefixes) GRANTFS_CHECK(add(PrefixRevoke{prefix, group}));
  for (const auto& wider : undone.wider_prefixes) {
    const PrefixGrant& grant = std::get<PrefixGrant>(wider->statement().act);
    const std::uint64_t group = grant.grant.grantee.number;
    GRANTFS_CHECK(list.two_owners() ? add(PrefixRevoke{grant.prefix, group}) : add(grant));
    if (list.two_owners()) SayGrantAnew(list.name() + "/" + grant.prefix, "@" + grant.grant.grantee.name);
  }
  for (const std::uint64_t group : undone.groups) GRANTFS_CHECK(add(GroupDelete{group}));
  return {};
}

// The signatures of two were of a place in the list that is lost.
void OwnerSessionImpl::Restorer::SayGrantAnew(const std::string& what, const std::string& who) {
  result_.problems.push_back(
      what + ": what was granted to " + who +
      " in the place of a grant that came back needs two owners: both are ended, grant it anew");
}

// An invitation lets nobody in who came by it after it had ended: what this home has not seen may be that.
Status OwnerSessionImpl::Restorer::AddToGroup(ComparedGroup& group, const UpperLists& upper,
                                              KnownStore::Verified& append) {
  const Compared& compared = group.compared;
  if (compared.needs_restore)
    append.statements.push_back(GRANTFS_TRY(SignRestore(group.list, upper, compared, {})));
  const auto add = [&](Act act) -> Status {
    append.statements.push_back(GRANTFS_TRY(s_.Next(group.list, upper, std::move(act), options_.reason)));
    ++result_.repeated;
    return {};
  };
  const auto& left = compared.undone.left;
  for (std::size_t from = 0; from < left.size(); from += kMaxGroupMachinesRemoved) {
    const std::size_t end = std::min(from + kMaxGroupMachinesRemoved, left.size());
    GRANTFS_CHECK(add(GroupMachinesRemove{{left.begin() + static_cast<std::ptrdiff_t>(from),
                                           left.begin() + static_cast<std::ptrdiff_t>(end)}}));
  }
  for (const auto& [number, last] : compared.undone.shut)
    GRANTFS_CHECK(add(GroupInvitationRemove{number, std::min(last, last_machine_)}));
  return CheckRestored(compared.seen, group.list);
}

// The groups' statements name the environment's list as it was; their next keys are sealed to its new one.
Status OwnerSessionImpl::Restorer::AcceptGroups(EnvironmentList& list, const Compared& compared,
                                                Groups& groups) {
  const EnvironmentList before = list;
  KnownStore::Verified own{list.id(), {}, {}};
  NewEpoch epoch;
  if (compared.needs_restore) {
    epoch = GRANTFS_TRY(EpochFor(list, {}));
    Restore act;
    act.epoch = epoch.epoch;
    act.two_owners = ListMemory::Of(compared.seen).two_owners;
    own.statements.push_back(GRANTFS_TRY(SignRestore(list, {&vault_, nullptr}, compared, std::move(act))));
    result_.new_epochs.push_back(list.name());
  }
  GRANTFS_CHECK(AddToOwnList(list, compared.undone, own));
  Batch batch;
  for (auto& [number, group] : groups) {
    if (list.groups().Find(number) == nullptr) continue;
    KnownStore::Verified append{group.list.id(), {}, {}};
    GRANTFS_CHECK(AddToGroup(group, {&vault_, &before}, append));
    const auto& undone = group.compared.undone;
    const bool due = compared.needs_restore || !undone.left.empty() || !undone.shut.empty();
    if (due && !options_.dry_run) GRANTFS_CHECK(StartGroupEpoch(list, before, group.list, own));
    if (!append.statements.empty()) batch.push_back(std::move(append));
  }
  if (!own.statements.empty()) batch.push_back(std::move(own));
  if (!options_.dry_run) {
    if (compared.needs_restore) GRANTFS_CHECK(s_.StageEpoch(list.name(), epoch));
    if (!batch.empty()) GRANTFS_TRY(s_.Send(batch));
  }
  if (compared.needs_restore)
    s_.epoch_keys_[list.name()].insert_or_assign(epoch.epoch.number, std::move(epoch.key));
  return {};
}

// What was signed in the lists of groups by one who goes needs a successor before he does.
Status OwnerSessionImpl::Restorer::VouchInGroups(const EnvironmentList& list, const EnvironmentList& after,
                                                 Groups& groups) {
  Batch batch;
  for (auto& [number, group] : groups) {
    if (list.groups().Find(number) == nullptr || group.list.CheckStanding({&vault_, &after})) continue;
    const UpperLists upper{&vault_, &list};
    batch.push_back(
        {group.list.id(), {GRANTFS_TRY(s_.Next(group.list, upper, Vouch{}, options_.reason))}, {}});
  }
  if (!batch.empty() && !options_.dry_run) GRANTFS_TRY(s_.Send(batch));
  return {};
}

}  // namespace grantfs

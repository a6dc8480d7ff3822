// An environment's part of accepting a backup, and its secrets'.

#include <algorithm>
#include <utility>

#include "grantfs/api/lists.h"
#include "lost_statements_internal.h"
#include "owner_restore_internal.h"

namespace grantfs {
namespace {

/// As kGap, for the numbers of a secret's versions, of which there are fewer.
constexpr std::uint32_t kVersionGap = 1000;

}  // namespace

Status OwnerSessionImpl::Restorer::LookAt(const std::string& environment, const EnvironmentList& list) {
  Note(GRANTFS_TRY(Compare(list)));
  const auto served = GRANTFS_TRY(s_.ListNames(environment, {}));
  std::set<std::uint64_t> there;
  for (const Listed& listed : served) {
    there.insert(listed.number);
    const auto known = GRANTFS_TRY(s_.known_->HighestHead(ListId::Secret(listed.number)));
    if (known == listed.head) continue;
    const SecretList secret = GRANTFS_TRY(s_.keeper_->FetchServedSecret(listed.number, {&vault_, &list}));
    Note(GRANTFS_TRY(Compare(secret)));
  }
  // One that the vault does not have at all, though it was seen; after a restore that may be so for good.
  if (list.LastRestore() != nullptr) return {};
  for (const auto& known : GRANTFS_TRY(s_.known_->NumbersIn(environment)))
    if (!there.contains(known.number)) fresh_ = fresh_ || !GRANTFS_TRY(s_.IsSeenDestroyed(known.number));
  return {};
}

Result<NewEpoch> OwnerSessionImpl::Restorer::EpochFor(const EnvironmentList& list, const std::set<Hash>& without) {
  std::vector<Identity> stay;
  for (const Identity& one : list.EpochRecipients(vault_))
    if (!without.contains(one.Id())) stay.push_back(one);
  const UnsealKey* key = GRANTFS_TRY(s_.EpochKey(list, list.newest_epoch().number));
  return MakeEpoch(stay, &list.newest_epoch(), key);
}

// Each starts a key of its own where its member held the one before. What follows is signed over the list as it
// is without them, so that their acts have a successor when they go.
Result<std::vector<OwnerSessionImpl::Restorer::Removal>> OwnerSessionImpl::Restorer::Removals(
    EnvironmentList& after, const Compared& compared) {
  std::vector<Removal> removals;
  for (const Hash& id : compared.undone.members) {
    const auto role = after.RoleOf(id);
    if (!role) continue;
    Removal removal;
    MemberRemove act{id, {}};
    removal.has_epoch = RoleAllows(*role, Operation::kReadValue);
    if (removal.has_epoch) {
      removal.epoch = GRANTFS_TRY(EpochFor(after, {id}));
      act.epoch = removal.epoch.epoch;
      auto& keys = s_.epoch_keys_[after.name()];
      keys.insert_or_assign(act.epoch->number, std::move(removal.epoch.key));
    }
    removal.statement = GRANTFS_TRY(s_.Next(after, {&vault_, nullptr}, std::move(act), options_.reason));
    removals.push_back(std::move(removal));
    ++result_.repeated;
  }
  for (const MemberChange& change : compared.undone.changed)
    removals.push_back(GRANTFS_TRY(ChangeBack(after, change)));
  const auto add = [&](Act act) -> Status {
    Removal removal;
    removal.statement = GRANTFS_TRY(s_.Next(after, {&vault_, nullptr}, std::move(act), options_.reason));
    removals.push_back(std::move(removal));
    ++result_.repeated;
    return {};
  };
  // With a group go the grants to it.
  for (const auto& [prefix, group] : compared.undone.prefixes) GRANTFS_CHECK(add(PrefixRevoke{prefix, group}));
  for (const std::uint64_t group : compared.undone.groups) GRANTFS_CHECK(add(GroupDelete{group}));
  return removals;
}

Result<OwnerSessionImpl::Restorer::Removal> OwnerSessionImpl::Restorer::ChangeBack(EnvironmentList& after,
                                                                                   MemberChange change) {
  const EnvironmentList::Member& member = after.members().at(change.id);
  const bool reads = RoleAllows(member.role, Operation::kReadValue);
  const bool will_read = RoleAllows(change.role, Operation::kReadValue);
  Removal removal;
  removal.has_epoch = reads != will_read;
  if (reads && !will_read) {
    removal.epoch = GRANTFS_TRY(EpochFor(after, {change.id}));
    change.epoch = removal.epoch.epoch;
    s_.epoch_keys_[after.name()].insert_or_assign(change.epoch->number, std::move(removal.epoch.key));
  } else if (will_read && !reads) {
    removal.epoch = GRANTFS_TRY(s_.CopyFor(after, member.identity));
    change.copy = Blake2b256({removal.epoch.copies.front().sealed});
  }
  removal.statement = GRANTFS_TRY(s_.Next(after, {&vault_, nullptr}, std::move(change), options_.reason));
  ++result_.repeated;
  return removal;
}

Status OwnerSessionImpl::Restorer::AcceptEnvironment(const std::string& environment, EnvironmentList list) {
  const UpperLists upper{&vault_, nullptr};
  const Compared compared = GRANTFS_TRY(Compare(list));
  Tell(environment, compared);
  if (ListMemory::Of(compared.seen).two_owners && !list.two_owners())
    result_.problems.push_back(environment +
                               ": the backup is from before two owners had to sign there, so one is enough again: "
                               "turn the rule on anew");
  if (compared.needs_restore) {
    NewEpoch epoch = GRANTFS_TRY(EpochFor(list, {}));
    Restore act;
    act.epoch = epoch.epoch;
    const EnvironmentList before = list;
    std::vector<StatementPtr> made{GRANTFS_TRY(SignRestore(list, upper, compared, std::move(act)))};
    result_.new_epochs.push_back(environment);
    if (!options_.dry_run) {
      Batch batch;
      GRANTFS_CHECK(AcceptGroups(before, list, made, batch));
      GRANTFS_CHECK(s_.StageEpoch(environment, epoch));
      batch.push_back({list.id(), std::move(made), {}});
      GRANTFS_TRY(s_.Send(batch));
    }
    s_.epoch_keys_[environment].insert_or_assign(epoch.epoch.number, std::move(epoch.key));
  }
  EnvironmentList after = list;
  const auto removals = GRANTFS_TRY(Removals(after, compared));
  GRANTFS_CHECK(AcceptSecrets(list, after));
  if (options_.dry_run) return {};
  // Signed anew, as their groups' epochs come between them.
  for (const Removal& removal : removals) {
    const EnvironmentList before = list;
    std::vector<StatementPtr> made{
        GRANTFS_TRY(s_.Next(list, upper, removal.statement->statement().act, options_.reason))};
    Batch batch;
    if (list.epochs().size() != before.epochs().size()) GRANTFS_CHECK(AcceptGroups(before, list, made, batch));
    if (removal.has_epoch) GRANTFS_CHECK(s_.StageEpoch(environment, removal.epoch));
    batch.push_back({list.id(), std::move(made), {}});
    GRANTFS_TRY(s_.Send(batch));
  }
  return s_.keeper_->RefreshEnvironment(environment);
}

Status OwnerSessionImpl::Restorer::AcceptGroups(const EnvironmentList& before, EnvironmentList& after,
                                                std::vector<StatementPtr>& started, Batch& batch) {
  if (before.groups().all().empty()) return {};
  GRANTFS_CHECK(s_.keeper_->RefreshMachines());
  const UpperLists upper{&vault_, &before};
  for (const auto& [number, group] : before.groups().all()) {
    GroupList list = GRANTFS_TRY(s_.keeper_->FetchServedGroup(before.name(), number, upper));
    GRANTFS_CHECK(list.CheckGenesis(before));
    const Compared compared = GRANTFS_TRY(Compare(list));
    Tell("@" + group.name + " of " + before.name(), compared);
    KnownStore::Verified append{list.id(), {}, {}};
    if (compared.needs_restore)
      append.statements.push_back(GRANTFS_TRY(SignRestore(list, upper, compared, {})));
    const auto add = [&](Act act) -> Status {
      append.statements.push_back(GRANTFS_TRY(s_.Next(list, upper, std::move(act), options_.reason)));
      ++result_.repeated;
      return {};
    };
    for (const std::uint64_t machine : compared.undone.group_machines)
      GRANTFS_CHECK(add(GroupMachinesRemove{{machine}}));
    for (const GroupInvitationRemove& ended : compared.undone.group_invitations) GRANTFS_CHECK(add(ended));
    if (!list.CheckStanding({&vault_, &after})) GRANTFS_CHECK(add(Vouch{}));
    const UnsealKey key = GRANTFS_TRY(s_.GroupKeyOf(before, group));
    started.push_back(GRANTFS_TRY(s_.NextGroupEpoch(after, vault_, list, key, options_.reason)));
    if (!append.statements.empty()) batch.push_back(std::move(append));
  }
  return {};
}

// Each is sent with the others that are ready; what was sent need not be done again.
Status OwnerSessionImpl::Restorer::SendSome(Batch& batch) {
  const auto sent = std::exchange(batch, {});
  const auto noted = std::exchange(to_note_, {});
  if (sent.empty() || options_.dry_run) return {};
  GRANTFS_TRY(s_.Send(sent));
  return Noted(s_.known_->Remember(noted));
}

Status OwnerSessionImpl::Restorer::AcceptSecrets(const EnvironmentList& list, const EnvironmentList& after) {
  const auto served = GRANTFS_TRY(s_.ListNames(list.name(), {}));
  Batch batch;
  std::size_t done = 0;
  for (const Listed& listed : served) {
    GRANTFS_CHECK(AddToSecret(listed, {&vault_, &list}, after, batch));
    if (batch.size() == kListsAtOnce) GRANTFS_CHECK(SendSome(batch));
    s_.Report("restoring", ++done, served.size());
  }
  GRANTFS_CHECK(SendSome(batch));
  return TellLostSecrets(list.name(), served);
}

Status OwnerSessionImpl::Restorer::AddToSecret(const Listed& listed, const UpperLists& upper,
                                               const EnvironmentList& after, Batch& batch) {
  SecretList list = GRANTFS_TRY(s_.keeper_->FetchServedSecret(listed.number, upper));
  if (list.empty() || list.create().path != listed.name.path || list.create().environment != listed.name.environment)
    return Error{Code::kIntegrity, "the vault serves another secret under this name", 0, listed.name.Full()};
  if (list.IsDestroyed()) return {};
  const Compared compared = GRANTFS_TRY(Compare(list));
  Tell(listed.name.Full(), compared);
  KnownStore::Verified append{list.id(), {}, {}};
  if (compared.needs_restore) {
    const std::uint32_t seen = ListMemory::Of(compared.seen).version;
    Restore act;
    act.version = static_cast<std::uint32_t>(
        std::min<std::uint64_t>(std::max(seen, list.state().version) + kVersionGap, kMaxVersion));
    append.statements.push_back(GRANTFS_TRY(SignRestore(list, upper, compared, std::move(act))));
  }
  GRANTFS_CHECK(RepeatEnds(list, upper, listed.name, compared.undone, append));
  if (!list.IsDestroyed() && !list.CheckStanding({&vault_, &after}))
    append.statements.push_back(GRANTFS_TRY(s_.Next(list, upper, Vouch{}, options_.reason)));
  if (append.statements.empty()) return {};
  GRANTFS_CHECK(CheckRestored(compared.seen, list));
  KnownStore::Verified whole{list.id(), list.Statements(), {}};
  whole.replaces = GRANTFS_TRY(s_.known_->HighestHead(list.id()));
  to_note_.push_back(std::move(whole));
  batch.push_back(std::move(append));
  return {};
}

Status OwnerSessionImpl::Restorer::RepeatEnds(SecretList& list, const UpperLists& upper, const SecretName& name,
                                              const Undone& undone, KnownStore::Verified& append) {
  const auto add = [&](Act act) -> Status {
    append.statements.push_back(GRANTFS_TRY(s_.Next(list, upper, std::move(act), options_.reason)));
    ++result_.repeated;
    return {};
  };
  if (undone.destroyed) return add(SecretDestroy{});
  for (const auto& [kind, number] : undone.grants) GRANTFS_CHECK(add(GrantRevoke{kind, number}));
  for (const auto& wider : undone.wider) GRANTFS_CHECK(add(wider->statement().act));
  std::vector<std::uint32_t> versions = undone.versions;
  const auto* current = list.Current();
  if (current != nullptr && std::erase(versions, current->publish.version) > 0) {
    result_.problems.push_back(name.Full() + ": version " + std::to_string(current->publish.version) +
                               ", which was destroyed, is current again: set a new value (grantfs secret set), and "
                               "destroy it again (grantfs secret destroy)");
  }
  std::sort(versions.begin(), versions.end());
  if (!versions.empty()) GRANTFS_CHECK(add(VersionDestroy{versions, list.LabelsAt(versions)}));
  return undone.deleted ? add(SecretDelete{}) : Status();
}

// Made since the backup: its values are gone, and its number stays taken.
Status OwnerSessionImpl::Restorer::TellLostSecrets(const std::string& environment,
                                                   const std::vector<Listed>& served) {
  for (const auto& known : GRANTFS_TRY(s_.known_->NumbersIn(environment))) {
    const bool there = std::any_of(served.begin(), served.end(),
                                   [&](const Listed& listed) { return listed.number == known.number; });
    if (there || GRANTFS_TRY(s_.IsSeenDestroyed(known.number))) continue;
    Compared gone;
    gone.seen = GRANTFS_TRY(s_.known_->Statements(ListId::Secret(known.number)));
    gone.lower = true;
    Tell(known.name.Full(), gone);
  }
  return {};
}

Result<bool> OwnerSessionImpl::IsSeenDestroyed(std::uint64_t number) {
  return ListMemory::Of(GRANTFS_TRY(known_->Statements(ListId::Secret(number)))).destroyed;
}

}  // namespace grantfs

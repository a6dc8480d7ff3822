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
  const Compared own = GRANTFS_TRY(Compare(list));
  Note(own);
  std::set<Hash> returned = returned_;
  returned.insert(own.undone.members.begin(), own.undone.members.end());
  for (const MemberChange& change : own.undone.changed) returned.insert(change.id);
  TellSince(environment, list, own, returned, {});
  for (const auto& [number, group] : list.groups().all()) {
    const GroupList served = GRANTFS_TRY(s_.keeper_->FetchServedGroup(number, {&vault_, &list}));
    const Compared compared = GRANTFS_TRY(Compare(served));
    Note(compared);
    TellSince(environment + "@" + group.name, served, compared, returned, own.common);
  }
  const auto served = GRANTFS_TRY(s_.ListNames(environment, {}));
  std::set<std::uint64_t> there;
  for (const Listed& listed : served) {
    there.insert(listed.number);
    const auto known = GRANTFS_TRY(s_.known_->HighestHead(ListId::Secret(listed.number)));
    if (known == listed.head) continue;
    const SecretList secret = GRANTFS_TRY(s_.keeper_->FetchServedSecret(listed.number, {&vault_, &list}));
    const Compared compared = GRANTFS_TRY(Compare(secret));
    Note(compared);
    TellSince(listed.name.Full(), secret, compared, returned, own.common);
  }
  // One that the vault does not have at all, though it was seen; after a restore that may be so for good.
  if (list.LastRestore() != nullptr) return {};
  for (const auto& known : GRANTFS_TRY(s_.known_->NumbersIn(environment)))
    if (!there.contains(known.number)) fresh_ = fresh_ || !GRANTFS_TRY(s_.IsSeenDestroyed(known.number));
  return {};
}

Result<NewEpoch> OwnerSessionImpl::Restorer::EpochFor(const EnvironmentList& list,
                                                      const std::set<Hash>& without) {
  std::vector<Identity> stay;
  for (const Identity& one : list.EpochRecipients(vault_))
    if (!without.contains(one.Id())) stay.push_back(one);
  const UnsealKey* key = GRANTFS_TRY(s_.EpochKey(list, list.newest_epoch().number));
  return MakeEpoch(stay, &list.newest_epoch(), key);
}

std::vector<Act> OwnerSessionImpl::Restorer::EndingsOf(const EnvironmentList& list, const Undone& undone) {
  std::vector<Act> endings;
  for (const Hash& id : undone.members)
    if (list.RoleOf(id)) endings.emplace_back(MemberRemove{id, {}});
  for (const MemberChange& change : undone.changed) endings.emplace_back(change);
  return endings;
}

Result<OwnerSessionImpl::Restorer::Ending> OwnerSessionImpl::Restorer::WithKeys(const EnvironmentList& list,
                                                                                Act act) {
  Ending ending;
  auto* remove = std::get_if<MemberRemove>(&act);
  auto* change = std::get_if<MemberChange>(&act);
  const Hash& id = remove != nullptr ? remove->id : change->id;
  const EnvironmentList::Member& member = list.members().at(id);
  const bool reads = RoleAllows(member.role, Operation::kReadValue);
  const bool will_read = change != nullptr && RoleAllows(change->role, Operation::kReadValue);
  ending.starts_epoch = reads && !will_read;
  if (ending.starts_epoch) {
    ending.keys = GRANTFS_TRY(EpochFor(list, {id}));
    (remove != nullptr ? remove->epoch : change->epoch) = ending.keys.epoch;
  } else if (will_read && !reads) {
    ending.keys = GRANTFS_TRY(s_.CopyFor(list, member.identity));
    change->copy = Blake2b256({ending.keys.copies.front().sealed});
  }
  ending.act = std::move(act);
  return ending;
}

// What follows is signed over the list as it is without them, so that their acts have a successor when they
// go.
Result<EnvironmentList> OwnerSessionImpl::Restorer::Without(const EnvironmentList& list,
                                                            const Compared& compared) {
  EnvironmentList after = list;
  for (Act& act : EndingsOf(list, compared.undone)) {
    Ending ending = GRANTFS_TRY(WithKeys(after, std::move(act)));
    if (ending.starts_epoch)
      s_.epoch_keys_[after.name()].insert_or_assign(ending.keys.epoch.number, std::move(ending.keys.key));
    GRANTFS_TRY(s_.Next(after, {&vault_, nullptr}, std::move(ending.act), options_.reason));
    ++result_.repeated;
  }
  return after;
}

// Each starts a key of its own, and of each group, where its member held the one before.
Status OwnerSessionImpl::Restorer::RemoveMembers(EnvironmentList& list, const Compared& compared,
                                                 const Groups& groups) {
  for (Act& act : EndingsOf(list, compared.undone)) {
    const EnvironmentList before = list;
    Ending ending = GRANTFS_TRY(WithKeys(list, std::move(act)));
    if (!ending.keys.copies.empty()) GRANTFS_CHECK(s_.StageEpoch(list.name(), ending.keys));
    if (ending.starts_epoch)
      s_.epoch_keys_[list.name()].insert_or_assign(ending.keys.epoch.number, std::move(ending.keys.key));
    KnownStore::Verified own{list.id(), {}, {}};
    own.statements.push_back(
        GRANTFS_TRY(s_.Next(list, {&vault_, nullptr}, std::move(ending.act), options_.reason)));
    for (const auto& [number, group] : before.groups().all())
      if (ending.starts_epoch) GRANTFS_CHECK(StartGroupEpoch(list, before, groups.at(number).list, own));
    GRANTFS_TRY(s_.Send({std::move(own)}));
  }
  return {};
}

Status OwnerSessionImpl::Restorer::AcceptEnvironment(const std::string& environment, EnvironmentList list) {
  const Compared compared = GRANTFS_TRY(Compare(list));
  Tell(environment, compared);
  if (ListMemory::Of(compared.seen).two_owners && !list.two_owners())
    result_.others.push_back(
        "the backup is from before two owners had to sign in " + environment +
        ", which holds again: what it has granted there by one signature reads nothing until "
        "it is granted anew");
  Groups groups = GRANTFS_TRY(CompareGroups(list));
  GRANTFS_CHECK(AcceptGroups(list, compared, groups));
  const EnvironmentList after = GRANTFS_TRY(Without(list, compared));
  GRANTFS_CHECK(VouchInGroups(list, after, groups));
  GRANTFS_CHECK(AcceptSecrets(list, after));
  if (options_.dry_run) return {};
  GRANTFS_CHECK(RemoveMembers(list, compared, groups));
  GRANTFS_CHECK(s_.keeper_->RefreshEnvironment(environment));
  for (const auto& [number, group] : list.groups().all())
    GRANTFS_TRY(s_.keeper_->RefreshGroup(environment, number));
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

Status OwnerSessionImpl::Restorer::EndOther(SecretList& list, const UpperLists& upper, const SecretName& name,
                                            Batch& batch) {
  result_.problems.push_back(
      name.Full() + ": " + s_.NameOf(list.At(0)->statement().signer) +
      " made it since the backup was brought up, under the number of a secret that is lost, so "
      "it is destroyed: it has to be made anew");
  batch.push_back({list.id(), {GRANTFS_TRY(s_.Next(list, upper, SecretDestroy{}, options_.reason))}, {}});
  return {};
}

Status OwnerSessionImpl::Restorer::AddToSecret(const Listed& listed, const UpperLists& upper,
                                               const EnvironmentList& after, Batch& batch) {
  SecretList list = GRANTFS_TRY(s_.keeper_->FetchServedSecret(listed.number, upper));
  if (list.empty() || list.create().path != listed.name.path ||
      list.create().environment != listed.name.environment)
    return Error{Code::kIntegrity, "the vault serves another secret under this name", 0, listed.name.Full()};
  if (list.IsDestroyed()) return {};
  const Compared compared = GRANTFS_TRY(Compare(list));
  if (compared.other) return EndOther(list, upper, listed.name, batch);
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

Status OwnerSessionImpl::Restorer::RepeatEnds(SecretList& list, const UpperLists& upper,
                                              const SecretName& name, const Undone& undone,
                                              KnownStore::Verified& append) {
  const auto add = [&](Act act) -> Status {
    append.statements.push_back(GRANTFS_TRY(s_.Next(list, upper, std::move(act), options_.reason)));
    ++result_.repeated;
    return {};
  };
  if (undone.destroyed) return add(SecretDestroy{});
  for (const auto& [kind, number] : undone.grants) GRANTFS_CHECK(add(GrantRevoke{kind, number}));
  for (const auto& wider : undone.wider) {
    const Act& act = wider->statement().act;
    const Grantee& grantee = std::get<GrantAdd>(act).grant.grantee;
    const bool by_two = upper.environment->two_owners();
    GRANTFS_CHECK(by_two ? add(GrantRevoke{grantee.kind, grantee.number}) : add(act));
    if (by_two) SayGrantAnew(name.Full(), grantee.name);
  }
  std::vector<std::uint32_t> versions = undone.versions;
  const auto* current = list.Current();
  if (current != nullptr && std::erase(versions, current->publish.version) > 0) {
    result_.problems.push_back(
        name.Full() + ": version " + std::to_string(current->publish.version) +
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

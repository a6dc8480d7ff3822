#include <algorithm>

#include "grantfs/api/lists.h"
#include "grantfs/crypto/encoding.h"
#include "grantfs/crypto/random.h"
#include "grantfs/tlog/checkpoint.h"
#include "lost_statements_internal.h"
#include "owner_restore_internal.h"

namespace grantfs {
namespace {

/// How far a restore's sequence, and the numbers of secrets after it, lie above all that this home has seen:
/// others may have seen more.
constexpr std::uint64_t kGap = 1'000'000;

}  // namespace

Result<RestoreResult> OwnerSessionImpl::AcceptBackup(const RestoreOptions& options) {
  return Restorer(*this, options).Run();
}

Result<RestoreResult> OwnerSessionImpl::Restorer::Run() {
  GRANTFS_CHECK(ReadUpper());
  fresh_ = options_.anyway || GRANTFS_TRY(LogIsShorter());
  Note(GRANTFS_TRY(Compare(vault_)));
  const Compared machines = GRANTFS_TRY(Compare(machines_));
  if (vault_owner_) Note(machines);
  if (machines.lower) last_machine_ = *machines.common;
  for (const auto& [name, list] : environments_) GRANTFS_CHECK(LookAt(name, list));
  result_.needed = result_.needed || fresh_;
  if (!result_.needed) return std::move(result_);
  GRANTFS_CHECK(AcceptVault());
  for (const auto& [name, list] : environments_) GRANTFS_CHECK(AcceptEnvironment(name, list));
  for (const auto& [name, entry] : vault_.environments()) {
    if (!environments_.contains(name)) result_.others.push_back("an owner of " + name + " has to run grantfs restore");
  }
  return std::move(result_);
}

void OwnerSessionImpl::Restorer::Note(const Compared& compared) {
  fresh_ = fresh_ || compared.fresh;
  result_.needed = result_.needed || !compared.nothing();
}

// ---- what every list has in common

// Where nothing came from before a restore, it is of the newest backup: it was begun after that.
bool OwnerSessionImpl::Restorer::IsStale(const SignedList& list) const {
  const auto newest = vault_.LastRestore();
  if (newest == nullptr || list.id().kind == ListKind::kVault) return false;
  const std::uint64_t restored = newest->statement().sequence;
  const auto knows = [&](const StatementPtr& statement) {
    return statement != nullptr && statement->statement().heads.vault->sequence >= restored;
  };
  return !knows(list.At(0)) && !knows(list.LastRestore());
}

Result<OwnerSessionImpl::Restorer::Compared> OwnerSessionImpl::Restorer::Compare(const SignedList& list) {
  Compared compared;
  compared.seen = GRANTFS_TRY(s_.known_->Statements(list.id()));
  compared.needs_restore = IsStale(list);
  if (compared.seen.empty() || list.empty()) return compared;
  compared.common = LastCommon(compared.seen, list);
  if (!compared.common)
    return Error{Code::kIntegrity,
                 "the vault serves a list that has nothing in common with the one that this home has verified: this "
                 "is no backup of it",
                 0, list.id().Text()};
  const Head& highest = compared.seen.back()->head();
  compared.lower = *compared.common != highest.sequence;
  if (!compared.lower) return compared;
  const auto restore = list.LastRestore();
  const bool accepted = restore && restore->statement().sequence > highest.sequence;
  compared.needs_restore = compared.needs_restore || !accepted;
  const auto& named = compared.seen.back()->statement().heads.vault;
  const auto newest = vault_.LastRestore();
  compared.fresh = !accepted && (!named || !newest || named->sequence >= newest->statement().sequence);
  // Without a restore all that is served is from before it.
  const std::uint64_t from = accepted ? restore->statement().sequence : list.next_sequence();
  compared.undone = UndoneBy(ListMemory::Of(compared.seen), list, from);
  return compared;
}

void OwnerSessionImpl::Restorer::Tell(const std::string& where, const Compared& compared) {
  if (!compared.lower) return;
  auto lost = DescribeLost(where, compared.seen, compared.common, compared.undone,
                           [this](const Hash& id) { return s_.NameOf(id); });
  for (LostStatement& one : lost) result_.lost.push_back(std::move(one));
}

Statement OwnerSessionImpl::Restorer::DraftRestore(const SignedList& list, const UpperLists& upper,
                                                   const Compared& compared, Restore act) const {
  act.accepted = *list.head();
  std::uint64_t above = list.next_sequence();
  if (compared.lower) {
    act.lost = compared.seen.back()->head();
    above = std::max(above, act.lost->sequence + 1);
  }
  Statement statement = s_.Draft(list, upper, std::move(act), options_.reason);
  statement.sequence = above + kGap;
  return statement;
}

Result<OwnerSessionImpl::StatementPtr> OwnerSessionImpl::Restorer::SignRestore(SignedList& list,
                                                                               const UpperLists& upper,
                                                                               const Compared& compared,
                                                                               Restore act) {
  ++result_.accepted;
  return s_.SignNext(list, upper, DraftRestore(list, upper, compared, std::move(act)));
}

Result<OwnerSessionImpl::StatementPtr> OwnerSessionImpl::Restorer::SignRestore(SecretList& list,
                                                                               const UpperLists& upper,
                                                                               const Compared& compared,
                                                                               Restore act) {
  ++result_.accepted;
  Statement statement = DraftRestore(list, upper, compared, std::move(act));
  statement.state = GRANTFS_TRY(list.StateAfter(statement.act, upper));
  return s_.SignNext(list, upper, std::move(statement));
}

// ---- the vault and its machines

Status OwnerSessionImpl::Restorer::ReadUpper() {
  vault_ = GRANTFS_TRY(s_.keeper_->FetchServedVault());
  vault_owner_ = vault_.IsOwner(s_.me_.Id());
  for (const auto& [name, entry] : vault_.environments()) {
    auto list = s_.keeper_->FetchServedEnvironment(name, vault_);
    if (!list && (list.error().code == Code::kNotFound || list.error().code == Code::kDenied)) continue;
    GRANTFS_CHECK(list);
    if (list->RoleOf(s_.me_.Id()) == Role::kOwner) environments_.emplace(name, std::move(*list));
  }
  const bool groups = std::any_of(environments_.begin(), environments_.end(),
                                  [](const auto& entry) { return !entry.second.groups().all().empty(); });
  if (vault_owner_ || groups) machines_ = GRANTFS_TRY(s_.keeper_->FetchServedMachines(vault_));
  if (vault_owner_ || !environments_.empty()) return {};
  return Error{Code::kDenied, "only an owner of the vault or of an environment accepts a restored backup", 0,
               s_.home_.profile().name};
}

Result<bool> OwnerSessionImpl::Restorer::LogIsShorter() {
  const auto remembered = GRANTFS_TRY(s_.known_->ReadPeer()).checkpoint;
  const auto said = GRANTFS_TRY(s_.vault_->Get<api::StatusResponse>(api::kStatus));
  if (!vault_owner_ || remembered.empty()) return false;
  const auto before = OpenCheckpoint(remembered, vault_.log_key(), vault_.log_origin());
  const auto now = OpenCheckpoint(said.checkpoint, vault_.log_key(), vault_.log_origin());
  return before && now && now->size < before->size;
}

Result<std::uint64_t> OwnerSessionImpl::Restorer::NumbersFrom() {
  std::uint64_t highest = vault_.NumbersFrom(vault_.head()->sequence);
  for (const auto& known : GRANTFS_TRY(s_.known_->NumbersIn(""))) highest = std::max(highest, known.number);
  for (const auto& [name, list] : environments_) {
    for (const Listed& listed : GRANTFS_TRY(s_.ListNames(name, {}))) highest = std::max(highest, listed.number);
  }
  return std::min<std::uint64_t>(highest + kGap, kMaxSecretNumber);
}

Status OwnerSessionImpl::Restorer::AddToVault(Compared& vault, KnownStore::Verified& append) {
  if (vault.needs_restore && vault_.level() < LevelOf(Restore{})) {
    if (!options_.raise_level)
      return Error{Code::kInvalid,
                   "the vault's format level is too low for a restore, which older programs do not know: once every "
                   "mount and client is upgraded, say --raise-level",
                   0, std::to_string(vault_.level())};
    append.statements.push_back(GRANTFS_TRY(s_.Next(vault_, {}, LevelRaise{kFormatLevel}, options_.reason)));
  }
  if (vault.needs_restore) {
    Restore act;
    const std::string& before = vault_.log_origin();
    act.log_origin = before.substr(0, before.rfind('/')) + "/" + HexEncode(RandomBytes(8));
    act.numbers = GRANTFS_TRY(NumbersFrom());
    append.statements.push_back(GRANTFS_TRY(SignRestore(vault_, {}, vault, std::move(act))));
  }
  const auto add = [&](Act act) -> Status {
    append.statements.push_back(GRANTFS_TRY(s_.Next(vault_, {}, std::move(act), options_.reason)));
    ++result_.repeated;
    return {};
  };
  if (vault.undone.recovery) GRANTFS_CHECK(add(RecoveryReplace{*vault.undone.recovery}));
  for (const Hash& id : vault.undone.owners) GRANTFS_CHECK(add(VaultOwnerRemove{id}));
  const auto names = ListMemory::Of(vault.seen).removed;
  for (const Hash& id : vault.undone.removed) GRANTFS_CHECK(add(IdentityRemove{id, names.at(id)}));
  return {};
}

Status OwnerSessionImpl::Restorer::AddToMachines(Compared& machines, KnownStore::Verified& append) {
  // An owner who is removed with the same append leaves his statements here without a successor, were it not
  // for this one's.
  const UpperLists upper{&vault_, nullptr};
  if (machines.needs_restore)
    append.statements.push_back(GRANTFS_TRY(SignRestore(machines_, upper, machines, {})));
  const auto add = [&](Act act) -> Status {
    append.statements.push_back(GRANTFS_TRY(s_.Next(machines_, upper, std::move(act), options_.reason)));
    ++result_.repeated;
    return {};
  };
  // A machine's removal withdraws what it came by, which is then not there any more.
  for (const std::string& id : machines.undone.invitations) GRANTFS_CHECK(add(InvitationWithdraw{id}));
  for (const Hash& id : machines.undone.machines) GRANTFS_CHECK(add(MachineRemove{id}));
  return {};
}

Status OwnerSessionImpl::Restorer::AcceptVault() {
  Compared vault = GRANTFS_TRY(Compare(vault_));
  Tell("the vault", vault);
  if (!vault_owner_) {
    if (!vault.nothing()) result_.others.push_back("an owner of the vault has to run grantfs restore");
    return {};
  }
  // Its log goes on from the backup too, and secrets get new numbers: also where no statement of this list
  // was lost.
  vault.needs_restore = vault.needs_restore || fresh_;
  KnownStore::Verified to_vault{ListId::Vault(), {}, {}}, to_machines{ListId::Machines(), {}, {}};
  GRANTFS_CHECK(AddToVault(vault, to_vault));
  Compared machines = GRANTFS_TRY(Compare(machines_));
  Tell("its machines", machines);
  GRANTFS_CHECK(AddToMachines(machines, to_machines));
  Batch batch;
  if (!to_vault.statements.empty()) batch.push_back(std::move(to_vault));
  if (!to_machines.statements.empty()) batch.push_back(std::move(to_machines));
  if (options_.dry_run || batch.empty()) return {};
  GRANTFS_TRY(s_.Send(batch));
  GRANTFS_CHECK(s_.keeper_->RefreshVault());
  return s_.keeper_->RefreshMachines();
}

}  // namespace grantfs

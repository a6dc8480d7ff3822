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
  if (options.pin) GRANTFS_CHECK(vault_->UsePins({*options.pin}));
  return Restorer(*this, options).Run();
}

Result<RestoreResult> OwnerSessionImpl::Restorer::Run() {
  GRANTFS_CHECK(ReadUpper());
  fresh_ = options_.anyway || GRANTFS_TRY(LogIsShorter());
  const Compared vault = GRANTFS_TRY(Compare(vault_));
  const Compared machines = GRANTFS_TRY(Compare(machines_));
  Note(vault);
  if (vault_owner_) Note(machines);
  returned_.insert(vault.undone.owners.begin(), vault.undone.owners.end());
  returned_.insert(vault.undone.removed.begin(), vault.undone.removed.end());
  if (vault.undone.recovery) returned_.insert(vault_.recovery().Id());
  TellSince("the vault", vault_, vault, returned_, {});
  TellSince("its machines", machines_, machines, returned_, vault.common);
  if (machines.lower) last_machine_ = *machines.common;
  for (const auto& [name, list] : environments_) GRANTFS_CHECK(LookAt(name, list));
  result_.needed = result_.needed || fresh_;
  if (!result_.needed) return std::move(result_);
  GRANTFS_CHECK(CheckSince());
  GRANTFS_CHECK(AcceptVault());
  for (const auto& [name, list] : environments_) GRANTFS_CHECK(AcceptEnvironment(name, list));
  for (const auto& [name, entry] : vault_.environments()) {
    if (!environments_.contains(name))
      result_.others.push_back("an owner of " + name + " has to run grantfs restore");
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
  compared.from = list.next_sequence();  // without a restore all that is served is from before it
  if (compared.seen.empty() || list.empty()) return compared;
  compared.common = LastCommon(compared.seen, list);
  // Numbers are given out again until a restore names those from which they go on.
  if (!compared.common && list.id().kind == ListKind::kSecret) {
    compared.other = compared.fresh = true;
    compared.needs_restore = false;
    return compared;
  }
  if (!compared.common)
    return Error{
        Code::kIntegrity,
        "the vault serves a list that has nothing in common with the one that this home has verified: this "
        "is no backup of it",
        0, list.id().Text()};
  const Head& highest = compared.seen.back()->head();
  compared.lower = *compared.common != highest.sequence;
  if (!compared.lower) return compared;
  const ListMemory memory = ListMemory::Of(compared.seen);
  const auto accepted = AcceptedAt(memory, *compared.common, list);
  compared.needs_restore = compared.needs_restore || !accepted;
  const auto& named = compared.seen.back()->statement().heads.vault;
  const auto newest = vault_.LastRestore();
  compared.fresh = !accepted && (!named || !newest || named->sequence >= newest->statement().sequence);
  compared.from = accepted.value_or(compared.from);
  compared.undone = UndoneBy(memory, list, compared.from);
  compared.needs_restore = compared.needs_restore || compared.undone.two_owners;
  return compared;
}

void OwnerSessionImpl::Restorer::Tell(const std::string& where, const Compared& compared) {
  if (!compared.lower) return;
  auto lost = DescribeLost(where, compared.seen, compared.common, compared.undone,
                           [this](const Hash& id) { return s_.NameOf(id); });
  for (LostStatement& one : lost) result_.lost.push_back(std::move(one));
}

// What this home has not seen of them may be older than their end; where it has seen nothing of a list, the
// heads tell. They choose what they name: who names less than there was is not found so, but all that is
// newer is.
void OwnerSessionImpl::Restorer::TellSince(const std::string& where, const SignedList& list,
                                           const Compared& compared, const std::set<Hash>& returned,
                                           std::optional<std::uint64_t> above) {
  std::vector<StatementPtr> since;
  for (const StatementPtr& statement : list.Statements()) {
    const Statement& said = statement->statement();
    if (!returned.contains(said.signer) || list.IsVoided(said.sequence) || said.sequence >= compared.from)
      continue;
    const auto& head = list.id().BelowEnvironment() ? said.heads.environment : said.heads.vault;
    const bool unseen =
        compared.common ? said.sequence > *compared.common : above && head && head->sequence >= *above;
    if (unseen) since.push_back(statement);
  }
  for (LostStatement& one :
       DescribeLost(where, since, {}, {}, [this](const Hash& id) { return s_.NameOf(id); }))
    result_.since.push_back(std::move(one));
}

Status OwnerSessionImpl::Restorer::CheckSince() const {
  if (result_.since.empty() || options_.vouch || options_.dry_run) return {};
  const LostStatement& first = result_.since.front();
  return Error{
      Code::kIntegrity,
      "was signed by one whom this home saw leave and who is back with the backup; it would stay when he is "
      "gone again: bring the backup up anew where nobody reaches it before you do, or, if all that grantfs "
      "restore --dry-run shows of it is right, say --vouch",
      0, first.where + ": " + first.what + " (" + first.by + ")"};
}

Statement OwnerSessionImpl::Restorer::DraftRestore(const SignedList& list, const UpperLists& upper,
                                                   const Compared& compared, Restore act) const {
  act.accepted = *list.head();
  std::uint64_t above = list.next_sequence();
  if (compared.lower) {
    const Head& lost = compared.seen.back()->head();
    above = std::max(above, lost.sequence + 1);
    // Below one that somebody else's restore has put far above it, there is nothing to name.
    if (lost.sequence >= act.accepted.sequence) act.lost = lost;
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
  const auto& pins = vault_.pins();
  if (options_.pin && std::find(pins.begin(), pins.end(), *options_.pin) == pins.end())
    return Error{Code::kIntegrity,
                 "the server shows this key, and the vault's list in the backup does not name it", 0,
                 options_.pin->Hex()};
  vault_owner_ = vault_.IsOwner(s_.me_.Id());
  for (const auto& [name, entry] : vault_.environments()) {
    auto list = s_.keeper_->FetchServedEnvironment(name, vault_);
    if (!list && (list.error().code == Code::kNotFound || list.error().code == Code::kDenied)) continue;
    GRANTFS_CHECK(list);
    if (list->RoleOf(s_.me_.Id()) == Role::kOwner) environments_.emplace(name, std::move(*list));
  }
  const bool groups = std::any_of(environments_.begin(), environments_.end(),
                                  [](const auto& entry) { return !entry.second.groups().all().empty(); });
  if (vault_owner_ || groups) {
    machines_ = GRANTFS_TRY(s_.keeper_->FetchServedMachines(vault_));
    if (machines_.empty())
      return Error{Code::kIntegrity, "the vault does not show its list of machines, which every vault has", 0,
                   s_.home_.profile().address.Text()};
  }
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
    for (const Listed& listed : GRANTFS_TRY(s_.ListNames(name, {})))
      highest = std::max(highest, listed.number);
  }
  return std::min<std::uint64_t>(highest + kGap, kMaxSecretNumber);
}

Status OwnerSessionImpl::Restorer::AddToVault(Compared& vault, KnownStore::Verified& append) {
  if (vault.needs_restore && vault_.level() < LevelOf(Restore{})) {
    if (!options_.raise_level)
      return Error{
          Code::kInvalid,
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
  const auto pins = ListMemory::Of(vault.seen).pins;
  if (!pins.empty() && std::find(pins.begin(), pins.end(), vault_.pins().front()) == pins.end())
    result_.others.push_back(
        "the server's key is one that had been replaced, and whoever has it could answer in the vault's "
        "place: make "
        "another (grantfs tls next --fresh); each client needs grantfs tls trust " +
        vault_.pins().front().Hex());
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

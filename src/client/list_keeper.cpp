#include "grantfs/client/list_keeper.h"

#include <algorithm>

#include "grantfs/api/lists.h"
#include "grantfs/trust/group_list.h"
#include "grantfs/trust/restore.h"
#include "problem_internal.h"

namespace grantfs {
namespace {

std::string Where(const ListId& list, std::uint64_t sequence) {
  return list.Text() + "#" + std::to_string(sequence);
}

constexpr char kRolledBack[] =
    "the vault serves an older state of this list than this home has verified (a rollback): nothing of it is "
    "used; if it was restored from a backup, grantfs restore, run by an owner, accepts that";

Error RolledBack(const ListId& list, std::uint64_t sequence) {
  return Error{Code::kIntegrity, kRolledBack, 0, Where(list, sequence)};
}

Error Forked(const ListId& list, std::uint64_t sequence) {
  return Error{Code::kIntegrity,
               "the vault serves another history of this list than this home has verified (a fork): nothing "
               "of it is used",
               0, Where(list, sequence)};
}

/// Pages of a list in which nothing counts, one after the other, that are taken before it is given up: what
/// does not count costs a vault nothing to make.
constexpr int kMaxUncountedPages = 20;

void Empty(SignedList& list) {
  switch (list.id().kind) {
    case ListKind::kVault:
      static_cast<VaultList&>(list) = VaultList();
      break;
    case ListKind::kMachines:
      static_cast<MachinesList&>(list) = MachinesList();
      break;
    case ListKind::kEnvironment:
      static_cast<EnvironmentList&>(list) = EnvironmentList(list.id().environment);
      break;
    case ListKind::kSecret:
      static_cast<SecretList&>(list) = SecretList(list.id().number);
      break;
    case ListKind::kGroup:
      static_cast<GroupList&>(list) = GroupList(list.id().environment, list.id().number);
      break;
  }
}

bool WasRestored(const UpperLists& upper) {
  return (upper.vault != nullptr && upper.vault->LastRestore()) ||
         (upper.environment != nullptr && upper.environment->LastRestore());
}

Error Endless(const ListId& list, std::uint64_t sequence) {
  return Error{
      Code::kIntegrity,
      "the vault serves a list that goes on and on without a statement that counts: nothing of it is "
      "used",
      0, Where(list, sequence)};
}

Error Withheld(const ListId& list, std::uint64_t sequence) {
  return Error{Code::kIntegrity, "the vault names a newer state of this list and does not show it", 0,
               Where(list, sequence)};
}

Error NoLongerShown(const ListId& list) {
  return Error{Code::kDenied,
               "the vault shows this list to you no more: your role there has ended, or the vault withholds "
               "it; one of the environment's owners knows (grantfs member list)",
               0, list.Text()};
}

}  // namespace

Status ListKeeper::Load() { return LoadInto(vault_, {}); }

const EnvironmentList* ListKeeper::FindEnvironment(const std::string& name) const {
  const auto at = environments_.find(name);
  return at == environments_.end() || at->second.empty() ? nullptr : &at->second;
}

UpperLists ListKeeper::UpperOf(const std::string& environment) const {
  return {&vault_, FindEnvironment(environment)};
}

ListKeeper::Newer ListKeeper::RefreshesVault() {
  return [this] { return RefreshVault(); };
}

ListKeeper::Newer ListKeeper::RefreshesBoth(const std::string& environment) {
  return [this, environment] {
    if (auto vault = RefreshVault(); !vault) return vault;
    return RefreshEnvironment(environment);
  };
}

// What the home kept is verified again: a file that somebody altered must not make a forgery count. Where the
// lists above go on from a backup, it may name what was lost of them: then the list is fetched from its
// beginning, and held against what was kept.
Status ListKeeper::LoadInto(SignedList& list, const UpperLists& upper) {
  for (const auto& statement : GRANTFS_TRY(known_->Statements(list.id()))) {
    if (statement->statement().sequence < list.next_sequence()) continue;
    auto received = list.Receive(statement, upper);
    if (!received && WasRestored(upper)) {
      Empty(list);
      return {};
    }
    if (!received) return About(received.error(), Where(list.id(), statement->statement().sequence));
  }
  return {};
}

Result<api::ListReadResponse> ListKeeper::ReadPage(const SignedList& list) {
  api::ListReadRequest request;
  request.list = list.id();
  request.from = list.next_sequence();
  auto page = connection_->Ask<api::ListReadResponse>(api::kListsRead, request);
  if (page || page.error().code != Code::kNotFound) return page;
  if (list.empty()) return About(page.error(), list.id().Text());
  return MayBeShutOut(list.id()) ? NoLongerShown(list.id()) : RolledBack(list.id(), 0);
}

// To an owner of the vault every environment is shown: hidden from him, it was taken back.
bool ListKeeper::MayBeShutOut(const ListId& list) const {
  if (!member) return false;
  const bool inner = list.kind == ListKind::kEnvironment || list.BelowEnvironment();
  return inner && !vault_.IsOwner(*member) && !vault_.IsRecovery(*member);
}

Status ListKeeper::CheckPage(const SignedList& list, const api::ListReadResponse& page) const {
  const std::uint64_t next = list.next_sequence();
  if (!page.head) {
    if (!list.empty()) return RolledBack(list.id(), 0);
    return Error{Code::kNotFound, "there is no such list, or this identity may not see it", 0,
                 list.id().Text()};
  }
  if (page.head->sequence + 1 < next) return RolledBack(list.id(), page.head->sequence);
  if (const auto known = list.HashAt(page.head->sequence); known && *known != page.head->hash) {
    return Forked(list.id(), page.head->sequence);
  }
  if (page.head->sequence >= next && page.statements.empty()) return Withheld(list.id(), page.head->sequence);
  return {};
}

/// Whether what is served goes on from the list's head. One may also have seen exactly what a backup has, and
/// then a restore follows.
static bool FollowsOn(const SignedList& list, const api::ListReadResponse& page) {
  if (list.empty()) return true;
  if (page.statements.empty()) return list.HashAt(page.head->sequence) == page.head->hash;
  const auto first = SignedStatement::Parse(page.statements.front());
  return !first || first->statement().previous == list.head()->hash;  // what is no statement is told of later
}

Status ListKeeper::ReceivePage(SignedList& list, const api::ListReadResponse& page,
                               const std::function<UpperLists()>& upper, const Newer& refresh_upper,
                               std::vector<SignedList::StatementPtr>& fresh) {
  for (const std::string& envelope : page.statements) {
    auto parsed = SignedStatement::Parse(envelope);
    if (!parsed) {
      return Error{Code::kIntegrity, "the vault serves what is no statement of this version", 0,
                   Where(list.id(), list.next_sequence())};
    }
    const auto statement = std::make_shared<const SignedStatement>(std::move(*parsed));
    Status received = list.Receive(statement, upper());
    if (!received && received.error().code == Code::kConflict && refresh_upper) {
      GRANTFS_CHECK(refresh_upper());
      received = list.Receive(statement, upper());
      if (!received && received.error().code == Code::kConflict) {
        return Error{Code::kIntegrity,
                     "the statement was made over a state of the lists above it that the vault does not show",
                     0, Where(list.id(), statement->statement().sequence)};
      }
    }
    GRANTFS_CHECK(received);
    fresh.push_back(statement);
  }
  return {};
}

Status ListKeeper::CheckRemembered(const SignedList& list, Fetched& fetched) {
  const auto highest = GRANTFS_TRY(known_->HighestHead(list.id()));
  if (!highest) return {};
  if (highest->sequence >= list.next_sequence()) return RolledBack(list.id(), list.next_sequence() - 1);
  const bool same = list.HashAt(highest->sequence) == highest->hash;
  if (same && !fetched.whole) return {};
  if (!same && list.LastRestore() == nullptr) return Forked(list.id(), highest->sequence);
  if (!same) fetched.whole = true;
  // Only the statements tell what was seen to end; without them the head alone would be known.
  const auto seen = GRANTFS_TRY(known_->Statements(list.id()));
  if (seen.empty() && !same) return Forked(list.id(), highest->sequence);
  GRANTFS_CHECK(CheckRestored(seen, list));
  fetched.replaces = highest;
  return {};
}

Result<ListKeeper::Fetched> ListKeeper::Fetch(SignedList& list, const std::function<UpperLists()>& upper,
                                              const Newer& refresh_upper) {
  const bool began = list.empty();
  bool other_history = false;
  auto fetched = FetchOn(list, upper, refresh_upper, &other_history);
  if (!fetched && other_history && !began) {
    const Error forked = fetched.error();
    Empty(list);
    fetched = FetchOn(list, upper, refresh_upper, &other_history);
    if (!fetched && fetched.error().code == Code::kIntegrity) return forked;
    if (!fetched) return fetched;
    fetched->whole = true;
  }
  if (!fetched) return fetched;
  fetched->whole = fetched->whole || began;
  GRANTFS_CHECK(CheckRemembered(list, *fetched));
  fetched->standing = list.CheckStanding(upper());
  return fetched;
}

/// @param other_history  whether what is served does not go on from what the list has.
Result<ListKeeper::Fetched> ListKeeper::FetchOn(SignedList& list, const std::function<UpperLists()>& upper,
                                                const Newer& refresh_upper, bool* other_history) {
  Fetched fetched;
  for (int uncounted = 0;;) {
    const auto page = GRANTFS_TRY(ReadPage(list));
    GRANTFS_CHECK(CheckPage(list, page));
    *other_history = !FollowsOn(list, page);
    if (*other_history) return Forked(list.id(), page.head->sequence);
    GRANTFS_CHECK(ReceivePage(list, page, upper, refresh_upper, fetched.fresh));
    if (list.next_sequence() == page.head->sequence + 1 && list.head() != page.head) {
      return Forked(list.id(), page.head->sequence);
    }
    if (list.next_sequence() > page.head->sequence) break;
    uncounted = list.FirstUncounted(upper()) ? uncounted + 1 : 0;
    if (uncounted > kMaxUncountedPages) return Endless(list.id(), list.next_sequence());
  }
  return fetched;
}

Status ListKeeper::Remember(const SignedList& list, const Fetched& fetched, bool other_log) {
  GRANTFS_CHECK(fetched.standing);
  if (fetched.fresh.empty()) return {};
  KnownStore::Verified verified{list.id(), fetched.fresh, std::nullopt};
  verified.replaces = fetched.replaces;
  verified.other_log = other_log;
  return known_->Remember({verified});
}

Status ListKeeper::FetchServed(SignedList& list, const UpperLists& upper) {
  bool other_history = false;
  const auto fetched = FetchOn(
      list, [&upper] { return upper; }, nullptr, &other_history);
  if (!fetched && fetched.error().code == Code::kNotFound && list.empty()) return {};
  GRANTFS_CHECK(fetched);
  return list.CheckStanding(upper);
}

Result<VaultList> ListKeeper::FetchServedVault() {
  VaultList list;
  GRANTFS_CHECK(FetchServed(list, {}));
  if (!list.empty() && list.vault_id() == vault_id_) return list;
  return Error{Code::kIntegrity, "the vault serves the lists of another vault", 0, connection_->address().Text()};
}

Result<MachinesList> ListKeeper::FetchServedMachines(const VaultList& vault) {
  MachinesList list;
  GRANTFS_CHECK(FetchServed(list, {&vault, nullptr}));
  return list;
}

Result<EnvironmentList> ListKeeper::FetchServedEnvironment(const std::string& name, const VaultList& vault) {
  EnvironmentList list(name);
  GRANTFS_CHECK(FetchServed(list, {&vault, nullptr}));
  if (!list.empty()) GRANTFS_CHECK(list.CheckGenesis(vault));
  return list;
}

Result<SecretList> ListKeeper::FetchServedSecret(std::uint64_t number, const UpperLists& upper) {
  SecretList list(number);
  GRANTFS_CHECK(FetchServed(list, upper));
  return list;
}

Result<GroupList> ListKeeper::FetchServedGroup(std::uint64_t number, const UpperLists& upper) {
  GroupList list(upper.environment->name(), number);
  GRANTFS_CHECK(FetchServed(list, upper));
  GRANTFS_CHECK(list.CheckGenesis(*upper.environment));
  return list;
}

Status ListKeeper::RefreshVault() {
  VaultList next = vault_;
  const auto fetched = GRANTFS_TRY(Fetch(
      next, [] { return UpperLists(); }, nullptr));
  if (next.empty() || next.HashAt(0) != vault_id_) {
    return Error{Code::kIntegrity, "the vault serves the lists of another vault", 0,
                 connection_->address().Text()};
  }
  GRANTFS_CHECK(Remember(next, fetched, !vault_.empty() && next.log_origin() != vault_.log_origin()));
  const bool pins = next.pins() != vault_.pins();
  vault_ = std::move(next);
  return pins && pins_changed ? pins_changed(vault_.pins()) : Status();
}

Status ListKeeper::RefreshMachines() {
  const auto upper = [this] { return UpperLists{&vault_, nullptr}; };
  if (machines_.empty()) GRANTFS_CHECK(LoadInto(machines_, upper()));
  MachinesList next = machines_;
  const auto fetched = GRANTFS_TRY(Fetch(next, upper, RefreshesVault()));
  GRANTFS_CHECK(Remember(next, fetched));
  machines_ = std::move(next);
  return {};
}

Status ListKeeper::LoadEnvironment(const std::string& name) {
  if (environments_.contains(name)) return {};
  EnvironmentList list(name);
  GRANTFS_CHECK(LoadInto(list, {&vault_, nullptr}));
  environments_.emplace(name, std::move(list));
  return {};
}

Status ListKeeper::RefreshEnvironment(const std::string& name) {
  if (!vault_.environments().contains(name)) {
    return Error{Code::kNotFound, "there is no such environment: grantfs env list shows those that there are",
                 0, name};
  }
  GRANTFS_CHECK(LoadEnvironment(name));
  EnvironmentList next = environments_.at(name);
  const auto fetched = GRANTFS_TRY(Fetch(
      next,
      [this] {
        return UpperLists{&vault_, nullptr};
      },
      RefreshesVault()));
  GRANTFS_CHECK(next.CheckGenesis(vault_));
  GRANTFS_CHECK(Remember(next, fetched));
  environments_.at(name) = std::move(next);
  return {};
}

Result<SecretList> ListKeeper::RefreshSecret(std::uint64_t number, const SecretName& name,
                                             const std::optional<Head>& told) {
  SecretList list(number);
  const auto upper = [this, &name] { return UpperOf(name.environment); };
  GRANTFS_CHECK(LoadInto(list, upper()));
  Fetched fetched;
  if (told && list.head() == told) {
    fetched.standing = list.CheckStanding(upper());
  } else {
    fetched = GRANTFS_TRY(Fetch(list, upper, RefreshesBoth(name.environment)));
  }
  if (list.create().environment != name.environment || list.create().path != name.path) {
    return Error{Code::kIntegrity, "the vault serves another secret under this name", 0, name.Full()};
  }
  GRANTFS_CHECK(CheckRenewed(name, number, &list));
  GRANTFS_CHECK(known_->RememberNumber(number, name));
  GRANTFS_CHECK(Remember(list, fetched));
  return list;
}

Result<GroupList> ListKeeper::RefreshGroup(const std::string& environment, std::uint64_t number) {
  GroupList list(environment, number);
  const auto upper = [this, &environment] { return UpperOf(environment); };
  GRANTFS_CHECK(LoadInto(list, upper()));
  const auto fetched = GRANTFS_TRY(Fetch(list, upper, RefreshesBoth(environment)));
  GRANTFS_CHECK(list.CheckGenesis(*FindEnvironment(environment)));
  GRANTFS_CHECK(Remember(list, fetched));
  return list;
}

// That its list counts is not asked: nobody vouches for what is gone, and nothing of it is used any more.
Status ListKeeper::CheckRenewed(const SecretName& name, std::uint64_t number, const SecretList* renewed) {
  const auto before = GRANTFS_TRY(known_->NumberOf(name));
  if (!before || *before == number) return {};
  const Error other{
      Code::kIntegrity,
      "the vault names this secret by another number than this home has seen, and does not show "
      "that the one before was destroyed",
      0, name.Full()};
  SecretList list(*before);
  const bool freed = renewed != nullptr ? IsFreed(*renewed, name.environment)
                                        : GRANTFS_TRY(MayBeLost(*before, name.environment));
  const auto upper = [this, &name] { return UpperOf(name.environment); };
  GRANTFS_CHECK(LoadInto(list, upper()));
  if (!list.IsDestroyed()) {
    const auto fetched = Fetch(list, upper, RefreshesBoth(name.environment));
    const bool hidden = !fetched && (fetched.error().code == Code::kNotFound || fetched.error().where == kRolledBack);
    if (hidden && freed) return known_->FreeName(*before);
    if (hidden && fetched.error().code == Code::kNotFound) return other;
    if (!fetched) return fetched.error();
  }
  if (!list.IsDestroyed() || list.create().path != name.path) return other;
  return known_->FreeName(*before);
}

// By its number it is from before the newest restore, which this home has not seen accepted for it.
Result<bool> ListKeeper::MayBeLost(std::uint64_t number, const std::string& environment) {
  const auto* upper = FindEnvironment(environment);
  const auto restore = upper == nullptr ? nullptr : upper->LastRestore();
  if (restore == nullptr || number >= vault_.NumbersFrom(vault_.head()->sequence)) return false;
  const auto seen = GRANTFS_TRY(known_->Statements(ListId::Secret(number)));
  return std::none_of(seen.begin(), seen.end(), [&](const auto& statement) {
    const Statement& said = statement->statement();
    return std::holds_alternative<Restore>(said.act) &&
           said.heads.environment->sequence >= restore->statement().sequence;
  });
}

// Whoever made it saw that a backup had been restored: what was lost may have had its name.
bool ListKeeper::IsFreed(const SecretList& list, const std::string& environment) const {
  const auto* upper = FindEnvironment(environment);
  const auto restore = upper == nullptr ? nullptr : upper->LastRestore();
  const auto made = list.At(0);
  return restore && made &&
         made->statement().heads.environment->sequence >= restore->statement().sequence;
}

Status ListKeeper::Take(const std::vector<KnownStore::Verified>& accepted) {
  return known_->Remember(accepted);
}

Result<ListKeeper::Broken> ListKeeper::FetchBroken(const ListId& id, const SecretName& secret) {
  Broken broken;
  std::function<UpperLists()> upper = [this] { return UpperLists{&vault_, nullptr}; };
  Newer newer = RefreshesVault();
  switch (id.kind) {
    case ListKind::kVault:
      broken.list = std::make_unique<VaultList>(vault_);
      upper = [] { return UpperLists(); };
      newer = nullptr;
      break;
    case ListKind::kMachines:
      broken.list = std::make_unique<MachinesList>(machines_);
      break;
    case ListKind::kEnvironment:
      broken.list = std::make_unique<EnvironmentList>(id.environment);
      break;
    case ListKind::kSecret:
      broken.list = std::make_unique<SecretList>(id.number);
      upper = [this, secret] { return UpperOf(secret.environment); };
      newer = RefreshesBoth(secret.environment);
      break;
    case ListKind::kGroup:
      broken.list = std::make_unique<GroupList>(id.environment, id.number);
      upper = [this, id] { return UpperOf(id.environment); };
      newer = RefreshesBoth(id.environment);
      break;
  }
  if (broken.list->empty()) GRANTFS_CHECK(LoadInto(*broken.list, upper()));
  Fetched fetched = GRANTFS_TRY(Fetch(*broken.list, upper, newer));
  broken.fresh = std::move(fetched.fresh);
  broken.replaces = fetched.replaces;
  const auto first = broken.list->FirstUncounted(upper());
  if (!first)
    return Error{Code::kNotFound, "every statement of this list counts: there is nothing to mend", 0,
                 id.Text()};
  broken.first_uncounted = *first;
  return broken;
}

}  // namespace grantfs

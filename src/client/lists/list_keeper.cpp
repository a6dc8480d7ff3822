#include "grantfs/client/list_keeper.h"

#include <algorithm>

#include "grantfs/trust/group_list.h"
#include "list_fetch_internal.h"
#include "list_marks_internal.h"

namespace grantfs {

ListKeeper::ListKeeper(KnownStore* known, VaultConnection* vault, const Hash& vault_id,
                       const SigningKey* marks_with)
    : known_(known),
      connection_(vault),
      vault_id_(vault_id),
      marks_(marks_with == nullptr ? nullptr : std::make_unique<ListMarks>(known, marks_with, vault_id)) {}

ListKeeper::~ListKeeper() = default;

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
  // Who left before that key was made is not shown as if he were in it still.
  const GroupEpoch& newest = FindEnvironment(environment)->groups().Find(number)->newest();
  if (list.HashAt(newest.list_sequence) != newest.list_hash)
    return Error{Code::kIntegrity,
                 "the vault does not show the state of this list that the group's newest key was made for", 0,
                 list.id().Text()};
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
    const bool hidden =
        !fetched && (fetched.error().code == Code::kNotFound || fetched.error().where == kRolledBack);
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
  return restore && made && made->statement().heads.environment->sequence >= restore->statement().sequence;
}

Status ListKeeper::Take(const std::vector<KnownStore::Verified>& accepted) {
  return known_->Remember(accepted);
}

// That what is to be mended is what it is said to be: whoever mends it signs in it.
Status ListKeeper::CheckIsAsked(const SignedList& list, const SecretName& secret) const {
  if (list.id().kind == ListKind::kEnvironment)
    return static_cast<const EnvironmentList&>(list).CheckGenesis(vault_);
  if (list.id().kind == ListKind::kGroup)
    return static_cast<const GroupList&>(list).CheckGenesis(*FindEnvironment(list.id().environment));
  const auto first = list.id().kind == ListKind::kSecret ? list.At(0) : nullptr;
  const auto* made = first ? std::get_if<SecretCreate>(&first->statement().act) : nullptr;
  if (made == nullptr || (made->environment == secret.environment && made->path == secret.path)) return {};
  return Error{Code::kIntegrity, "the vault serves another secret under this name", 0, secret.Full()};
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
  GRANTFS_CHECK(CheckIsAsked(*broken.list, secret));
  const auto first = broken.list->FirstUncounted(upper());
  if (!first)
    return Error{Code::kNotFound, "every statement of this list counts: there is nothing to mend", 0,
                 id.Text()};
  broken.first_uncounted = *first;
  return broken;
}

}  // namespace grantfs

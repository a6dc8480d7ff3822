// One list from the vault, page by page: verified, and held against all that this home has seen of it.

#include "grantfs/api/lists.h"
#include "grantfs/client/list_keeper.h"
#include "grantfs/trust/group_list.h"
#include "grantfs/trust/restore.h"
#include "list_fetch_internal.h"
#include "problem_internal.h"

namespace grantfs {
namespace {

std::string Where(const ListId& list, std::uint64_t sequence) {
  return list.Text() + "#" + std::to_string(sequence);
}

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

// What the home kept is verified again: a file that somebody altered must not make a forgery count. Where the
// lists above go on from a backup, it may name what was lost of them: then the list is fetched from its
// beginning, and held against what was kept.
Status ListKeeper::LoadInto(SignedList& list, const UpperLists& upper) {
  for (const auto& statement : GRANTFS_TRY(known_->Statements(list, upper))) {
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
  const auto envelope = [&page](std::size_t i) { return std::string_view(page.statements[i]); };
  for (const auto& statement : list.ParseAhead(page.statements.size(), envelope, upper())) {
    if (statement == nullptr) {
      return Error{Code::kIntegrity, "the vault serves what is no statement of this version", 0,
                   Where(list.id(), list.next_sequence())};
    }
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
  return Error{Code::kIntegrity, "the vault serves the lists of another vault", 0,
               connection_->address().Text()};
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

Result<GroupList> ListKeeper::FetchServedGroup(const std::string& environment, std::uint64_t number,
                                               const UpperLists& upper) {
  GroupList list(environment, number);
  GRANTFS_CHECK(FetchServed(list, upper));
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

}  // namespace grantfs

// What one home's file takes over from another: a mount's from its machine's.

#include <algorithm>

#include "grantfs/client/known_store.h"
#include "grantfs/trust/lists.h"
#include "grantfs/trust/restore.h"

namespace grantfs {
namespace {

using VaultHistory = std::vector<SignedList::StatementPtr>;

Result<VaultHistory> ReadVault(Database& database) {
  SqlStatement rows =
      GRANTFS_TRY(database.Prepare("SELECT envelope FROM statements WHERE list = ?1 ORDER BY sequence"));
  rows.BindAll(ListId::Vault().Text());
  VaultHistory statements;
  while (GRANTFS_TRY(rows.Step()))
    statements.push_back(
        std::make_shared<const SignedStatement>(GRANTFS_TRY(SignedStatement::Parse(rows.Text(0)))));
  return statements;
}

/// Whether the one has all of the other.
bool GoesOnFrom(const VaultHistory& list, const VaultHistory& before) {
  return before.empty() || std::any_of(list.begin(), list.end(), [&](const auto& statement) {
           return statement->head() == before.back()->head();
         });
}

std::optional<VaultList> Counting(const VaultHistory& statements) {
  VaultList list;
  for (const auto& statement : statements)
    if (!list.Receive(statement, {})) return std::nullopt;
  if (list.empty() || !list.CheckStanding({})) return std::nullopt;
  return list;
}

/// Whether this history may stand in the place of the other, which it does not go on from.
bool IsRestoredFrom(const std::optional<VaultList>& list, const VaultHistory& seen) {
  return list && CheckRestored(seen, *list).has_value();
}

}  // namespace

// Of two files one may have seen a secret's end that the other has not, and the secret that has its name now.
// Where none has seen both, what is here stays until the lists say more.
Status KnownStore::TakeNumber(std::uint64_t number, const SecretName& name) {
  const auto is_freed = [](const SecretName& one) { return one.path.ends_with('/'); };
  if (is_freed(name)) GRANTFS_CHECK(FreeName(number));
  const auto here = GRANTFS_TRY(NameOf(number));
  if (here && is_freed(*here)) return {};
  if (!here && GRANTFS_TRY(NumberOf(name))) return {};
  return RememberNumber(number, name);
}

// Which keys the server may show is learnt of its list alone, and not from a server that shows another. Where
// one of the two has seen that a backup was accepted, and the other what that lost, the two are never mixed:
// what is kept is one history.
Status KnownStore::TakeVault(const VaultHistory& theirs) {
  const VaultHistory own = GRANTFS_TRY(ReadKept(GRANTFS_TRY(ReadRows(ListId::Vault()))));
  if (theirs.empty() || (!own.empty() && GoesOnFrom(own, theirs))) return {};
  Verified taken{ListId::Vault(), theirs, std::nullopt};
  if (GoesOnFrom(theirs, own)) return RememberList(taken);
  const auto ours = Counting(own);
  if (IsRestoredFrom(ours, theirs)) return {};
  const auto other = Counting(theirs);
  if (IsRestoredFrom(other, own)) {
    taken.replaces = GRANTFS_TRY(FindHighest(ListId::Vault()));
    taken.other_log = !ours || ours->log_origin() != other->log_origin();
  } else if (other && other->LastRestore() != nullptr) {
    return {};  // whoever uses this file says what is wrong with it, when the vault shows it
  }
  return RememberList(taken);  // or it is a fork
}

Status KnownStore::TakeHeadsOf(const std::string& path) {
  Database other = GRANTFS_TRY(Database::Open(path, {.mode = OpenMode::kImmutable}));
  // What is gone first: its name may be another's below.
  SqlStatement numbers = GRANTFS_TRY(
      other.Prepare("SELECT number, environment, path FROM numbers ORDER BY path NOT LIKE '%/', number"));
  while (GRANTFS_TRY(numbers.Step()))
    GRANTFS_CHECK(TakeNumber(static_cast<std::uint64_t>(numbers.Int(0)), {numbers.Text(1), numbers.Text(2)}));
  const std::lock_guard guard(mutex_);
  Transaction transaction = GRANTFS_TRY(Transaction::Begin(database_));
  const VaultHistory vault = GRANTFS_TRY(ReadVault(other));
  GRANTFS_CHECK(TakeVault(vault));
  SqlStatement heads =
      GRANTFS_TRY(other.Prepare("SELECT list, sequence, hash, minimum, restored FROM heads"));
  while (GRANTFS_TRY(heads.Step())) {
    const Head head{static_cast<std::uint64_t>(heads.Int(1)), GRANTFS_TRY(Hash::FromBytes(heads.Blob(2)))};
    const bool taken = !vault.empty() && heads.Text(0) == ListId::Vault().Text();
    if (!taken) GRANTFS_CHECK(RememberHead(heads.Text(0), head));
    GRANTFS_CHECK(database_.Run(
        "UPDATE heads SET minimum = max(minimum, ?1), restored = max(restored, ?2) WHERE list = ?3",
        heads.Int(3), heads.Int(4), heads.Text(0)));
  }
  return transaction.Commit();
}

}  // namespace grantfs

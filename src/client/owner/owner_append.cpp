#include "grantfs/api/lists.h"
#include "grantfs/log/log.h"
#include "owner_base_internal.h"

namespace grantfs {
namespace {

/// The vault looks at every secret below a prefix, between what others ask of it.
constexpr std::chrono::seconds kLongAppend{120};

}  // namespace

Statement OwnerBase::Draft(const SignedList& list, const UpperLists& upper, Act act,
                           const std::string& reason) const {
  Statement statement;
  statement.vault = home_.profile().vault;
  statement.list = list.id();
  statement.sequence = list.next_sequence();
  if (list.head()) statement.previous = list.head()->hash;
  statement.signer = me_.Id();
  statement.time = Now();
  statement.reason = reason;
  if (list.id().kind != ListKind::kVault) statement.heads.vault = upper.vault->head();
  if (list.id().BelowEnvironment()) statement.heads.environment = upper.environment->head();
  statement.act = std::move(act);
  statement.request = answers_;
  return statement;
}

Result<SignedList::StatementPtr> OwnerBase::SignNext(SignedList& list, const UpperLists& upper,
                                                     Statement statement) {
  GRANTFS_CHECK(CheckUnanswered(list));
  auto made = std::make_shared<const SignedStatement>(
      GRANTFS_TRY(SignedStatement::Sign(statement, me_.signing_key())));
  GRANTFS_CHECK(list.Append(made, upper));
  return StatementPtr(std::move(made));
}

Result<SignedList::StatementPtr> OwnerBase::Next(SignedList& list, const UpperLists& upper, Act act,
                                                 const std::string& reason) {
  return SignNext(list, upper, Draft(list, upper, std::move(act), reason));
}

Result<SignedList::StatementPtr> OwnerBase::Next(SecretList& list, const UpperLists& upper, Act act,
                                                 const std::string& reason) {
  Statement statement = Draft(list, upper, std::move(act), reason);
  statement.state = GRANTFS_TRY(list.StateAfter(statement.act, upper));
  return SignNext(list, upper, std::move(statement));
}

// Whatever the vault says of a request: what was made of it stands in the list.
Status OwnerBase::CheckUnanswered(const SignedList& list) {
  if (!answers_) return {};
  for (const StatementPtr& one : list.Statements()) {  // its sequences have gaps where a backup was accepted
    if (one->statement().request != answers_) continue;
    return Settled({Code::kConflict,
                    "the request was fulfilled already, by the statement there, though the vault shows it as "
                    "open",
                    0, list.id().Text() + "#" + std::to_string(one->statement().sequence)});
  }
  return {};
}

Error OwnerBase::Settled(Error error) {
  settled_ = true;
  return error;
}

Result<std::uint64_t> OwnerBase::Send(const Batch& batch) {
  api::AppendRequest request;
  VaultConnection::CallOptions call;
  for (const auto& list : batch) {
    api::ListAppend append;
    append.list = list.list;
    for (const auto& statement : list.statements) {
      append.statements.push_back(statement->envelope());
      if (std::holds_alternative<PrefixGrant>(statement->statement().act)) call.deadline = kLongAppend;
    }
    request.appends.push_back(std::move(append));
  }
  // Sent again with the same statements where the answer was lost: the vault knows them by their hashes.
  return GRANTFS_TRY(vault_->Ask<api::AppendResponse>(api::kListsAppend, request, call)).change;
}

Result<std::uint64_t> OwnerBase::Submit(const Batch& batch) {
  const std::uint64_t change = GRANTFS_TRY(Send(batch));
  GRANTFS_CHECK(Noted(keeper_->Take(batch)));
  return change;
}

// What the vault has taken is done, whatever becomes of this home's note of it: the next command sees it.
Status OwnerBase::Noted(const Status& noted) {
  if (noted || noted.error().code == Code::kIntegrity) return noted;
  Log(LogLevel::kWarning, "the change is made, but this home could not note that it was", noted.error());
  return {};
}

Error Halfway(const Error& error, std::size_t done, std::size_t all) {
  const std::string said = "the first " + std::to_string(done) + " of " + std::to_string(all) +
                           " secrets are done; only the rest is not";
  if (done > 0) Log(LogLevel::kWarning, said, error);
  return error;
}

}  // namespace grantfs

#include <algorithm>

#include "owner_internal.h"

namespace grantfs {

Result<std::size_t> OwnerSessionImpl::VouchFor(const ListId& list, const std::string& reason) {
  return Retry([&] { return Mend(list, reason, true); });
}

Result<std::size_t> OwnerSessionImpl::VoidTail(const ListId& list, const std::string& reason) {
  return Retry([&] { return Mend(list, reason, false); });
}

Result<std::size_t> OwnerSessionImpl::Mend(const ListId& id, const std::string& reason, bool vouch) {
  const Status vault = keeper_->RefreshVault();
  if (id.kind != ListKind::kVault) GRANTFS_CHECK(vault);
  SecretName secret;
  if ((id.kind == ListKind::kEnvironment || id.kind == ListKind::kGroup) && !keeper_->vault().environments().contains(id.environment)) {
    return Error{Code::kNotFound, "there is no such environment", 0, id.environment};
  }
  if (id.kind == ListKind::kSecret) {
    const auto name = GRANTFS_TRY(known_->NameOf(id.number));
    if (!name) {
      return Error{Code::kNotFound, "this home has not seen that secret: run grantfs secret list first", 0,
                   id.Text()};
    }
    secret = *name;
    GRANTFS_CHECK(keeper_->RefreshEnvironment(secret.environment));
  }
  if (id.kind == ListKind::kGroup) GRANTFS_CHECK(keeper_->RefreshEnvironment(id.environment));
  auto broken = GRANTFS_TRY(keeper_->FetchBroken(id, secret));
  const UpperLists upper = id.kind == ListKind::kSecret  ? keeper_->UpperOf(secret.environment)
                           : id.kind == ListKind::kGroup ? keeper_->UpperOf(id.environment)
                                                         : UpperLists{&keeper_->vault(), nullptr};
  Act act = Vouch{};
  if (!vouch) act = Void{broken.first_uncounted, *broken.list->HashAt(broken.first_uncounted)};
  const auto statements = broken.list->Statements();
  const auto concerned = static_cast<std::size_t>(
      std::count_if(statements.begin(), statements.end(), [&](const StatementPtr& statement) {
        return statement->statement().sequence >= broken.first_uncounted;
      }));
  StatementPtr made;
  if (auto* list = dynamic_cast<SecretList*>(broken.list.get())) {
    made = GRANTFS_TRY(Next(*list, upper, act, reason));
  } else {
    made = GRANTFS_TRY(Next(*broken.list, upper, act, reason));
  }
  KnownStore::Verified mended{id, std::move(broken.fresh), {}};
  mended.replaces = broken.replaces;
  mended.statements.push_back(made);
  GRANTFS_TRY(Send({{id, {made}, {}}}));
  GRANTFS_CHECK(keeper_->Take({mended}));
  return concerned;
}

}  // namespace grantfs

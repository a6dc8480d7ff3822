// A list that has a tail which does not count: what an owner sees of it and says of it.

#include "lost_statements_internal.h"
#include "owner_internal.h"

namespace grantfs {
namespace {

// As the commands name it.
std::string NameOfList(const ListId& id, const SecretName& secret) {
  switch (id.kind) {
    case ListKind::kVault:
      return "the vault";
    case ListKind::kMachines:
      return "its machines";
    case ListKind::kEnvironment:
      return id.environment;
    case ListKind::kSecret:
      return secret.Full();
    case ListKind::kGroup:
      return "a group of " + id.environment;
  }
  std::abort();
}

std::vector<Grantee> MachinesNamedIn(const Act& act) {
  std::vector<Grantee> named;
  if (const auto* grant = std::get_if<GrantAdd>(&act)) named.push_back(grant->grant.grantee);
  if (const auto* add = std::get_if<GroupMachinesAdd>(&act)) named = add->machines;
  std::erase_if(named, [](const Grantee& one) { return one.kind != GranteeKind::kMachine; });
  return named;
}

// A grant is shown by the machine's name, and later versions are sealed to the key that it names.
Status CheckKeysNamed(const SignedList& list, std::uint64_t from, const MachinesList& machines) {
  for (const auto& statement : list.Statements()) {
    if (statement->statement().sequence < from) continue;
    for (const Grantee& one : MachinesNamedIn(statement->statement().act)) {
      const auto at = machines.machines().find(one.number);
      const Identity* machine = at == machines.machines().end() ? nullptr : &at->second.identity;
      if (machine != nullptr && machine->name == one.name && machine->Id() == one.id &&
          machine->seal == one.seal)
        continue;
      return Error{Code::kDenied,
                   "what does not count names a key that no such machine has: take it back with --void", 0,
                   one.name};
    }
  }
  return {};
}

}  // namespace

Result<std::vector<LostStatement>> OwnerSessionImpl::MendList(const ListId& list,
                                                              const MendOptions& options) {
  return Retry([&] { return MendOnce(list, options); });
}

// The lists above the one that is broken, as new as they are to be had. Returns a secret's name.
Result<SecretName> OwnerSessionImpl::RefreshAbove(const ListId& id) {
  const Status vault = keeper_->RefreshVault();
  if (id.kind != ListKind::kVault) GRANTFS_CHECK(vault);
  const bool below = id.kind == ListKind::kEnvironment || id.kind == ListKind::kGroup;
  if (below && !keeper_->vault().environments().contains(id.environment)) {
    return Error{Code::kNotFound, "there is no such environment", 0, id.environment};
  }
  if (id.kind == ListKind::kGroup) GRANTFS_CHECK(keeper_->RefreshEnvironment(id.environment));
  if (id.kind != ListKind::kSecret) return SecretName();
  auto name = GRANTFS_TRY(known_->NameOf(id.number));
  if (!name) {
    return Error{Code::kNotFound, "this home has not seen that secret: run grantfs secret list first", 0,
                 id.Text()};
  }
  GRANTFS_CHECK(keeper_->RefreshEnvironment(name->environment));
  return *std::move(name);
}

Result<std::vector<LostStatement>> OwnerSessionImpl::MendOnce(const ListId& id, const MendOptions& options) {
  const SecretName secret = GRANTFS_TRY(RefreshAbove(id));
  auto broken = GRANTFS_TRY(keeper_->FetchBroken(id, secret));
  std::optional<std::uint64_t> good;  // up to this one
  if (broken.first_uncounted > 0) good = broken.first_uncounted - 1;
  auto tail =
      DescribeLost(NameOfList(id, secret), broken.list->Statements(), good, {}, [this](const Hash& who) {
        const bool removed = keeper_->vault().IsRemoved(who);
        return NameOf(who) + (removed ? " (this key was removed)" : "");
      });
  if (options.how == MendOptions::How::kLook) return tail;
  if (options.how == MendOptions::How::kVouch && id.BelowEnvironment()) {
    GRANTFS_CHECK(RequireMachines());
    GRANTFS_CHECK(CheckKeysNamed(*broken.list, broken.first_uncounted, keeper_->machines()));
  }
  if (options.confirm) GRANTFS_CHECK(options.confirm(tail));
  const UpperLists upper = id.kind == ListKind::kSecret  ? keeper_->UpperOf(secret.environment)
                           : id.kind == ListKind::kGroup ? keeper_->UpperOf(id.environment)
                                                         : UpperLists{&keeper_->vault(), nullptr};
  Act act = Vouch{};
  if (options.how == MendOptions::How::kVoid)
    act = Void{broken.first_uncounted, *broken.list->HashAt(broken.first_uncounted)};
  auto* of_secret = dynamic_cast<SecretList*>(broken.list.get());
  const StatementPtr made = of_secret != nullptr
                                ? GRANTFS_TRY(Next(*of_secret, upper, act, options.reason))
                                : GRANTFS_TRY(Next(*broken.list, upper, act, options.reason));
  KnownStore::Verified mended{id, std::move(broken.fresh), {}};
  mended.replaces = broken.replaces;
  mended.statements.push_back(made);
  GRANTFS_TRY(Send({{id, {made}, {}}}));
  GRANTFS_CHECK(Noted(keeper_->Take({mended})));
  return tail;
}

}  // namespace grantfs

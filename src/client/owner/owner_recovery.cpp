// The recovery identity: used, checked and replaced.

#include <algorithm>

#include "client/homes/home_profile_internal.h"
#include "grantfs/client/recovery.h"
#include "grantfs/client/recovery_code.h"
#include "grantfs/crypto/random.h"
#include "owner_internal.h"

namespace grantfs {
namespace {

Result<PrivateIdentity> RecoveryOf(const SecretMemory& code) {
  return PrivateIdentity::FromSeed(GRANTFS_TRY(DecodeRecoveryCode(code)), IdentityKind::kUser, kRecoveryName);
}

/// The home that the new owner will have; that of an interrupted call is gone on with.
Result<Home> BeginHome(const std::string& directory, const VaultPlace& place, const std::string& name) {
  if (Home::Exists(directory)) {
    Home home = GRANTFS_TRY(Home::OpenAny(directory));
    if (home.profile().state == HomeProfile::State::kClaiming && home.profile().vault == place.vault) return home;
    return HomeInUse(directory);
  }
  HomeProfile profile;
  profile.state = HomeProfile::State::kClaiming;
  profile.kind = IdentityKind::kUser;
  profile.name = name;
  profile.vault = place.vault;
  profile.address = place.address;
  profile.pins = {place.pin};
  return Home::Create(directory, profile, GRANTFS_TRY(RandomKey()), nullptr, nullptr);
}

}  // namespace

Status OwnerSessionImpl::RequireRecovery() {
  const Status seen = keeper_->RefreshVault();
  const bool refused = !seen && seen.error().code == Code::kUnauthentic;
  if (!seen && !refused) return seen;
  if (!refused && keeper_->vault().IsRecovery(me_.Id())) return {};
  return Error{Code::kDenied,
               "this is not the recovery code of this vault, or no more: another has taken its place, or it is of "
               "another vault",
               0, home_.profile().address.Text()};
}

Result<RecoverResult> OwnerSessionImpl::MakeOwner(const Identity& owner) {
  RecoverResult result;
  for (const Identity& one : keeper_->vault().Owners())
    if (one.Id() != owner.Id()) result.owners.push_back(one.name);
  const Status added = Retry([&]() -> Status {
    GRANTFS_CHECK(keeper_->RefreshVault());
    VaultList vault = keeper_->vault();
    if (vault.IsOwner(owner.Id())) return {};
    const auto made = GRANTFS_TRY(Next(vault, {}, VaultOwnerAdd{owner}, {}));
    GRANTFS_TRY(Submit({{ListId::Vault(), {made}, {}}}));
    return {};
  });
  GRANTFS_CHECK(added);
  const auto environments = keeper_->vault().environments();
  for (const auto& [name, entry] : environments) {
    const Status made = Retry([&] { return MakeOwnerOf(name, owner); });
    if (!made && made.error().code == Code::kUnreachable) return made.error();
    if (made)
      result.environments.push_back(name);
    else
      result.problems.push_back(name + ": " + Describe(made.error()));
    Report("recovering", result.environments.size() + result.problems.size(), environments.size());
  }
  return result;
}

Status OwnerSessionImpl::MakeOwnerOf(const std::string& environment, const Identity& owner) {
  GRANTFS_CHECK(RefreshUpper(environment));
  EnvironmentList list = *keeper_->FindEnvironment(environment);
  if (list.RoleOf(owner.Id()) == Role::kOwner) return {};
  const UnsealKey* key = GRANTFS_TRY(EpochKey(list, list.newest_epoch().number));
  NewEpoch copy;
  copy.epoch = list.newest_epoch();
  copy.copies = {{owner.Id(), GRANTFS_TRY(Seal(owner.seal, key->private_bytes()))}};
  const MemberAdd add{owner, Role::kOwner, "", Blake2b256({copy.copies.front().sealed})};
  const auto made = GRANTFS_TRY(Next(list, {&keeper_->vault(), nullptr}, add, {}));
  GRANTFS_CHECK(StageEpoch(environment, copy));
  GRANTFS_TRY(Submit({{list.id(), {made}, {}}}));
  return {};
}

Result<RecoverResult> RecoverOwner(const std::string& home_directory, const VaultPlace& place,
                                   const SecretMemory& code, const std::string& owner_name,
                                   const ClientOptions& options) {
  PrivateIdentity recovery = GRANTFS_TRY(RecoveryOf(code));
  const bool made = !Home::Exists(home_directory);
  bool accepted = false;
  Home home = GRANTFS_TRY(BeginHome(home_directory, place, owner_name));
  const Identity owner = GRANTFS_TRY(home.LoadIdentity()).identity();
  Result<RecoverResult> result = [&]() -> Result<RecoverResult> {
    OwnerSessionImpl session(home, std::move(recovery), options);
    GRANTFS_CHECK(session.Start());
    GRANTFS_CHECK(session.RequireRecovery());
    accepted = true;
    return session.MakeOwner(owner);
  }();
  if (!result) {
    // Before that nothing can have been made of its key: the home is not in the way of the next try.
    if (made && !accepted) static_cast<void>(home.Discard().has_value());
    return result;
  }
  GRANTFS_CHECK(home.MarkReady());
  result->name = owner.name;
  result->fingerprint = owner.Fingerprint();
  return result;
}

Result<std::vector<Finding>> OwnerSessionImpl::RecoveryFindings() {
  GRANTFS_CHECK(RequireRecovery());
  std::vector<Finding> findings;
  for (const auto& [name, entry] : keeper_->vault().environments()) {
    const auto opens = [&, environment = name]() -> Status {
      GRANTFS_CHECK(keeper_->RefreshEnvironment(environment));
      const EnvironmentList& list = *keeper_->FindEnvironment(environment);
      for (auto number = static_cast<std::uint32_t>(list.epochs().size()); number > 0; --number)
        GRANTFS_TRY(EpochKey(list, number));
      return {};
    }();
    if (opens) {
      findings.push_back({Finding::Level::kGood, "recovery.copies", "the code opens every key of " + name, {}});
      continue;
    }
    const auto* list = keeper_->FindEnvironment(name);
    const bool behind = list != nullptr && !list->HasFollowedRecovery(keeper_->vault());
    findings.push_back({Finding::Level::kFailure, "recovery.copies",
                        behind ? "the keys of " + name + " are not sealed to this code yet"
                               : "the code does not open every key of " + name + ": " + Describe(opens.error()),
                        "grantfs recovery follow (an owner of " + name + ")"});
  }
  return findings;
}

Result<std::vector<Finding>> CheckRecoveryCopies(const std::string& home_directory, const SecretMemory& code,
                                                 const ClientOptions& options) {
  PrivateIdentity recovery = GRANTFS_TRY(RecoveryOf(code));
  Home home = GRANTFS_TRY(Home::Open(home_directory));
  OwnerSessionImpl session(std::move(home), std::move(recovery), options);
  GRANTFS_CHECK(session.Start());
  return session.RecoveryFindings();
}

// ---- by owners

Result<OwnerSessionImpl::Following> OwnerSessionImpl::NextEpoch(const std::string& environment,
                                                               const VaultList& vault,
                                                               const std::string& reason) {
  const EnvironmentList before = *keeper_->FindEnvironment(environment);
  EnvironmentList list = before;
  const UnsealKey* key = GRANTFS_TRY(EpochKey(list, list.newest_epoch().number));
  Following next;
  next.epoch = GRANTFS_TRY(MakeEpoch(list.EpochRecipients(vault), &list.newest_epoch(), key));
  next.statements.push_back(GRANTFS_TRY(Next(list, {&vault, nullptr}, EpochStart{next.epoch.epoch}, reason)));
  for (auto& started : GRANTFS_TRY(NextGroupEpochs(before, list, vault, reason)))
    next.statements.push_back(std::move(started));
  return next;
}

Result<ReplacedRecovery> OwnerSessionImpl::ReplaceRecovery(const std::string& reason) {
  return Retry([&]() -> Result<ReplacedRecovery> {
    GRANTFS_CHECK(RequireVaultOwner());
    ReplacedRecovery replaced;
    const auto seed = GRANTFS_TRY(RandomKey());
    const auto recovery = GRANTFS_TRY(PrivateIdentity::FromSeed(seed, IdentityKind::kUser, kRecoveryName));
    VaultList vault = keeper_->vault();
    const auto made = GRANTFS_TRY(Next(vault, {}, RecoveryReplace{recovery.identity()}, reason));
    Batch batch{{ListId::Vault(), {made}, {}}};
    const auto mine = GRANTFS_TRY(EnvironmentsWith(Operation::kManageMembers));
    for (const auto& [environment, entry] : vault.environments()) {
      if (std::find(mine.begin(), mine.end(), environment) == mine.end()) {
        replaced.others.push_back(environment);
        continue;
      }
      Following next = GRANTFS_TRY(NextEpoch(environment, vault, reason));
      GRANTFS_CHECK(StageEpoch(environment, next.epoch));
      batch.push_back({ListId::Environment(environment), std::move(next.statements), {}});
      replaced.followed.push_back(environment);
    }
    replaced.code = GRANTFS_TRY(EncodeRecoveryCode(seed));
    GRANTFS_TRY(Submit(batch));
    return replaced;
  });
}

Result<std::vector<std::string>> OwnerSessionImpl::FollowRecovery(const std::string& reason) {
  return Retry([&]() -> Result<std::vector<std::string>> {
    GRANTFS_CHECK(keeper_->RefreshVault());
    std::vector<std::string> followed;
    for (const std::string& environment : GRANTFS_TRY(EnvironmentsWith(Operation::kManageMembers))) {
      if (keeper_->FindEnvironment(environment)->HasFollowedRecovery(keeper_->vault())) continue;
      Following next = GRANTFS_TRY(NextEpoch(environment, keeper_->vault(), reason));
      GRANTFS_CHECK(StageEpoch(environment, next.epoch));
      GRANTFS_TRY(Submit({{ListId::Environment(environment), std::move(next.statements), {}}}));
      followed.push_back(environment);
    }
    return followed;
  });
}

Status OwnerSessionImpl::RaiseLevel(std::int64_t level, const std::string& reason) {
  return Retry([&]() -> Status {
    GRANTFS_CHECK(RequireVaultOwner());
    VaultList vault = keeper_->vault();
    const auto made = GRANTFS_TRY(Next(vault, {}, LevelRaise{level}, reason));
    GRANTFS_TRY(Submit({{ListId::Vault(), {made}, {}}}));
    return {};
  });
}

}  // namespace grantfs

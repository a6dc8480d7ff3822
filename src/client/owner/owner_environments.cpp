#include <algorithm>

#include "grantfs/api/secrets.h"
#include "owner_internal.h"

namespace grantfs {

Status OwnerSessionImpl::CreateEnvironment(const std::string& environment, const std::string& reason) {
  GRANTFS_CHECK(CheckEnvironmentName(environment));
  return Retry([&]() -> Status {
    GRANTFS_CHECK(RequireVaultOwner());
    if (keeper_->vault().environments().contains(environment))
      return Settled({Code::kConflict, "the environment exists already", 0, environment});
    const auto epoch =
        GRANTFS_TRY(MakeEpoch({me_.identity(), keeper_->vault().recovery()}, nullptr, nullptr));
    EnvironmentList list(environment);
    const auto genesis =
        GRANTFS_TRY(Next(list, {&keeper_->vault(), nullptr},
                         EnvironmentCreate{environment, me_.identity(), epoch.epoch}, reason));
    VaultList vault = keeper_->vault();
    const auto added = GRANTFS_TRY(Next(vault, {}, EnvironmentAdd{environment, genesis->hash()}, reason));
    GRANTFS_CHECK(StageEpoch(environment, epoch));
    GRANTFS_TRY(Submit({{ListId::Vault(), {added}, {}}, {list.id(), {genesis}, {}}}));
    return {};
  });
}

Result<std::vector<EnvironmentInfo>> OwnerSessionImpl::ListEnvironments() {
  GRANTFS_CHECK(keeper_->RefreshVault());
  std::vector<EnvironmentInfo> all;
  for (const auto& [name, entry] : keeper_->vault().environments()) {
    EnvironmentInfo info;
    info.name = name;
    const Status seen = keeper_->RefreshEnvironment(name);
    const bool hidden = !seen && (seen.error().code == Code::kNotFound || seen.error().code == Code::kDenied);
    if (!hidden) {
      GRANTFS_CHECK(seen);
      const EnvironmentList& list = *keeper_->FindEnvironment(name);
      info.role = list.RoleOf(me_.Id());
      info.epoch = list.newest_epoch().number;
      info.members =
          static_cast<std::size_t>(std::count_if(list.members().begin(), list.members().end(),
                                                 [](const auto& member) { return member.second.present; }));
    }
    all.push_back(std::move(info));
  }
  return all;
}

Result<std::vector<ProjectInfo>> OwnerSessionImpl::ListProjects() {
  GRANTFS_CHECK(keeper_->RefreshVault());
  std::vector<ProjectInfo> all;
  for (const auto& [name, entry] : keeper_->vault().environments()) {
    const std::string project = name.substr(0, name.find('/'));
    if (all.empty() || all.back().name != project) all.push_back({project, {}});
    all.back().environments.push_back(name);
  }
  return all;
}

Result<std::vector<MemberInfo>> OwnerSessionImpl::ListMembers(const std::string& environment) {
  GRANTFS_CHECK(Enter(environment, Operation::kList));
  std::vector<MemberInfo> all;
  for (const auto& [id, member] : keeper_->FindEnvironment(environment)->members()) {
    if (!member.present) continue;
    all.push_back({member.identity.name, member.identity.kind, id.Hex(), member.identity.Fingerprint(),
                   member.role, member.prefix, keeper_->vault().IsRemoved(id)});
    if (const Identity* now = keeper_->vault().ReplacementOf(id)) all.back().replaced_by = now->Fingerprint();
  }
  std::sort(all.begin(), all.end(), [](const MemberInfo& a, const MemberInfo& b) { return a.name < b.name; });
  return all;
}

}  // namespace grantfs

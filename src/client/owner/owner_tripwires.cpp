#include "grantfs/api/tripwires.h"
#include "owner_internal.h"

// Canaries and what tripwires do: the vault's own state, so that nothing here is signed or verified but who
// asks.

namespace grantfs {
namespace {

TripwireInfo InfoOf(const std::string& environment, api::TripwireResponse said) {
  return {environment, std::move(said.by), said.time, std::move(said.policy)};
}

}  // namespace

Result<bool> OwnerSessionImpl::SetCanary(const SecretName& name, bool canary) {
  GRANTFS_CHECK(Enter(name.environment, Operation::kConfigure));
  const auto found = GRANTFS_TRY(Find(name));
  if (!found)
    return Error{Code::kNotFound, "there is no such secret: grantfs secret list shows those that there are",
                 0, name.Full()};
  const api::CanaryRequest request{found->number, canary};
  return GRANTFS_TRY(vault_->Ask<api::CanaryResponse>(api::kCanariesSet, request)).changed;
}

Result<std::vector<CanaryInfo>> OwnerSessionImpl::ListCanaries(const std::string& environment) {
  std::vector<std::string> environments = {environment};
  if (environment.empty()) {
    GRANTFS_CHECK(keeper_->RefreshVault());
    environments = GRANTFS_TRY(EnvironmentsWith(Operation::kConfigure));
  } else {
    GRANTFS_CHECK(Enter(environment, Operation::kConfigure));
  }
  std::vector<CanaryInfo> infos;
  for (const std::string& each : environments) {
    api::CanariesListRequest request;
    request.environment = each;
    for (bool more = true; more;) {
      auto page = GRANTFS_TRY(vault_->Ask<api::CanariesListResponse>(api::kCanariesList, request));
      for (auto& canary : page.canaries) {
        if (canary.secret <= request.after)
          return Error{Code::kIntegrity, "the vault lists canaries out of order", 0, each};
        request.after = canary.secret;
        infos.push_back({{each, std::move(canary.path)}, std::move(canary.by), canary.time});
      }
      more = page.more && !page.canaries.empty();
    }
  }
  return infos;
}

Result<TripwireInfo> OwnerSessionImpl::ShowTripwire(const std::string& environment) {
  GRANTFS_CHECK(Enter(environment, Operation::kConfigure));
  const api::TripwireShowRequest request{environment};
  return InfoOf(environment, GRANTFS_TRY(vault_->Ask<api::TripwireResponse>(api::kTripwiresShow, request)));
}

Result<TripwireInfo> OwnerSessionImpl::SetTripwire(const std::string& environment,
                                                   const TripwireChange& change) {
  api::TripwireSetRequest request{environment, GRANTFS_TRY(ShowTripwire(environment)).policy};
  TripwirePolicy& policy = request.policy;
  policy.canary = change.canary.value_or(policy.canary);
  policy.scope = change.scope.value_or(policy.scope);
  policy.rate = change.rate.value_or(policy.rate);
  policy.rate_action = change.rate_action.value_or(policy.rate_action);
  if (change.passes) policy.passes = *change.passes;
  return InfoOf(environment, GRANTFS_TRY(vault_->Ask<api::TripwireResponse>(api::kTripwiresSet, request)));
}

}  // namespace grantfs

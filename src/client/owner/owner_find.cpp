#include "grantfs/api/secrets.h"
#include "owner_base_internal.h"

namespace grantfs {
namespace {

/// Ten times what a vault is made for: one that names more would never come to an end.
constexpr std::size_t kMostNames = 1'000'000;

Error NoSuchSecret(const SecretName& name) {
  return Error{Code::kNotFound, "there is no such secret: grantfs secret list shows those of an environment",
               0, name.Full()};
}

}  // namespace

Result<std::optional<OwnerBase::Found>> OwnerBase::Find(const SecretName& name) {
  api::SecretFindRequest request;
  request.environment = name.environment;
  request.path = name.path;
  const auto found = vault_->Ask<api::SecretFindResponse>(api::kSecretsFind, request);
  if (!found && found.error().code == Code::kNotFound) return std::optional<Found>();
  if (!found) return found.error();
  return std::optional<Found>(Found{found->number, found->head});
}

Result<SecretList> OwnerBase::FetchSecret(const SecretName& name) {
  const auto found = GRANTFS_TRY(Find(name));
  if (!found) return NoSuchSecret(name);
  SecretList list = GRANTFS_TRY(keeper_->RefreshSecret(found->number, name, found->head));
  if (list.IsDestroyed()) return NoSuchSecret(name);
  return list;
}

Result<std::vector<OwnerBase::Listed>> OwnerBase::ListNames(const std::string& environment,
                                                            const std::string& prefix) {
  std::vector<Listed> all;
  api::SecretsListRequest request;
  request.environment = environment;
  for (std::size_t named = 0;;) {
    const auto page = GRANTFS_TRY(vault_->Ask<api::SecretsListResponse>(api::kSecretsList, request));
    for (const auto& listed : page.secrets) {
      if (listed.path <= request.after) {
        return Error{Code::kIntegrity, "the vault lists its secrets out of order", 0, environment};
      }
      request.after = listed.path;
      if (!listed.path.starts_with(prefix)) continue;
      all.push_back({{environment, listed.path}, listed.number, listed.head});
    }
    if (!page.more || page.secrets.empty()) return all;
    if ((named += page.secrets.size()) > kMostNames)
      return Error{Code::kIntegrity, "the vault lists more secrets than any has", 0, environment};
  }
}

}  // namespace grantfs

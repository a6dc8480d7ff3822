#include "core_internal.h"

namespace grantfs {

void Vault::ReserveSecrets(const VaultCaller& caller, const api::ReserveRequest& request,
                           Done<api::ReserveResponse> done) {
  const Status may = core_->state.Get()->CheckMember(caller, request.environment, Operation::kPublish);
  if (!may) return done(may.error());
  auto first = std::make_shared<std::uint64_t>(0);
  core_->store.Write(
      [first, count = request.count](StoreWriter& writer) -> Status {
        *first = GRANTFS_TRY(writer.ReserveSecretNumbers(count));
        return {};
      },
      [first, done = std::move(done)](Status status) {
        if (!status) return done(status.error());
        done(api::ReserveResponse{*first});
      });
}

Result<api::SecretsListResponse> Vault::ListSecrets(const VaultCaller& caller,
                                                    const api::SecretsListRequest& request) const {
  GRANTFS_CHECK(core_->state.Get()->CheckMember(caller, request.environment, Operation::kList));
  const auto reader = GRANTFS_TRY(core_->store.Read());
  const auto secrets = GRANTFS_TRY(reader->ListSecrets(request.environment, request.after, request.limit));
  api::SecretsListResponse response;
  response.more = secrets.size() == request.limit;
  for (const StoredSecret& secret : secrets) {
    if (secret.head) response.secrets.push_back({secret.number, secret.path, *secret.head});
  }
  return response;
}

Result<api::SecretFindResponse> Vault::FindSecret(const VaultCaller& caller,
                                                  const api::SecretFindRequest& request) const {
  GRANTFS_CHECK(core_->state.Get()->CheckMember(caller, request.environment, Operation::kList));
  const auto reader = GRANTFS_TRY(core_->store.Read());
  const auto secret = GRANTFS_TRY(reader->FindSecret(request.environment, request.path));
  if (!secret || !secret->head) return NotVisible(request.environment + "/" + request.path);
  return api::SecretFindResponse{secret->number, *secret->head};
}

Result<api::EpochCopiesResponse> Vault::EpochCopies(const VaultCaller& caller,
                                                    const api::EpochCopiesRequest& request) const {
  const StatePtr now = core_->state.Get();
  if (!now->IsRecovery(caller.id) || now->FindEnvironment(request.environment) == nullptr)
    GRANTFS_CHECK(now->CheckMember(caller, request.environment, Operation::kReadValue));
  const auto reader = GRANTFS_TRY(core_->store.Read());
  api::EpochCopiesResponse response;
  for (StoredEpochCopy& copy : GRANTFS_TRY(reader->EpochCopies(request.environment, caller.id)))
    response.copies.push_back({copy.epoch, std::move(copy.sealed)});
  return response;
}

Result<api::SecretCopiesResponse> Vault::SecretCopies(const VaultCaller& caller,
                                                      const api::SecretCopiesRequest& request) const {
  const StatePtr now = core_->state.Get();
  const auto reader = GRANTFS_TRY(core_->store.Read());
  const StoredSecret secret =
      GRANTFS_TRY(core_->SecretFor(*now, *reader, caller, request.secret, Operation::kList));
  const auto role = now->RoleOf(caller.id, secret.environment);
  const bool may =
      role && (RoleAllows(*role, Operation::kReadValue) || RoleAllows(*role, Operation::kPublish));
  if (!may) return RoleMissing(secret.environment);
  const std::uint64_t environment = now->vault->environments().at(secret.environment).number;
  const auto kind = RecipientKind::kEnvironment;
  std::vector<StoredCopy> copies;
  for (const std::uint32_t version : request.versions) {
    if (auto copy = GRANTFS_TRY(reader->FindCopy(request.secret, version, kind, environment)))
      copies.push_back(*std::move(copy));
  }
  if (request.versions.empty()) {
    copies = GRANTFS_TRY(reader->CopiesFor(request.secret, kind, environment, 0, api::kMaxCopiesSent + 1));
  }
  if (copies.size() > api::kMaxCopiesSent)
    return Error{Code::kInvalid, "the secret has too many versions for one answer: ask for some of them"};
  api::SecretCopiesResponse response;
  for (StoredCopy& copy : copies)
    response.copies.push_back({copy.version, copy.recipient.epoch, std::move(copy.sealed)});
  return response;
}

}  // namespace grantfs

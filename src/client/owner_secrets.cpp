#include <algorithm>

#include "grantfs/api/secrets.h"
#include "grantfs/crypto/encoding.h"
#include "grantfs/crypto/random.h"
#include "owner_internal.h"
#include "problem_internal.h"

namespace grantfs {
namespace {

Error NoSuchSecret(const SecretName& name) {
  return Error{Code::kNotFound, "there is no such secret: grantfs secret list shows those of an environment",
               0, name.Full()};
}

}  // namespace

Result<std::optional<OwnerSessionImpl::Found>> OwnerSessionImpl::Find(const SecretName& name) {
  api::SecretFindRequest request;
  request.environment = name.environment;
  request.path = name.path;
  const auto found = vault_->Ask<api::SecretFindResponse>(api::kSecretsFind, request);
  if (!found && found.error().code == Code::kNotFound) return std::optional<Found>();
  if (!found) return found.error();
  return std::optional<Found>(Found{found->number, found->head});
}

Result<SecretList> OwnerSessionImpl::FetchSecret(const SecretName& name) {
  const auto found = GRANTFS_TRY(Find(name));
  if (!found) return NoSuchSecret(name);
  return keeper_->RefreshSecret(found->number, name, found->head);
}

Status OwnerSessionImpl::StageVersion(const SecretList& list, const VersionPublish& version,
                                      const EncryptedVersion& encrypted,
                                      const std::vector<SecretList::Target>& targets) {
  api::StageCiphertextRequest request;
  request.secret = list.id().number;
  request.version = version.version;
  request.commitment = version.commitment;
  request.ciphertext = encrypted.ciphertext;
  GRANTFS_TRY(vault_->Ask<api::Nothing>(api::kStageCiphertext, request));
  return StageCopies(list.id().number, version.version, version.commitment, encrypted.data_key, targets);
}

Result<SetSecretResult> OwnerSessionImpl::SetSecret(const SecretName& name, const SecretValue& value,
                                                    const SetSecretOptions& options) {
  GRANTFS_CHECK(CheckSecretPath(name.path));
  if (value.size() > kMaxSecretBytes) {
    return Error{Code::kInvalid, "a value has at most 1 MiB", 0, name.Full()};
  }
  return Retry([&] { return PublishOnce(name, value, options); });
}

Result<SetSecretResult> OwnerSessionImpl::PublishOnce(const SecretName& name, const SecretValue& value,
                                                      const SetSecretOptions& options) {
  GRANTFS_CHECK(Enter(name.environment, Operation::kPublish));
  const auto found = GRANTFS_TRY(Find(name));
  SetSecretResult result;
  result.created = !found;
  if (found) {
    result.number = found->number;
  } else {
    api::ReserveRequest reserve;
    reserve.environment = name.environment;
    result.number = GRANTFS_TRY(vault_->Ask<api::ReserveResponse>(api::kSecretsReserve, reserve)).first;
    if (GRANTFS_TRY(known_->NameOf(result.number))) {
      return Error{Code::kIntegrity, "the vault gave out the number of another secret", 0, name.Full()};
    }
  }
  SecretList list(result.number);
  if (found) list = GRANTFS_TRY(keeper_->RefreshSecret(found->number, name, found->head));
  const UpperLists upper = keeper_->UpperOf(name.environment);
  KnownStore::Verified appended{list.id(), {}, {}};
  if (!found) {
    const SecretCreate create{result.number,      name.environment, name.path,
                              SecretType::kValue, options.owner,    options.description};
    appended.statements.push_back(GRANTFS_TRY(Next(list, upper, create, options.reason)));
  }
  VersionPublish version;
  version.environment = name.environment;
  version.path = name.path;
  version.version = list.next_version();
  version.size = value.size();
  version.epoch = upper.environment->newest_epoch().number;
  const auto encrypted = GRANTFS_TRY(EncryptVersion(ContextOf(result.number, version), value));
  version.ciphertext = encrypted.ciphertext_hash;
  version.commitment = encrypted.commitment;
  const auto targets = list.SealTargets(Now(), upper);
  GRANTFS_CHECK(StageVersion(list, version, encrypted, targets));
  appended.statements.push_back(GRANTFS_TRY(Next(list, upper, version, options.reason)));
  GRANTFS_TRY(Submit({appended}));
  GRANTFS_CHECK(known_->RememberNumber(result.number, name));
  result.version = version.version;
  result.sealed_to = targets.size() - 1;
  return result;
}

Result<GotSecret> OwnerSessionImpl::GetSecret(const SecretName& name, const VersionChoice& choice) {
  GRANTFS_CHECK(Enter(name.environment, Operation::kReadValue));
  const SecretList list = GRANTFS_TRY(FetchSecret(name));
  const SecretList::Version* version = nullptr;
  if (choice.version != 0) {
    const auto at = list.versions().find(choice.version);
    version = at == list.versions().end() ? nullptr : &at->second;
  } else if (const auto label = list.state().labels.find(choice.label); label != list.state().labels.end()) {
    version = list.FindVersion(label->second);
  }
  if (version == nullptr) {
    return Error{Code::kNotFound,
                 "there is no such version: grantfs secret history shows those that there are", 0,
                 name.Full()};
  }
  const VersionPublish& publish = version->publish;
  api::ValueRequest request;
  request.secret = list.id().number;
  request.version = publish.version;
  request.open = "get-" + HexEncode(RandomBytes(16));
  const auto sent = GRANTFS_TRY(vault_->Ask<api::ValueResponse>(api::kSecretValue, request));
  const EnvironmentList& environment = *keeper_->FindEnvironment(name.environment);
  const UnsealKey* key = GRANTFS_TRY(EpochKey(environment, sent.epoch));
  const ValueContext context = ContextOf(list.id().number, publish);
  const auto data_key = OpenDataKey(*key, sent.sealed, publish.commitment, context);
  if (!data_key) return About(data_key.error(), name.Full());
  auto value = DecryptVersion(*data_key, context, publish, sent.ciphertext);
  if (!value) return About(value.error(), name.Full());
  return GotSecret{std::move(*value), publish.version, sent.record};
}

}  // namespace grantfs

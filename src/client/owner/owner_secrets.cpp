#include <algorithm>

#include "client/connection/problem_internal.h"
#include "grantfs/api/secrets.h"
#include "grantfs/crypto/encoding.h"
#include "grantfs/crypto/random.h"
#include "owner_internal.h"

namespace grantfs {

Status OwnerSessionImpl::CheckAfter(const SecretList& list, const SecretName& name,
                                    const SetSecretOptions& options) {
  const auto* current = list.Current();
  const std::uint32_t newest = current == nullptr ? 0 : current->publish.version;
  if (!options.after || *options.after == newest) return {};
  if (*options.after == 0) return Settled({Code::kConflict, "exists already", 0, name.Full()});
  if (newest == 0) return Settled({Code::kConflict, "has no version yet", 0, name.Full()});
  return Settled({Code::kConflict, "is at another version than the one that was named", 0,
                  name.Full() + " (version " + std::to_string(newest) + ")"});
}

Result<std::vector<SetSecretResult>> OwnerSessionImpl::SetSecrets(const std::vector<NewValue>& values,
                                                                  const SetSecretOptions& options) {
  static_assert(kMaxSetAtOnce == 250, "the sentence says so");
  if (values.size() > kMaxSetAtOnce)
    return Error{Code::kInvalid, "at most 250 secrets are set at once: set the rest by themselves", 0,
                 std::to_string(values.size()) + " secrets"};
  if (options.rotate_after && (*options.rotate_after < 0 || *options.rotate_after > kMaxTermSeconds))
    return Error{Code::kInvalid, "a secret is rotated after ten years at most, or never"};
  if (options.expires_after && (*options.expires_after < 0 || *options.expires_after > kMaxTermSeconds))
    return Error{Code::kInvalid, "a secret expires after ten years at most, or never"};
  if (!options.label.empty() && options.label != kNextLabel)
    return Error{Code::kInvalid, "a version becomes current, or is set as next", 0, options.label};
  std::vector<SecretName> names;
  for (const auto& [name, value, parts] : values) {
    GRANTFS_CHECK(CheckSecretPath(name.path));
    if (value->size() > kMaxSecretBytes)
      return Error{Code::kInvalid, "a value has at most 1 MiB", 0, name.Full()};
    if (name.Full().ends_with("/*"))
      return Error{Code::kInvalid, "a name that ends in /* means all that lie there; choose another", 0,
                   name.Full()};
    names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  if (twice != names.end()) return Error{Code::kInvalid, "the name comes twice", 0, twice->Full()};
  return Retry([&]() -> Result<std::vector<SetSecretResult>> {
    GRANTFS_CHECK(EnterAll(names, Operation::kPublish));
    Batch batch;
    std::vector<SetSecretResult> made;
    const std::string set = values.size() > 1 ? HexEncode(RandomBytes(16)) : "";
    for (const NewValue& value : values) {
      made.push_back(GRANTFS_TRY(PreparePublish(value, options, set, batch)));
      Report("storing", made.size(), values.size());
    }
    if (options.dry_run) return made;
    GRANTFS_TRY(Submit(batch));
    for (const SetSecretResult& one : made)
      GRANTFS_CHECK(Noted(known_->RememberNumber(one.number, one.name)));
    return made;
  });
}

Result<SetSecretResult> OwnerSessionImpl::SetSecret(const SecretName& name, const SecretValue& value,
                                                    const SetSecretOptions& options) {
  return std::move(GRANTFS_TRY(SetSecrets({{name, &value}}, options)).front());
}

Status OwnerSessionImpl::CheckLives(const SecretList& list, const SecretName& name) {
  if (list.IsDestroyed())
    return Error{Code::kIntegrity, "the vault serves under this name a secret that was destroyed", 0,
                 name.Full()};
  if (!list.state().deleted) return {};
  return Error{Code::kNotFound,
               "is deleted: grantfs secret undelete brings it back, grantfs secret destroy frees its name", 0,
               name.Full()};
}

Result<std::uint64_t> OwnerSessionImpl::ReserveNumber(const SecretName& name) {
  api::ReserveRequest request;
  request.environment = name.environment;
  const std::uint64_t number =
      GRANTFS_TRY(vault_->Ask<api::ReserveResponse>(api::kSecretsReserve, request)).first;
  if (!GRANTFS_TRY(known_->NameOf(number))) return number;
  return Error{Code::kIntegrity, "the vault gave out the number of another secret", 0, name.Full()};
}

Result<SetSecretResult> OwnerSessionImpl::PreparePublish(const NewValue& value,
                                                         const SetSecretOptions& options,
                                                         const std::string& set, Batch& batch) {
  const SecretName& name = value.name;
  const auto found = GRANTFS_TRY(Find(name));
  if (!found) GRANTFS_CHECK(keeper_->CheckRenewed(name, 0));
  SetSecretResult result;
  result.name = name;
  result.created = !found;
  if (found || !options.dry_run) result.number = found ? found->number : GRANTFS_TRY(ReserveNumber(name));
  SecretList list(result.number);
  if (found) {
    list = GRANTFS_TRY(keeper_->RefreshSecret(found->number, name, found->head));
    GRANTFS_CHECK(CheckType(list, value));
    GRANTFS_CHECK(CheckLives(list, name));
  }
  GRANTFS_CHECK(CheckParts(value));
  result.version = list.next_version();
  const auto* current = list.Current();
  result.rotate_after = options.rotate_after.value_or(current == nullptr ? 0 : current->publish.rotate_after);
  result.expires_after =
      options.expires_after.value_or(current == nullptr ? 0 : current->publish.expires_after);
  const UpperLists upper = keeper_->UpperOf(name.environment);
  auto targets = list.SealTargets(Now(), upper);
  result.sealed_to = found ? targets.size() - 1 : 0;
  GRANTFS_CHECK(CheckAfter(list, name, options));
  if (options.dry_run) return result;
  KnownStore::Verified appended{list.id(), {}, {}};
  if (!found) {
    const SecretType type = value.parts.empty() ? SecretType::kValue : SecretType::kTemplate;
    const SecretCreate create{result.number, name.environment, name.path,
                              type,          options.owner,    options.description};
    appended.statements.push_back(GRANTFS_TRY(Next(list, upper, create, options.reason)));
    targets = list.SealTargets(Now(), upper);  // by its name now: groups have what is below a prefix
  }
  VersionPublish version;
  version.environment = name.environment;
  version.path = name.path;
  version.version = result.version;
  version.size = value.value->size();
  version.set = set;
  version.parts = value.parts;
  version.rotate_after = result.rotate_after;
  version.expires_after = result.expires_after;
  version.label = options.label;
  version.epoch = upper.environment->newest_epoch().number;
  const auto encrypted = GRANTFS_TRY(EncryptVersion(ContextOf(result.number, version), *value.value));
  version.ciphertext = encrypted.ciphertext_hash;
  version.commitment = encrypted.commitment;
  // Before anything is sent: whether it may be sealed to all of them (SecretList::CheckGroups) is asked here.
  appended.statements.push_back(GRANTFS_TRY(Next(list, upper, version, options.reason)));
  GRANTFS_CHECK(StageVersion(list, version, encrypted, targets));
  batch.push_back(std::move(appended));
  return result;
}

Result<GotSecret> OwnerSessionImpl::GetSecret(const SecretName& name, const VersionChoice& choice) {
  GRANTFS_CHECK(Enter(name.environment, Operation::kReadValue));
  const SecretList list = GRANTFS_TRY(FetchSecret(name));
  GRANTFS_CHECK(CheckLives(list, name));
  if (list.ended().contains(choice.version))
    return Error{Code::kNotFound, "was destroyed, and nothing brings it back", 0,
                 name.Full() + " (version " + std::to_string(choice.version) + ")"};
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

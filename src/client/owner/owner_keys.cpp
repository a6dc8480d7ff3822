#include "client/connection/problem_internal.h"
#include "grantfs/api/secrets.h"
#include "owner_base_internal.h"

namespace grantfs {

// One's own copies, each checked against its epoch's statement; a member who came later has the newest alone
// and walks back.
Status OwnerBase::FetchEpochKeys(const EnvironmentList& environment) {
  api::EpochCopiesRequest request;
  request.environment = environment.name();
  const auto sent = GRANTFS_TRY(vault_->Ask<api::EpochCopiesResponse>(api::kEpochCopies, request));
  auto& keys = epoch_keys_[environment.name()];
  const auto& epochs = environment.epochs();
  for (const auto& copy : sent.copies) {
    if (copy.epoch == 0 || copy.epoch > epochs.size() || keys.contains(copy.epoch)) continue;
    auto key = OpenEpochCopy(me_.unseal_key(), copy.sealed, epochs[copy.epoch - 1]);
    if (!key) return About(key.error(), environment.name());
    keys.emplace(copy.epoch, std::move(*key));
  }
  for (auto number = static_cast<std::uint32_t>(epochs.size()); number > 1; --number) {
    if (!keys.contains(number) || keys.contains(number - 1)) continue;
    auto key = OpenPreviousEpoch(keys.at(number), epochs[number - 1], epochs[number - 2]);
    if (!key) return About(key.error(), environment.name());
    keys.emplace(number - 1, std::move(*key));
  }
  return {};
}

Result<const UnsealKey*> OwnerBase::EpochKey(const EnvironmentList& environment, std::uint32_t epoch) {
  auto& keys = epoch_keys_[environment.name()];
  if (!keys.contains(epoch)) GRANTFS_CHECK(FetchEpochKeys(environment));
  const auto at = keys.find(epoch);
  if (at == keys.end()) {
    return Error{Code::kDenied,
                 "the vault has no copy of this environment's key for you: only owners and readers have one",
                 0, environment.name()};
  }
  return &at->second;
}

ValueContext OwnerBase::ContextOf(std::uint64_t number, const VersionPublish& version) const {
  return {home_.profile().vault, version.environment, number, version.version, version.epoch};
}

Status OwnerBase::StageCopies(std::uint64_t number, std::uint32_t version, const Hash& commitment,
                              const SecretMemory& data_key, const std::vector<SecretList::Target>& targets) {
  api::StageCopiesRequest request;
  request.secret = number;
  request.version = version;
  request.commitment = commitment;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    request.copies.push_back({targets[i].recipient, GRANTFS_TRY(SealDataKey(targets[i].key, data_key))});
    if (request.copies.size() < api::kMaxCopies && i + 1 < targets.size()) continue;
    GRANTFS_TRY(vault_->Ask<api::Nothing>(api::kStageCopies, request));
    request.copies.clear();
    Report("sealing", i + 1, targets.size());
  }
  return {};
}

Status OwnerBase::StageVersion(const SecretList& list, const VersionPublish& version,
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

Result<std::size_t> OwnerBase::SealVersionsTo(const SecretList& list, const EnvironmentList& environment,
                                              const SecretList::Target& target, bool dry_run) {
  api::SecretCopiesRequest request;
  request.secret = list.id().number;
  const auto sent = GRANTFS_TRY(vault_->Ask<api::SecretCopiesResponse>(api::kSecretCopies, request));
  std::map<std::uint32_t, const api::VersionCopy*> newest;
  for (const auto& copy : sent.copies) {
    auto& chosen = newest[copy.version];
    if (chosen == nullptr || chosen->epoch < copy.epoch) chosen = &copy;
  }
  for (const auto& [number, copy] : newest) {
    const auto version = list.versions().find(number);
    if (version == list.versions().end()) continue;  // of one that was voided
    const VersionPublish& publish = version->second.publish;
    const UnsealKey* key = GRANTFS_TRY(EpochKey(environment, copy->epoch));
    auto data_key = OpenDataKey(*key, copy->sealed, publish.commitment, ContextOf(list.id().number, publish));
    if (!data_key) {
      return About(data_key.error(),
                   environment.name() + "/" + publish.path + " version " + std::to_string(number));
    }
    if (!dry_run) {
      GRANTFS_CHECK(StageCopies(list.id().number, number, publish.commitment, *data_key, {target}));
    }
  }
  if (const auto* current = list.Current();
      current != nullptr && !newest.contains(current->publish.version)) {
    return Error{Code::kIntegrity, "the vault has lost the key of the current version: publish it again", 0,
                 environment.name() + "/" + current->publish.path};
  }
  return newest.size();
}

Result<NewEpoch> OwnerBase::CopyFor(const EnvironmentList& list, const Identity& reader) {
  NewEpoch copy;
  copy.epoch = list.newest_epoch();
  const UnsealKey* key = GRANTFS_TRY(EpochKey(list, copy.epoch.number));
  copy.copies = {{reader.Id(), GRANTFS_TRY(Seal(reader.seal, key->private_bytes()))}};
  return copy;
}

Result<NewEpoch> OwnerBase::EpochWithout(const EnvironmentList& list, const Hash& leaver) {
  std::vector<Identity> stay;
  for (const Identity& one : list.EpochRecipients(keeper_->vault())) {
    if (one.Id() != leaver) stay.push_back(one);
  }
  const UnsealKey* key = GRANTFS_TRY(EpochKey(list, list.newest_epoch().number));
  return MakeEpoch(stay, &list.newest_epoch(), key);
}

Status OwnerBase::StageEpoch(const std::string& environment, const NewEpoch& epoch) {
  for (std::size_t from = 0; from < epoch.copies.size(); from += api::kMaxCopies) {
    const std::size_t count = std::min(api::kMaxCopies, epoch.copies.size() - from);
    api::StageEpochRequest request;
    request.environment = environment;
    request.epoch = epoch.epoch.number;
    request.copies.assign(epoch.copies.begin() + static_cast<std::ptrdiff_t>(from),
                          epoch.copies.begin() + static_cast<std::ptrdiff_t>(from + count));
    GRANTFS_TRY(vault_->Ask<api::Nothing>(api::kStageEpoch, request));
  }
  return {};
}

}  // namespace grantfs

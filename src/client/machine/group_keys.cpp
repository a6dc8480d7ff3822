#include "group_keys_internal.h"

namespace grantfs {

Result<std::shared_ptr<const GroupKeys>> GroupKeys::Open(const UnsealKey& me, const api::OwnGroupKey& own,
                                                         const EnvironmentGroups::Group& group) {
  const GroupEpoch& newest = group.newest();
  if (own.epoch != newest.epoch.number)
    return Error{Code::kIntegrity, "the vault serves the key of another epoch than the group's newest", 0,
                 own.environment + " @" + group.name};
  auto keys = std::make_shared<GroupKeys>();
  keys->own_ = own;
  keys->seal_ = newest.epoch.key;
  auto key = OpenEpochCopy(me, own.sealed, newest.epoch);
  if (!key)
    return Error{key.error().code, "the vault serves a key that is not the group's", 0,
                 own.environment + " @" + group.name};
  keys->keys_.emplace(own.epoch, std::move(*key));
  return std::shared_ptr<const GroupKeys>(std::move(keys));
}

Result<SecretMemory> GroupKeys::OpenDataKey(const EnvironmentGroups::Group& group, std::uint32_t epoch,
                                            ByteView sealed, const Hash& commitment,
                                            const ValueContext& context) const {
  if (epoch == 0 || epoch > own_.epoch || own_.epoch > group.epochs.size())
    return Error{Code::kIntegrity, "the vault serves a copy for an epoch that the group does not have", 0,
                 "@" + group.name};
  const std::lock_guard lock(mutex_);
  while (keys_.begin()->first > epoch) {
    const std::uint32_t at = keys_.begin()->first;
    auto before = GRANTFS_TRY(
        OpenPreviousEpoch(keys_.begin()->second, group.epochs[at - 1].epoch, group.epochs[at - 2].epoch));
    keys_.emplace(at - 1, std::move(before));
  }
  return grantfs::OpenDataKey(keys_.at(epoch), sealed, commitment, context);
}

}  // namespace grantfs

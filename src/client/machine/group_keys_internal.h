#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "grantfs/api/machine.h"
#include "grantfs/trust/groups.h"

namespace grantfs {

/// The private keys of a group that this machine is in: who holds that of the newest epoch is in it. Threads: safe.
class GroupKeys {
 public:
  /// Opens the machine's copy. Errors: kIntegrity (it is not of the newest epoch that the environment's list
  /// names, or not its key).
  static Result<std::shared_ptr<const GroupKeys>> Open(const UnsealKey& me, const api::OwnGroupKey& own,
                                                       const EnvironmentGroups::Group& group);
  const api::OwnGroupKey& own() const { return own_; }

  /// @param group  as the environment's list has it now.
  bool IsNewest(const EnvironmentGroups::Group& group) const {
    return group.newest().epoch.number == own_.epoch && group.seal() == seal_;
  }
  /// A data key that is sealed to one of the group's epochs: an older one's key is found from the newest
  /// backwards, and kept. Errors: kIntegrity.
  Result<SecretMemory> OpenDataKey(const EnvironmentGroups::Group& group, std::uint32_t epoch, ByteView sealed,
                                   const Hash& commitment, const ValueContext& context) const;

 private:
  api::OwnGroupKey own_;
  SealKey seal_;
  mutable std::mutex mutex_;
  mutable std::map<std::uint32_t, UnsealKey> keys_;  ///< guarded; by epoch, without a gap below the newest
};

/// By environment and number.
using GroupKeyRing = std::map<std::pair<std::string, std::uint64_t>, std::shared_ptr<const GroupKeys>>;

}  // namespace grantfs

#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "grantfs/trust/group_list.h"
#include "grantfs/trust/lists.h"
#include "grantfs/vault/caller.h"

namespace grantfs {

/// Environment and number.
using GroupKey = std::pair<std::string, std::uint64_t>;

/// The verified lists that everything is decided by, at one moment. Immutable once it is shared.
struct VaultState {
  std::shared_ptr<const VaultList> vault = std::make_shared<VaultList>();
  std::shared_ptr<const MachinesList> machines = std::make_shared<MachinesList>();
  std::map<std::string, std::shared_ptr<const EnvironmentList>> environments;

  std::map<GroupKey, std::shared_ptr<const GroupList>> groups;  ///< those that environments have

  /// The machines of a group, by number.
  std::vector<std::uint64_t> MembersOf(const std::string& environment, std::uint64_t group) const;
  bool claimed() const { return !vault->empty(); }
  const EnvironmentList* FindEnvironment(const std::string& name) const;
  UpperLists Upper(const std::string& environment = {}) const;

  /// The identity with this id that may authenticate at `now` (unix seconds): an owner of the vault,
  /// recovery, a machine, a user or agent that was let in, a member of an environment; neither removed nor
  /// past its end.
  struct Principal {
    const Identity* identity = nullptr;
    std::uint64_t machine = 0;  ///< of a machine: the sequence of its approval
  };
  std::optional<Principal> FindPrincipal(const Hash& id, std::int64_t now) const;
  bool IsRecovery(const Hash& id) const { return claimed() && vault->IsRecovery(id); }
  /// A present owner of the vault, whom nothing names as removed.
  bool IsVaultOwner(const Hash& id) const;
  /// The role of a member who is not removed.
  std::optional<Role> RoleOf(const Hash& id, const std::string& environment) const;

  /// That a person may do something in an environment. Errors: kNotFound (he has nothing to do with it, or
  /// there is none), kDenied (his role does not allow it).
  Status CheckMember(const VaultCaller& caller, const std::string& environment, Operation operation) const;
};
using StatePtr = std::shared_ptr<const VaultState>;

/// Where the newest state stands. Threads: safe.
class StateHolder {
 public:
  StatePtr Get() const {
    const std::lock_guard lock(mutex_);
    return state_;
  }
  void Set(StatePtr state) {
    const std::lock_guard lock(mutex_);
    state_.swap(state);
  }

 private:
  mutable std::mutex mutex_;
  StatePtr state_ = std::make_shared<const VaultState>();
};

/// The errors that tell nothing: for what the caller may not know of.
Error NotVisible(std::string subject = {});
Error RoleMissing(std::string subject = {});

}  // namespace grantfs

#pragma once

#include <string>
#include <string_view>

#include "grantfs/trust/identity.h"
#include "grantfs/util/result.h"

namespace grantfs {

/// What a member is in an environment.
enum class Role { kOwner, kReader, kWriter, kOperator, kAuditor };
inline constexpr Role kAllRoles[] = {Role::kOwner, Role::kReader, Role::kWriter, Role::kOperator,
                                     Role::kAuditor};
const char* RoleName(Role role);
Result<Role> ParseRole(std::string_view text);

/// What one can do in an environment.
enum class Operation {
  kList,           ///< see names, sizes, versions, members, grants
  kReadValue,      ///< open values
  kPublish,        ///< create secrets and publish versions (a writer's prefix applies)
  kGrant,          ///< grant and revoke
  kManageMembers,  ///< members, groups, epochs, rules
  kConfigure,      ///< settings of the server for this environment
  kFreeze,         ///< freeze and unfreeze
  kAsk,            ///< ask for a rotation, a grant, a member
  kReadAudit,      ///< bodies of the environment's audit records
};
inline constexpr Operation kAllOperations[] = {
    Operation::kList,   Operation::kReadValue,     Operation::kPublish,
    Operation::kGrant,  Operation::kManageMembers, Operation::kConfigure,
    Operation::kFreeze, Operation::kAsk,           Operation::kReadAudit};

/// The whole table, pure.
bool RoleAllows(Role role, Operation operation);

/// An agent is never an owner or a reader; a machine is never a member.
bool KindMayHold(IdentityKind kind, Role role);

}  // namespace grantfs

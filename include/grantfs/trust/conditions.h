#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "grantfs/crypto/hash.h"
#include "grantfs/util/result.h"

// Who on a machine may read: the `conditions` of a grant. What they ask is written here; a process is held
// against them by the mount.

namespace grantfs {

enum class ConditionKind {
  kUser,   ///< "user=NAME" or number
  kGroup,  ///< "group=NAME" or number: any of the process's groups
  kUnit,   ///< "unit=nginx.service", "unit=/system.slice/nginx.service", "unit=CONTAINER-ID"
  kExe,    ///< "exe=/usr/sbin/nginx" or "exe=/usr/sbin/nginx=SHA256"
};

/// One of a grant's conditions. Those of one kind are alternatives; of each kind that a grant names one must
/// hold.
struct Condition {
  ConditionKind kind = ConditionKind::kUser;
  std::string value;            ///< the name, unit or path
  std::optional<Hash> content;  ///< of kExe: the SHA-256 that the executable must have
};

/// "user", "group", "unit", "exe".
const char* ConditionKindName(ConditionKind kind);

/// Errors: kUnsupported (a kind of a later version), kInvalid (its value makes no sense).
Result<Condition> ParseCondition(std::string_view text);
/// All of them, in order. Errors: as above, with the condition as subject.
Result<std::vector<Condition>> ParseConditions(const std::vector<std::string>& texts);

/// What stands in the grant.
std::string ConditionText(const Condition& condition);

/// For lists that people read: "user=app, exe=/usr/bin/psql"; "" for none.
std::string JoinConditions(const std::vector<std::string>& texts);

/// Whether a unit is meant as a container's id: 12 to 64 lower-case hexadecimal digits.
bool IsContainerId(std::string_view unit);

}  // namespace grantfs

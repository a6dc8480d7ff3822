#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "command_internal.h"
#include "grantfs/client/owner_results.h"

namespace grantfs {

/// --rotate-after, of commands that publish versions. None: as the version before has it. Errors: kInvalid.
Result<std::optional<std::int64_t>> RotateAfter(const Arguments& arguments);
extern const Option kRotateAfterOption;

/// ", to be rotated after 90d", "" where it need not be.
std::string AndRotation(const SetSecretResult& result);
/// "2026-05-01T12:00:00Z", "overdue 2026-05-01T12:00:00Z", "" where it need not be rotated.
std::string RotationCell(const SecretInfo& info, std::int64_t now);
/// rotate_after, rotate_due, overdue.
void AddRotation(const SecretInfo& info, std::int64_t now, Json* json);

}  // namespace grantfs

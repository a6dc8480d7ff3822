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
/// --expires, likewise.
Result<std::optional<std::int64_t>> ExpiresAfter(const Arguments& arguments);
extern const Option kExpiresOption;

/// ", to be rotated after 90d, expires after 180d", "" where neither is.
std::string AndRotation(const SetSecretResult& result);
/// "2026-05-01T12:00:00Z", "overdue 2026-05-01T12:00:00Z", "" where it need not be rotated.
std::string RotationCell(const SecretInfo& info, std::int64_t now);
/// "2026-05-01T12:00:00Z", "expired 2026-05-01T12:00:00Z", "" where it never does.
std::string ExpiryCell(const SecretInfo& info, std::int64_t now);
/// rotate_after, rotate_due, overdue; expires_after, expires, expired.
void AddRotation(const SecretInfo& info, std::int64_t now, Json* json);

}  // namespace grantfs

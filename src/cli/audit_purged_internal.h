#pragma once

#include <vector>

#include "command_internal.h"
#include "grantfs/client/owner_session.h"

// Saying what is missing because the vault's retention took it.

namespace grantfs {

/// Those of all purges that may have taken what a search would have found from record `from` on.
std::vector<AuditPurge> PurgesWithin(std::vector<AuditPurge> purges, const AuditFilter& filter,
                                     std::uint64_t from = 0);

/// One sentence to a person; nothing where there are none.
void NotePurges(Terminal& terminal, const std::vector<AuditPurge>& purges, const char* consequence);

Json PurgesJson(const std::vector<AuditPurge>& purges);

}  // namespace grantfs

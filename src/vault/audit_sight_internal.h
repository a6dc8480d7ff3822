#pragma once

#include <string>
#include <vector>

#include "grantfs/store/audit.h"
#include "state_internal.h"

// Who may see which bodies of the audit log.

namespace grantfs {

/// Bodies are for owners and auditors of an environment; the vault's own ("") for owners of the vault.
bool MaySeeAudit(const VaultState& now, const VaultCaller& caller, const std::string& environment);

/// The same of one record. Whoever may read headers may know which bodies were purged: by which rule and how
/// many, not what they said.
bool MaySeeRecord(const VaultState& now, const VaultCaller& caller, const AuditColumns& columns);

/// The environments whose bodies the caller may see, by name.
std::vector<std::string> AuditedBy(const VaultState& now, const VaultCaller& caller);

}  // namespace grantfs

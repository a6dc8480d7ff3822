#pragma once

#include "grantfs/store/audit.h"
#include "query_internal.h"

namespace grantfs {

/// time_ms, severity, environment, object, actor, type, outcome.
AuditColumns ReadAuditColumns(RowColumns& row);

/// sequence, leaf, hash, salt, body, and as ReadAuditColumns; all from the salt on are NULL where the body
/// was purged.
AuditEntry ReadAuditRecord(RowColumns& row);

}  // namespace grantfs

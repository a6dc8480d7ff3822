#pragma once

#include "grantfs/client/audit.h"
#include "grantfs/store/audit.h"

namespace grantfs {

/// What a record says, for people. A body that is not understood leaves its members empty.
AuditLine LineOf(const AuditEntry& entry);

/// The records of values that were given out.
inline constexpr char kReadType[] = "secret.read";
inline constexpr char kOutcomeDone[] = "done";
/// That a record is one of these.
inline bool IsRead(const AuditLine& line) { return line.type == kReadType && line.outcome == kOutcomeDone; }

}  // namespace grantfs

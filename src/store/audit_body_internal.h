#pragma once

#include <optional>
#include <string>

#include "grantfs/store/audit.h"
#include "grantfs/util/result.h"

namespace grantfs {

/// The columns that repeat what a body says: its text members, absent if they are not there or empty.
struct AuditNames {
  std::optional<std::string> environment;
  std::optional<std::string> object;
  std::optional<std::string> actor;
  std::optional<std::string> outcome;
};
AuditNames NamesOf(const Json& body);

/// The body's JSON, the record's environment included. Errors: kInvalid (no object, another environment, too
/// large).
Result<std::string> BodyText(const AuditRecord& record);

/// What makes one open the same as another (AuditRecord::open_id): 16 bytes.
Bytes OpenKey(const AuditRecord& record);

}  // namespace grantfs

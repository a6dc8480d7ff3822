#pragma once

#include <vector>

#include "grantfs/client/audit.h"
#include "grantfs/client/owner_results.h"
#include "grantfs/json/json.h"
#include "table_internal.h"

namespace grantfs {

// What `secret history` and `audit list` print, for the admin view too.
Json ToJson(const VersionInfo& info);
Table HistoryTable(const std::vector<VersionInfo>& versions);
Json ToJson(const AuditLine& line);
Table AuditTable(const std::vector<AuditLine>& lines);

}  // namespace grantfs

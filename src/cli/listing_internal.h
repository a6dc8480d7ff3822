#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "grantfs/client/audit.h"
#include "grantfs/client/owner_results.h"
#include "grantfs/json/json.h"
#include "table_internal.h"

namespace grantfs {

// What `secret history`, `grant`, `grants` and `audit list` print, for the admin view too.

/// "value", "template".
inline const char* TypeName(SecretType type) { return type == SecretType::kValue ? "value" : "template"; }
/// "10m", "10m, offline 1d, sync"; "" where every open asks the vault.
std::string LeaseCell(std::int64_t lease, std::int64_t offline, const std::string& record);
/// "0440".
std::string ModeText(std::uint32_t mode);
Json ToJson(const GrantInfo& info);
Json ToJson(const VersionInfo& info);
Table HistoryTable(const std::vector<VersionInfo>& versions);
Json ToJson(const AuditLine& line);
/// A row of it.
std::vector<std::string> AuditCells(const AuditLine& line);
Table AuditTable(const std::vector<AuditLine>& lines);

}  // namespace grantfs

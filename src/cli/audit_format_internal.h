#pragma once

#include <string>

#include "grantfs/client/audit.h"
#include "grantfs/util/result.h"

namespace grantfs {

enum class ExportFormat { kJsonLines, kCef, kSyslog };
/// "jsonl", "cef", "syslog". Errors: kInvalid.
Result<ExportFormat> ParseExportFormat(const std::string& text);

/// A record as one line without its end. @param host  the vault's, for syslog.
std::string FormatRecord(const AuditLine& line, ExportFormat format, const std::string& host);

/// The same as one message on its way to a server: framed for a stream, not for datagrams. CEF travels in a
/// syslog message.
std::string FormatMessage(const AuditLine& line, ExportFormat format, const std::string& host,
                          bool datagrams);

}  // namespace grantfs

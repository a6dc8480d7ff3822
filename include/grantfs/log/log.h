#pragma once

#include <string_view>

#include "grantfs/util/result.h"

namespace grantfs {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

/// Chooses what is written and how, before the program starts threads: lines of at least `least`, to standard
/// error, as "2026-01-31T12:00:00.123Z warning MESSAGE"; where standard error is the journal's
/// (JOURNAL_STREAM names it), as
/// "<4>MESSAGE", since the journal adds the time itself. Without this call: kInfo, chosen at the first line.
void StartLog(LogLevel least);

/// Writes one line: what Printable makes of `message`, so that a name in it can forge neither a line nor a
/// terminal's command; cut after kMaxLogBytes. Never a value, a seed or an invitation. Threads: safe. Never
/// fails.
void Log(LogLevel level, std::string_view message);

/// "MESSAGE: subject: reason (errno) [code]".
void Log(LogLevel level, std::string_view message, const Error& error);

inline constexpr std::size_t kMaxLogBytes = 4096;

}  // namespace grantfs

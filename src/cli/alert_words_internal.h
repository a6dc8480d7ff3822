#pragma once

#include <vector>

#include "command_internal.h"
#include "grantfs/client/owner_results.h"

namespace grantfs {

Json AlertSinksJson(const std::vector<AlertSinkInfo>& sinks);
/// "webhook: 3 alerts wait since 2026-...: WHY".
std::string AlertSinkSentence(const AlertSinkInfo& sink);
/// Names those to which alerts do not come through.
void NoteFailedAlerts(Terminal& terminal, const std::vector<AlertSinkInfo>& sinks);

}  // namespace grantfs

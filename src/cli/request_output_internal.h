#pragma once

#include <string>
#include <vector>

#include "command_internal.h"
#include "grantfs/client/owner_session.h"

namespace grantfs {

// What the `request` commands share.

/// The first digits of an id, enough to name the request.
std::string ShortId(const std::string& id);

/// "open", "expired", "fulfilled by ann", "waits for a second owner", ...
std::string RequestStateText(const RequestInfo& info, std::int64_t now);
Json ToJson(const RequestInfo& info, std::int64_t now);

/// The options of every command that asks: --reason and --for.
std::vector<Option> AskOptions(std::vector<Option> more);

/// Asks, and says what comes next.
Status AskAndTell(Context& context, OwnerSession& session, const std::string& environment, AnyAsk ask);

/// Names of secrets of one environment, by their patterns.
struct AskedSecrets {
  std::string environment;
  std::vector<std::string> paths;  ///< ascending, each once
};
Result<AskedSecrets> SecretsAskedFor(OwnerSession& session, const std::vector<std::string>& patterns);

/// Says that requests wait for a second owner, and how he signs.
void NoteWaiting(Terminal& terminal, const std::vector<std::string>& ids);

}  // namespace grantfs

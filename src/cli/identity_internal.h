#pragma once

#include <string>

#include "grantfs/client/owner_results.h"
#include "grantfs/json/json.h"
#include "terminal_internal.h"

namespace grantfs {

Json IdentityJson(const IdentityInfo& info);

/// "removed", "owner of the vault", "in".
std::string IdentityStanding(const IdentityInfo& info);

/// "2 invitations withdrawn, with 1 request to enrol".
std::string WithdrawnWords(const WithdrawResult& result);

/// Names the machines that standing invitations among these have let in.
void NoteLetIn(Terminal& terminal, const WithdrawResult& result);

}  // namespace grantfs

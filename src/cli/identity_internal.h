#pragma once

#include <string>

#include "grantfs/client/owner_results.h"
#include "grantfs/json/json.h"

namespace grantfs {

Json IdentityJson(const IdentityInfo& info);

/// "removed", "owner of the vault", "in".
std::string IdentityStanding(const IdentityInfo& info);

}  // namespace grantfs

#pragma once

#include <vector>

#include "grantfs/json/json.h"

namespace grantfs {

/// True if two members have the same name. Costs at most n log n comparisons: the names may be an attacker's.
bool HasDuplicateName(const std::vector<Json::Member>& members);

}  // namespace grantfs

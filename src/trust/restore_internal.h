#pragma once

#include <vector>

#include "grantfs/trust/restore.h"

namespace grantfs {

/// The statements without those that were voided.
std::vector<const Statement*> Unvoided(const std::vector<SignedList::StatementPtr>& statements);

}  // namespace grantfs

#pragma once

#include <functional>
#include <vector>

#include "grantfs/client/restore_results.h"
#include "grantfs/trust/restore.h"

namespace grantfs {

/// What a home has seen of a list behind `common`, in words. @param undone  of it, what is done again.
std::vector<LostStatement> DescribeLost(const std::string& where,
                                        const std::vector<SignedList::StatementPtr>& seen,
                                        std::optional<std::uint64_t> common, const Undone& undone,
                                        const std::function<std::string(const Hash&)>& name_of);

}  // namespace grantfs

#pragma once

#include <functional>
#include <string>
#include <vector>

#include "command_internal.h"
#include "grantfs/client/owner_results.h"

namespace grantfs {

extern const Option kReasonOption, kDryRunOption;

/// --reason and --dry-run, as far as a command has them.
ChangeOptions ChangeOptionsOf(const Arguments& arguments);

/// Does it to what the arguments name (with patterns that end in "/*"), and says so: `done` makes a line of
/// each secret that was changed.
Status RunChange(Context& context, LifeChange change, const ChangeOptions& options,
                 const std::function<std::string(const ChangedSecret&)>& done);

/// "version 1 is current (it was version 2)".
std::string CurrentText(const ChangedSecret& changed);
/// "version 1", "versions 1, 2, 3".
std::string NumbersText(const std::vector<std::uint32_t>& versions);

}  // namespace grantfs

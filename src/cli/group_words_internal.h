#pragma once

#include <string>
#include <vector>

#include "command_internal.h"
#include "grantfs/client/owner_results.h"

namespace grantfs {

// What the commands for groups share.

/// "web" of "web" and of "@web".
std::string GroupName(const std::string& text);

/// PROJECT/ENVIRONMENT NAME MACHINE... with --reason and --wait. Errors: kInvalid.
struct GivenGroup {
  std::string environment;
  std::string name;
  std::vector<std::string> machines;
  GroupOptions options;
};
Result<GivenGroup> GroupGiven(const Context& context);

/// @param done  "created", "added", "removed"
void OutGroupChange(Context& context, const std::string& done, const GroupChange& change);

/// "3 of 4 machines of @web have followed", and those that have not.
void OutGroupFollowed(Terminal& terminal, const EnvironmentDelivery& followed);
Json GroupFollowedJson(const EnvironmentDelivery& followed);

}  // namespace grantfs

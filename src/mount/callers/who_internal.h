#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "grantfs/trust/conditions.h"
#include "mount/callers/caller_internal.h"
#include "mount/callers/owners_internal.h"

namespace grantfs {

/// A grant's conditions with the names of users and groups resolved on this machine.
struct WhoMayRead {
  struct Named {
    std::string name;
    std::optional<std::uint32_t> id;  ///< none: unknown here, so that nobody is it
  };
  std::vector<Named> users;
  std::vector<Named> groups;
  std::vector<std::string> units;
  std::vector<Condition> executables;
  std::string broken;  ///< a condition that is not understood: nobody may read

  /// Whether a name is unknown here, and may become known.
  bool HasUnknownNames() const;
};

/// @param texts  a grant's conditions, at least one.
WhoMayRead ResolveConditions(const std::vector<std::string>& texts, const Owners& owners);

/// What must be looked up to hold a process against these.
WantedFacts FactsFor(const WhoMayRead& who);

/// How one kind of condition fares.
struct ConditionVerdict {
  bool holds = false;
  std::string asked;  ///< "user app or user 33"
  std::string found;  ///< "it runs as user 0"
  std::string mend;   ///< what somebody can do about it; "" if it holds
};

/// Holds a process against the conditions: of each kind that is named one must hold. A process that is not
/// visible has no kind but its user and its own group. Pure.
/// @param facts  with what FactsFor asked for.
std::vector<ConditionVerdict> JudgeCaller(const WhoMayRead& who, const ProcessFacts& facts);

/// The same in one sentence part; none: it may read.
std::optional<std::string> RefuseCaller(const WhoMayRead& who, const ProcessFacts& facts);

}  // namespace grantfs

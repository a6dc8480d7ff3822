#pragma once

#include <cstdint>
#include <string>

#include "mount/callers/who_internal.h"
#include "mount/tree/tree_internal.h"

namespace grantfs {

/// What stat(2) says of an explanation's size.
inline constexpr std::int64_t kExplanationBytes = 4096;

struct ExplanationInput {
  const SecretFile* file = nullptr;
  ProcessFacts facts;   ///< with groups, account and rights
  std::string machine;  ///< its name, for the command that mends
  std::int64_t now = 0;
  bool served = true;    ///< the vault is heard, or a lease runs
  bool refused = false;  ///< the vault does not accept this machine's key
};

/// Whether a process could read a secret, and what would refuse it: owner and mode, each condition, the
/// namespaces, the grant's end; and the command by which an owner mends it. Never anything of the value.
/// Pure.
std::string Explanation(const ExplanationInput& input);

/// The first line of an explanation begins with one of these.
inline constexpr const char* kWouldRead = "it may read";
inline constexpr const char* kWouldBeRefused = "it would be refused";

/// A process that is asked about, with the ids that it opens files with; "seen" is false where there is none.
ProcessFacts LookUpRunning(std::uint32_t process, const WantedFacts& wanted, const ProcessLookUp& look_up);

/// "NAME@pid:123" in a directory below `.grantfs/why` -> the explanation of NAME for process 123; 0 if the
/// name is none such, or there is no NAME.
NodeId FindExplanationFor(const Directory& directory, const std::string& name);
/// "NAME@pid:123".
std::string ExplanationName(const std::string& name, std::uint32_t process);

}  // namespace grantfs

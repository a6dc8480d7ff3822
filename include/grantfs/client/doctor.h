#pragma once

#include <string>
#include <vector>

#include "grantfs/client/options.h"

namespace grantfs {

/// One thing that was looked at.
struct Finding {
  enum class Level { kGood, kNote, kWarning, kFailure };
  Level level = Level::kGood;
  std::string check;     ///< stable, for programs: "home.mode", "clock", "vault.pin", ...
  std::string sentence;  ///< what was seen
  std::string mend;      ///< the command or act that mends it, "" = nothing to do
};

/// Looks at a home and at the vault that it names. Never fails: what cannot be looked at is a finding.
///
/// @param data_directory  the vault's, if one is on this host ("" = none is looked for).
std::vector<Finding> RunDoctor(const std::string& home_directory, const std::string& data_directory,
                               const ClientOptions& options = {});

}  // namespace grantfs

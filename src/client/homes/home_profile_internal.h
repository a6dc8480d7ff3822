#pragma once

#include <string>

#include "grantfs/client/home.h"

namespace grantfs {

Status WriteProfile(const std::string& path, const HomeProfile& profile);
/// Errors: kNotFound, kInvalid (damaged), kIo.
Result<HomeProfile> ReadProfile(const std::string& path);

/// Takes away the files of a home: identity.json first, without which the rest does not count. Errors: kIo.
Status RemoveHomeParts(const std::string& directory);

/// kConflict: there is no room for another identity.
Error HomeInUse(const std::string& directory);

}  // namespace grantfs

#pragma once

#include <string>

#include "grantfs/client/home.h"

namespace grantfs {

Status WriteProfile(const std::string& path, const HomeProfile& profile);
/// Errors: kNotFound, kInvalid (damaged), kIo.
Result<HomeProfile> ReadProfile(const std::string& path);

/// kConflict: there is no room for another identity.
Error HomeInUse(const std::string& directory);

}  // namespace grantfs

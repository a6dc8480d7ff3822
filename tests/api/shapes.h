#pragma once

#include <string>

#include "grantfs/json/json.h"

namespace grantfs::api {

/// Reads a request or response by the name of its shape, and writes it again.
Result<Json> ReadShape(const std::string& name, const Json& json);

/// contrib/FORMATS.md from "## Wire" on.
std::string WireFormats();

}  // namespace grantfs::api

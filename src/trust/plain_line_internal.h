#pragma once

#include <string>
#include <string_view>

#include "grantfs/json/json.h"

namespace grantfs {

// Lines that people carry and that hold no secret: a prefix, and base64url of a JSON document with a checksum
// behind it.

std::string EncodePlainLine(std::string_view prefix, const Json& json);
/// Errors: kInvalid.
Result<Json> DecodePlainLine(std::string_view prefix, std::string_view text);

}  // namespace grantfs

#pragma once

#include <string>
#include <string_view>

#include "grantfs/util/bytes.h"
#include "grantfs/util/result.h"

namespace grantfs {

/// Lower-case hexadecimal.
std::string HexEncode(ByteView bytes);

/// Accepts lower case only, an even number of digits, at most `max_bytes` of result. Errors: kInvalid.
Result<Bytes> HexDecode(std::string_view text, std::size_t max_bytes);

/// RFC 4648 section 4, with padding.
std::string Base64Encode(ByteView bytes);

/// RFC 4648 section 4, canonical only: padding required, no white space, no spare bits set. Errors: kInvalid.
Result<Bytes> Base64Decode(std::string_view text, std::size_t max_bytes);

/// RFC 4648 section 5, without padding.
std::string Base64UrlEncode(ByteView bytes);

/// RFC 4648 section 5, canonical only, without padding. Errors: kInvalid.
Result<Bytes> Base64UrlDecode(std::string_view text, std::size_t max_bytes);

}  // namespace grantfs

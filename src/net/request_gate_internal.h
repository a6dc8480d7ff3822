#pragma once

#include <string_view>

#include "grantfs/util/result.h"

namespace grantfs::net {

/// The strict gate. HTTP parsers let through what a signed API must not see, since two readers of the same
/// bytes could take them for different requests. Pure functions over the raw bytes, so that nothing is lost
/// on the way to them.

/// Checks the beginning of a request for bytes that stand in no valid head: anything but visible ASCII, space
/// and tab, and CR and LF as pairs. Errors: kInvalid.
Status CheckHeadBytes(std::string_view beginning);

/// Checks a whole request head, the empty line included, and refuses: methods but GET, POST, PUT, PATCH and
/// DELETE; versions but HTTP/1.1; targets that are not in origin form and canonical (RFC 3986 section 6.2.2;
/// dot segments, empty segments, fragments, encodings that are needless or in lower case, NUL); no, two,
/// empty or non-canonical Host, or an explicit port 443; header names but letters, digits and "-"; folded
/// lines; Transfer-Encoding, TE, Trailer, Expect and Upgrade; a malformed Content-Length, or a body on GET;
/// Content-*, Signature*, Connection and grantfs-* twice; more than 64 headers. Errors: kInvalid, `where` is
/// a sentence part without anything of the request.  Source: RFC 9110, RFC 9112.
Status CheckRequestHead(std::string_view head);

}  // namespace grantfs::net

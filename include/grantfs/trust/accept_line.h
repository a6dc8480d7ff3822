#pragma once

#include <string>
#include <string_view>

#include "grantfs/trust/statement.h"

namespace grantfs {

/// What an owner gives back, and the machine trusts: its vault. Whoever can alter this line can choose the
/// vault, so it goes the way that the request came.
struct AcceptLine {
  Hash vault;
  std::string address;  ///< host:port
  Hash pin;
  Head head;      ///< of the vault list, as the owner knew it
  Hash identity;  ///< whom it was given for
};

/// One line, of [A-Za-z0-9._-], with a checksum: "grantfs-accept-1.<base64url>". It holds no secret.
std::string EncodeAcceptLine(const AcceptLine& line);
/// White space around it is let go. Errors: kInvalid ("mistyped or cut off", or a line of another kind).
Result<AcceptLine> DecodeAcceptLine(std::string_view text);

}  // namespace grantfs

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "grantfs/trust/identity.h"

namespace grantfs {

/// What a machine without an invitation asks with: its new keys and its name, signed by them. It names no
/// vault, which the machine does not know; an owner who knows where it comes from embeds it in his list.
struct EnrolmentRequest {
  Identity identity;      ///< a machine's, with no end
  std::int64_t made = 0;  ///< unix seconds, by the machine's clock
  std::int64_t expires = 0;
  Signature by_identity;
  Json ToJson() const;
  /// Checks its signature. Errors: kInvalid, kIntegrity.
  static Result<EnrolmentRequest> FromJson(const Json& json);
  /// The same without any signature, for CheckOwn.
  static Result<EnrolmentRequest> FromJsonUnverified(const Json& json);
  /// The machine's signatures: its binding, and the one over the request. Errors: kIntegrity.
  Status CheckOwn() const;
};
inline constexpr std::int64_t kMaxEnrolRequestSeconds = 30LL * 86400;  ///< from made to expires
EnrolmentRequest MakeEnrolmentRequest(const PrivateIdentity& identity, std::int64_t made,
                                      std::int64_t expires);

/// One line, of [A-Za-z0-9._-], with a checksum: "grantfs-request-1.<base64url>". It holds no secret.
std::string EncodeRequestLine(const EnrolmentRequest& request);
/// White space around it is let go. Errors: kInvalid ("mistyped or cut off", or a line of another kind),
/// kIntegrity (its signature).
Result<EnrolmentRequest> DecodeRequestLine(std::string_view text);

/// No such line, and none of accept_line.h, is longer.
inline constexpr std::size_t kMaxPlainLineBytes = 2048;

}  // namespace grantfs

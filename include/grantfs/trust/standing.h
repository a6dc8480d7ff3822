#pragma once

#include <cstdint>
#include <string>

#include "grantfs/trust/invitation.h"

namespace grantfs {

inline constexpr std::uint32_t kMaxStandingUses = 10'000;

/// An invitation that was approved in advance: so many machines, of names of this pattern, let themselves in
/// by it. What the inviter signs into the machines list.
struct StandingInvitation {
  std::string id;
  std::string pattern;     ///< CheckNamePattern
  std::uint32_t uses = 1;  ///< 1..kMaxStandingUses
  VerifyKey sign;
  SealKey seal;
  std::int64_t expires = 0;  ///< unix seconds
  std::int64_t lives = 0;    ///< how long each machine lives from then on that it joins; 0 = for ever
  Json ToJson() const;
  static Result<StandingInvitation> FromJson(const Json& json);
};

/// That a machine may join by it: vault, invitation, pattern, and the signature by its key; that by the
/// machine's own was verified as the statement was read (CheckMachineSignatures). Errors: kIntegrity,
/// kInvalid (the name).
Status VerifyStandingEnrolment(const Enrolment& enrolment, const Hash& vault,
                               const StandingInvitation& invitation);

/// That a life of `lives` seconds (0: none is set) which begins at `from` may end at `not_after` (0 = never).
bool LifeMayEnd(std::int64_t lives, std::int64_t from, std::int64_t not_after);

}  // namespace grantfs

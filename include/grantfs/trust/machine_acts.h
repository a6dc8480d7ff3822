#pragma once

#include <cstdint>
#include <string>

#include "grantfs/crypto/hash.h"
#include "grantfs/trust/enrol_request.h"
#include "grantfs/trust/invitation.h"
#include "grantfs/trust/standing.h"

namespace grantfs {

// The acts of the machines list.

struct MachinesCreate {};
struct InvitationCreate {
  Invitation invitation;
};
/// Lets machines in that nobody watches: each joins by itself (MachineJoin), as far as this says.
struct InvitationStand {
  StandingInvitation invitation;
};
/// Of either kind.
struct InvitationWithdraw {
  std::string id;
};
/// Embeds the enrolment of a machine, user or agent: the invitation's use is thus in the list. A user or
/// agent is let in by the IdentityAdd that the vault demands beside it.
struct MachineApprove {
  Enrolment enrolment;
  std::int64_t not_after = 0;  ///< when the machine's life ends: unix seconds, 0 = never
};
/// Lets a machine in that has asked without an invitation.
struct MachineAdmit {
  EnrolmentRequest request;
  std::int64_t not_after = 0;  ///< the same
};
/// A machine lets itself in by a standing invitation. It signs this itself: the statement counts because an
/// owner has approved the invitation in advance.
struct MachineJoin {
  Enrolment enrolment;
  std::int64_t not_after = 0;  ///< the same; as the invitation says
};
/// Withdraws the standing invitation that the machine came by, unless its life had ended.
struct MachineRemove {
  Hash id;
};

}  // namespace grantfs

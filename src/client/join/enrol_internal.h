#pragma once

#include "client/homes/connect_internal.h"
#include "grantfs/api/lists.h"
#include "grantfs/client/home.h"
#include "grantfs/client/join.h"
#include "grantfs/client/list_keeper.h"
#include "grantfs/trust/invitation.h"

namespace grantfs {

/// An enrolment by invitation that is under way: the home that waits, and both its keys.
struct WaitingEnrolment {
  Home home;
  PrivateIdentity identity;
  InviteSecret invite;
  bool is_new = false;  ///< this call made the home, or the rest of it
};

/// What a home's profile and key tell of it, not approved yet.
EnrolResult EnrolResultOf(const HomeProfile& profile, const PrivateIdentity& identity);

/// Whether the vault knows the home's own key: that it accepts it is the proof of being let in. none: it does
/// not.
Result<std::optional<api::StatusResponse>> AskWithOwnKey(const HomeProfile& profile,
                                                         const PrivateIdentity& identity,
                                                         const ClientOptions& options);

/// Signs the machine into the vault's list, behind whoever else does it at the same moment.
/// Errors: kDenied (the name is taken or not the pattern's, the clock is off), kExpired (the invitation),
/// kConflict (others were quicker, again and again), as VaultConnection and ListKeeper.
Status JoinByStanding(const WaitingEnrolment& waiting, VaultConnection& connection, ListKeeper& keeper,
                      const ClientOptions& options);

}  // namespace grantfs

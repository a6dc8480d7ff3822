#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "grantfs/client/owner_results.h"
#include "grantfs/trust/lists.h"

namespace grantfs {

IdentityInfo InfoOf(const MachinesList::Machine& machine);
/// By the name or id of a machine.
bool IsGrantedTo(const SecretList& list, const std::string& machine);
/// As people type them: case, spaces and dashes do not matter.
bool SameFingerprint(const std::string& a, const std::string& b);
/// The one enrolment among these that waits under the name. @param fingerprint  that it has to have, "" =
/// any. Errors: kNotFound (none), kIntegrity (another fingerprint; not made with its invitation), kConflict
/// (two wait).
Result<Enrolment> ChooseWaiting(const std::vector<Enrolment>& waiting, const MachinesList& machines,
                                const Hash& vault, const std::string& name, const std::string& fingerprint);
/// A machine and a person of one name could not be told apart by whoever is asked for one. Errors: kConflict.
Status CheckNameFree(const MachinesList& machines, const VaultList& vault, const std::string& name);
/// That another key of this kind can be put in the place of somebody's by `me`. Errors: kInvalid.
Status CheckRekeyed(const Identity& who, IdentityKind kind, const Hash& me);
/// Of a life that begins now; 0 = it has no end.
inline std::int64_t EndOfLife(std::int64_t now, std::int64_t lives) { return lives == 0 ? 0 : now + lives; }
/// By the name or id of a machine.
bool IsGrantedTo(const SecretList& list, const std::string& machine);
/// "shop/prod@web" taken apart. Errors: kInvalid.
Result<std::pair<std::string, std::string>> ParseGroupPlace(const std::string& text);
/// Errors: kInvalid.
Status CheckLifetime(std::int64_t lives, const std::string& name);
/// @param ttl  seconds that an invitation is to hold.  Errors: kInvalid.
Status CheckInvitationTime(std::int64_t ttl, const std::string& name);

}  // namespace grantfs

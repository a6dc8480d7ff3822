#include <algorithm>

#include "standing_changes_internal.h"

namespace grantfs {
namespace {

/// A statement that is voided takes back what it had said of its own time too.
bool GoesOn(const SignedList& then, const SignedList& now) {
  if (then.first_sequence() != now.first_sequence() || then.next_sequence() > now.next_sequence())
    return false;
  if (then.head() && now.HashAt(then.head()->sequence) != then.head()->hash) return false;
  for (const auto& statement : then.Statements()) {
    const std::uint64_t sequence = statement->statement().sequence;
    if (then.IsVoided(sequence) != now.IsVoided(sequence)) return false;
  }
  return true;
}

}  // namespace

StandingChanges::StandingChanges(const UpperLists& then, const UpperLists& now)
    : then_(then),
      now_(now),
      goes_on_(GoesOn(*then.vault, *now.vault) && GoesOn(*then.environment, *now.environment) &&
               then.vault->recovery_since() == now.vault->recovery_since() &&
               then.environment->two_owners() == now.environment->two_owners()) {}

bool StandingChanges::IsSame(const Hash& signer) const {
  const EnvironmentList& then = *then_.environment;
  const EnvironmentList& now = *now_.environment;
  const auto role = then.RoleOf(signer);
  if (role != now.RoleOf(signer)) return false;
  if (!role) return true;
  const auto before = then.members().find(signer);
  const auto after = now.members().find(signer);
  return before != then.members().end() && after != now.members().end() &&
         before->second.prefix == after->second.prefix &&
         now.WasMemberThrough(signer, then.next_sequence() - 1, now.next_sequence());
}

bool StandingChanges::Stands(const std::vector<Hash>& signers) {
  return goes_on_ && std::all_of(signers.begin(), signers.end(), [this](const Hash& signer) {
           const auto [at, is_new] = known_.try_emplace(signer, false);
           if (is_new) at->second = IsSame(signer);
           return at->second;
         });
}

std::vector<Hash> SignersOf(const SignedList& list) {
  std::vector<Hash> signers;
  for (const auto& statement : list.Statements()) {
    const Hash& signer = statement->statement().signer;
    if (std::find(signers.begin(), signers.end(), signer) == signers.end()) signers.push_back(signer);
  }
  return signers;
}

}  // namespace grantfs

#include <algorithm>
#include <vector>

#include "fill.h"
#include "grantfs/util/clock.h"

namespace grantfs::bench {
namespace {

constexpr std::uint64_t kAtOnce = 250;  // two statements each, and an append has 500

/// Invites, enrols and approves one append's worth.
void LetIn(OpenVault& open, MachinesList& list, const UpperLists& upper, std::uint64_t first,
           std::uint64_t count) {
  api::AppendRequest invitations{{{list.id(), {}}}};
  api::AppendRequest approvals = invitations;
  std::vector<Enrolment> enrolments;
  const std::int64_t expires = SystemClock().WallSeconds() + 3600;
  for (std::uint64_t number = first; number < first + count; ++number) {
    const InviteSecret invite = Must(InviteSecret::Generate());
    const PrivateIdentity machine = KeyOfMachine(open, number);
    const Invitation invitation{invite.id(),
                                IdentityKind::kMachine,
                                machine.identity().name,
                                invite.signing_key().verify_key(),
                                invite.unseal_key().seal_key(),
                                expires};
    invitations.appends[0].statements.push_back(open.SignNext(list, upper, InvitationCreate{invitation}));
    enrolments.push_back(Must(MakeEnrolment(upper.vault->vault_id(), invite, machine)));
  }
  for (const Enrolment& enrolment : enrolments)
    approvals.appends[0].statements.push_back(open.SignNext(list, upper, MachineApprove{enrolment}));
  open.Append(invitations);
  open.Finish();  // before that nobody knows the invitations' keys
  for (const Enrolment& enrolment : enrolments) open.Enrol(enrolment);
  open.Finish();
  open.Append(approvals);
}

}  // namespace

PrivateIdentity KeyOfMachine(const OpenVault& open, std::uint64_t number) {
  const SecretMemory seed = Must(DeriveKey(open.seed(), number + 1, "gfsbench"));
  return Must(
      PrivateIdentity::FromSeed(seed, IdentityKind::kMachine, kMachinePrefix + std::to_string(number)));
}

void FillMachines(OpenVault& open, std::uint64_t count) {
  const StatePtr state = open.Load();
  MachinesList list = *state->machines;
  const auto there = std::count_if(list.machines().begin(), list.machines().end(),
                                   [](const auto& entry) { return !entry.second.removed; });
  for (auto number = static_cast<std::uint64_t>(there); number < count; number += kAtOnce) {
    LetIn(open, list, state->Upper(), number, std::min(kAtOnce, count - number));
    if (number / kAtOnce % 10 == 0) ShowProgress("machines", number, count);
  }
  open.Finish();
}

}  // namespace grantfs::bench

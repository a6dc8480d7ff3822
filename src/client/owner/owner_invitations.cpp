#include <algorithm>
#include <set>

#include "client/connection/problem_internal.h"
#include "grantfs/api/enrolments.h"
#include "owner_internal.h"

// Invitations that are open: who they let in, and how that is taken back.

namespace grantfs {

// Those that have expired are of use only to a request that was made before.
Result<std::vector<OpenInvitation>> OwnerSessionImpl::OpenInvitations() {
  const auto sent = GRANTFS_TRY(vault_->Ask<api::EnrolmentsResponse>(api::kEnrolmentsList, api::Nothing{}));
  std::vector<OpenInvitation> open;
  for (const auto& [id, entry] : keeper_->machines().invitations()) {
    if (entry.state != MachinesList::InvitationState::kOpen) continue;
    const auto waiting = std::count_if(sent.enrolments.begin(), sent.enrolments.end(),
                                       [&id = id](const Enrolment& one) { return one.invitation == id; });
    if (waiting == 0 && entry.invitation.expires <= Now()) continue;
    open.push_back({entry.invitation.name, id, entry.invitation.expires, static_cast<std::size_t>(waiting),
                    entry.invitation.lives, 0, 0});
  }
  for (const auto& [id, entry] : keeper_->machines().standing()) {
    const StandingInvitation& invitation = entry.invitation;
    if (!entry.IsOpen(keeper_->vault()) || invitation.expires <= Now()) continue;
    open.push_back(
        {invitation.pattern, id, invitation.expires, 0, invitation.lives, invitation.uses, entry.used});
  }
  std::sort(open.begin(), open.end(), [](const OpenInvitation& a, const OpenInvitation& b) {
    return std::tie(a.name, a.expires, a.id) < std::tie(b.name, b.expires, b.id);
  });
  return open;
}

Result<std::vector<OpenInvitation>> OwnerSessionImpl::ListInvitations() {
  GRANTFS_CHECK(RequireVaultOwner());
  GRANTFS_CHECK(keeper_->RefreshMachines());
  return OpenInvitations();
}

Result<std::vector<SignedList::StatementPtr>> OwnerSessionImpl::Withdraw(MachinesList& machines,
                                                                         const std::string& name,
                                                                         const std::string& reason,
                                                                         WithdrawResult& result) {
  std::vector<SignedList::StatementPtr> made;
  for (const OpenInvitation& one : GRANTFS_TRY(OpenInvitations())) {
    if (one.name != name && one.id != name) continue;
    made.push_back(
        GRANTFS_TRY(Next(machines, {&keeper_->vault(), nullptr}, InvitationWithdraw{one.id}, reason)));
    ++result.withdrawn;
    result.waiting += one.waiting;
    if (one.uses == 0) continue;
    const auto came = LetInBy(machines, one.id);
    result.let_in.insert(result.let_in.end(), came.begin(), came.end());
  }
  return made;
}

Result<WithdrawResult> OwnerSessionImpl::WithdrawInvitations(const std::string& name,
                                                             const std::string& reason) {
  auto withdrawn = Retry([&]() -> Result<WithdrawResult> {
    GRANTFS_CHECK(RequireVaultOwner());
    GRANTFS_CHECK(keeper_->RefreshMachines());
    MachinesList machines = keeper_->machines();
    WithdrawResult result;
    auto made = GRANTFS_TRY(Withdraw(machines, name, reason, result));
    // Also of those that ended before, so that what was left to do in my groups is done by this.
    std::set<std::string> standing;
    for (const auto& [id, entry] : machines.standing()) {
      if (id == name || (entry.invitation.pattern == name && !made.empty())) standing.insert(id);
    }
    // An id that a group's list alone has: somebody who owned the environment put it there.
    if (standing.empty() && made.empty()) standing.insert(name);
    Batch batch;
    if (!standing.empty()) GRANTFS_CHECK(ShutOut(standing, machines, reason, batch, result.groups));
    if (made.empty() && batch.empty())
      return Settled({Code::kNotFound,
                      "no invitation of this name is open: grantfs invitation list shows those that are", 0,
                      name});
    for (auto& ended : GRANTFS_TRY(Tidy(machines))) made.push_back(std::move(ended));
    if (!made.empty()) batch.insert(batch.begin(), {ListId::Machines(), std::move(made), {}});
    GRANTFS_TRY(Submit(batch));
    return result;
  });
  if (withdrawn) ShutOutExpired();
  return withdrawn;
}

}  // namespace grantfs

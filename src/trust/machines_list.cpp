#include "grantfs/trust/lists.h"
#include "list_internal.h"

namespace grantfs {

const MachinesList::Machine* MachinesList::FindByName(const std::string& name) const {
  const auto at = by_name_.find(name);
  return at == by_name_.end() ? nullptr : &machines_.at(at->second);
}

const MachinesList::Machine* MachinesList::FindById(const Hash& id) const {
  const auto at = by_id_.find(id);
  return at == by_id_.end() ? nullptr : &machines_.at(at->second);
}

Result<Permission> MachinesList::Needed(const Statement& statement) const {
  if (IsAnyOf<MachinesCreate, InvitationCreate, InvitationWithdraw, MachineApprove, MachineRemove, Vouch,
              Void, Restore>(statement.act)) {
    return Permission::kVaultOwner;
  }
  return Misplaced(statement);
}

const Identity* MachinesList::SignerOf(const Statement& statement, const UpperLists& upper) const {
  return upper.vault->FindIdentity(statement.signer);
}

bool MachinesList::Holds(const Hash& signer, Permission permission, const Act& act, const SeenHeads* at,
                         const UpperLists& upper) const {
  if (permission != Permission::kVaultOwner) return false;
  const std::uint64_t now = at != nullptr ? at->vault->sequence : upper.vault->next_sequence();
  if (upper.vault->WasRecovery(signer, now)) return IsAnyOf<Vouch, Void>(act);
  return at != nullptr ? upper.vault->WasOwner(signer, at->vault->sequence) : upper.vault->IsOwner(signer);
}

bool MachinesList::HeldSince(const Statement& statement, const SeenHeads* at, const UpperLists& upper) const {
  const VaultList& vault = *upper.vault;
  const std::uint64_t now = at != nullptr ? at->vault->sequence : vault.next_sequence();
  return vault.WasRecoveryThrough(statement.signer, statement.heads.vault->sequence, now) ||
         vault.WasOwnerThrough(statement.signer, statement.heads.vault->sequence, now);
}

Status MachinesList::ApplyInvite(const InvitationCreate& act) {
  const Invitation& invitation = act.invitation;
  if (invitation.kind == IdentityKind::kMachine && FindByName(invitation.name) != nullptr) {
    return Error{Code::kInvalid,
                 "a machine of this name is enrolled; remove it first (grantfs identity remove)", 0,
                 invitation.name};
  }
  const InvitationEntry entry{invitation, InvitationState::kOpen};
  if (!invitations_.emplace(invitation.id, entry).second) {
    return Error{Code::kInvalid, "the invitation exists already", 0, invitation.name};
  }
  return {};
}

Status MachinesList::ApplyApprove(const MachineApprove& act, const Statement& statement) {
  const Enrolment& enrolment = act.enrolment;
  const Identity& who = enrolment.identity;
  const auto at = invitations_.find(enrolment.invitation);
  if (at == invitations_.end())
    return Error{Code::kInvalid, "the enrolment names no invitation of this vault", 0, who.name};
  if (at->second.state != InvitationState::kOpen)
    return Error{Code::kInvalid, "the invitation was used or withdrawn", 0, who.name};
  GRANTFS_CHECK(VerifyEnrolment(enrolment, statement.vault, at->second.invitation));
  if (FindById(who.Id()) != nullptr ||
      (who.kind == IdentityKind::kMachine && FindByName(who.name) != nullptr)) {
    return Error{Code::kInvalid, "a machine of this name or key is enrolled; remove it first", 0, who.name};
  }
  at->second.state = InvitationState::kUsed;
  if (who.kind != IdentityKind::kMachine) return {};  // the vault's list has people
  machines_[statement.sequence] = {who, statement.sequence, statement.time, false};
  by_id_[who.Id()] = statement.sequence;
  by_name_[who.name] = statement.sequence;
  return {};
}

Status MachinesList::ApplyRemove(const MachineRemove& act) {
  const auto at = by_id_.find(act.id);
  if (at == by_id_.end() || machines_.at(at->second).removed) {
    return Error{Code::kInvalid, "there is no such machine", 0, act.id.Hex()};
  }
  Machine& machine = machines_.at(at->second);
  machine.removed = true;
  by_name_.erase(machine.identity.name);
  return {};
}

Status MachinesList::Apply(const StatementPtr& signed_statement, const UpperLists&) {
  const Statement& statement = signed_statement->statement();
  const bool creates = std::holds_alternative<MachinesCreate>(statement.act);
  if (creates != (statement.sequence == 0))
    return Nonsense(*signed_statement, "a list of machines begins with its creation");
  if (const auto* act = std::get_if<InvitationCreate>(&statement.act)) return ApplyInvite(*act);
  if (const auto* act = std::get_if<MachineApprove>(&statement.act)) return ApplyApprove(*act, statement);
  if (const auto* act = std::get_if<MachineRemove>(&statement.act)) return ApplyRemove(*act);
  if (const auto* act = std::get_if<InvitationWithdraw>(&statement.act)) {
    const auto at = invitations_.find(act->id);
    if (at == invitations_.end() || at->second.state != InvitationState::kOpen) {
      return Nonsense(*signed_statement, "there is no such open invitation");
    }
    at->second.state = InvitationState::kWithdrawn;
  }
  return {};
}

void MachinesList::Reset() {
  machines_.clear();
  by_id_.clear();
  by_name_.clear();
  invitations_.clear();
}

}  // namespace grantfs

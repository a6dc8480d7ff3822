#include <utility>

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
  if (std::holds_alternative<MachineJoin>(statement.act)) return Permission::kJoin;
  if (IsAnyOf<MachinesCreate, InvitationCreate, InvitationStand, InvitationWithdraw, MachineApprove,
              MachineAdmit, MachineRemove, Vouch, Void, Restore>(statement.act)) {
    return Permission::kVaultOwner;
  }
  return Misplaced(statement);
}

const Identity* MachinesList::SignerOf(const Statement& statement, const UpperLists& upper) const {
  if (const auto* join = std::get_if<MachineJoin>(&statement.act)) return &join->enrolment.identity;
  return upper.vault->FindIdentity(statement.signer);
}

const Hash& MachinesList::RightOf(const Statement& statement) const {
  if (const auto* join = std::get_if<MachineJoin>(&statement.act)) {
    const auto at = standing_.find(join->enrolment.invitation);
    if (at != standing_.end()) return at->second.issuer;
  }
  return statement.signer;
}

// A machine has no right of its own: what it signs counts by that of the invitation's issuer, as long as his
// own statement would.
bool MachinesList::Holds(const Hash& signer, Permission permission, const Act& act, const SeenHeads* at,
                         const UpperLists& upper) const {
  const auto owns = [&](const Hash& id) {
    return at != nullptr ? upper.vault->WasOwner(id, at->vault->sequence) : upper.vault->IsOwner(id);
  };
  if (permission == Permission::kJoin) {
    const auto* join = std::get_if<MachineJoin>(&act);
    if (join == nullptr || join->enrolment.identity.Id() != signer) return false;
    const auto standing = standing_.find(join->enrolment.invitation);
    return standing != standing_.end() && owns(standing->second.issuer);
  }
  if (permission != Permission::kVaultOwner) return false;
  const std::uint64_t now = at != nullptr ? at->vault->sequence : upper.vault->next_sequence();
  if (upper.vault->WasRecovery(signer, now)) return IsAnyOf<Vouch, Void>(act);
  return owns(signer);
}

bool MachinesList::HeldSince(const Statement& statement, const SeenHeads* at, const UpperLists& upper) const {
  const VaultList& vault = *upper.vault;
  const std::uint64_t now = at != nullptr ? at->vault->sequence : vault.next_sequence();
  return vault.WasRecoveryThrough(statement.signer, statement.heads.vault->sequence, now) ||
         vault.WasOwnerThrough(RightOf(statement), statement.heads.vault->sequence, now);
}

Status MachinesList::ApplyInvite(const InvitationCreate& act) {
  const Invitation& invitation = act.invitation;
  if (invitation.kind == IdentityKind::kMachine && FindByName(invitation.name) != nullptr) {
    return Error{Code::kInvalid,
                 "a machine of this name is enrolled; remove it first (grantfs identity remove)", 0,
                 invitation.name};
  }
  const InvitationEntry entry{invitation, InvitationState::kOpen};
  if (standing_.contains(invitation.id) || !invitations_.emplace(invitation.id, entry).second) {
    return Error{Code::kInvalid, "the invitation exists already", 0, invitation.name};
  }
  return {};
}

Status MachinesList::ApplyStand(const InvitationStand& act, const Statement& statement) {
  const StandingInvitation& invitation = act.invitation;
  const StandingEntry entry{invitation, statement.signer, 0, false, statement.sequence};
  if (invitations_.contains(invitation.id) || !standing_.emplace(invitation.id, entry).second)
    return Error{Code::kInvalid, "the invitation exists already", 0, invitation.pattern};
  return {};
}

Status MachinesList::ApplyWithdraw(const InvitationWithdraw& act) {
  if (const auto standing = standing_.find(act.id); standing != standing_.end()) {
    if (!std::exchange(standing->second.withdrawn, true)) return {};
  } else if (const auto one = invitations_.find(act.id);
             one != invitations_.end() && one->second.state == InvitationState::kOpen) {
    one->second.state = InvitationState::kWithdrawn;
    return {};
  }
  return Error{Code::kInvalid, "there is no such open invitation", 0, act.id};
}

Status MachinesList::CheckFree(const Identity& who) const {
  if (FindById(who.Id()) == nullptr && FindByName(who.name) == nullptr) return {};
  return Error{Code::kInvalid, "a machine of this name or key is enrolled; remove it first", 0, who.name};
}

void MachinesList::LetIn(Identity who, std::int64_t not_after, const Statement& statement,
                         const std::string& standing) {
  if (who.not_after == 0 || (not_after != 0 && not_after < who.not_after)) who.not_after = not_after;
  by_id_[who.Id()] = statement.sequence;
  by_name_[who.name] = statement.sequence;
  machines_[statement.sequence] = {std::move(who), statement.sequence, statement.time, false, standing};
}

Status MachinesList::ApplyApprove(const MachineApprove& act, const Statement& statement) {
  const Enrolment& enrolment = act.enrolment;
  const Identity& who = enrolment.identity;
  const auto refuse = [&](const char* why) { return Error{Code::kInvalid, why, 0, who.name}; };
  const auto at = invitations_.find(enrolment.invitation);
  if (at == invitations_.end()) return refuse("the enrolment names no invitation of this vault");
  if (at->second.state != InvitationState::kOpen) return refuse("the invitation was used or withdrawn");
  GRANTFS_CHECK(
      VerifyEnrolment(enrolment, statement.vault, at->second.invitation, OwnSignature::kWasVerified));
  if (who.kind != IdentityKind::kMachine && act.not_after != 0)
    return refuse("only a machine is let in for some time");
  if (!LifeMayEnd(at->second.invitation.lives, statement.time, act.not_after))
    return refuse("the machine's life does not end as its invitation says");
  if (who.kind != IdentityKind::kMachine) {  // the vault's list has people
    if (FindById(who.Id()) != nullptr) return refuse("a machine of this key is enrolled");
    at->second.state = InvitationState::kUsed;
    return {};
  }
  GRANTFS_CHECK(CheckFree(who));
  at->second.state = InvitationState::kUsed;
  LetIn(who, act.not_after, statement, "");
  return {};
}

Status MachinesList::ApplyAdmit(const MachineAdmit& act, const Statement& statement) {
  const Identity& who = act.request.identity;
  if (statement.time >= act.request.expires)
    return Error{Code::kInvalid, "the request to enrol has expired", 0, who.name};
  if (!LifeMayEnd(0, statement.time, act.not_after))
    return Error{Code::kInvalid, "the machine's life ends before it begins", 0, who.name};
  GRANTFS_CHECK(CheckFree(who));
  LetIn(who, act.not_after, statement, "");
  return {};
}

Status MachinesList::ApplyJoin(const MachineJoin& act, const Statement& statement) {
  const Enrolment& enrolment = act.enrolment;
  const Identity& who = enrolment.identity;
  const auto refuse = [&](const char* why) { return Error{Code::kInvalid, why, 0, who.name}; };
  const auto at = standing_.find(enrolment.invitation);
  if (at == standing_.end()) return refuse("the enrolment names no standing invitation of this vault");
  StandingEntry& entry = at->second;
  const StandingInvitation& invitation = entry.invitation;
  if (entry.withdrawn) return refuse("the standing invitation was withdrawn");
  if (entry.used >= invitation.uses) return refuse("the standing invitation was used as often as it may be");
  if (statement.time >= invitation.expires) return refuse("the standing invitation has expired");
  GRANTFS_CHECK(VerifyStandingEnrolment(enrolment, statement.vault, invitation));
  if (who.not_after != 0 || (invitation.lives == 0 && act.not_after != 0) ||
      !LifeMayEnd(invitation.lives, statement.time, act.not_after))
    return refuse("the machine's life does not end as its invitation says");
  GRANTFS_CHECK(CheckFree(who));
  ++entry.used;
  LetIn(who, act.not_after, statement, invitation.id);
  return {};
}

Status MachinesList::ApplyRemove(const MachineRemove& act, const Statement& statement) {
  const auto at = by_id_.find(act.id);
  if (at == by_id_.end() || machines_.at(at->second).removed) {
    return Error{Code::kInvalid, "there is no such machine", 0, act.id.Hex()};
  }
  Machine& machine = machines_.at(at->second);
  machine.removed = true;
  by_name_.erase(machine.identity.name);
  // Whoever has that machine has the invitation too. Of one whose life is over nothing is feared.
  if (!machine.standing.empty() && !machine.HasEnded(statement.time))
    standing_.at(machine.standing).withdrawn = true;
  return {};
}

// No owner looks on who could see that a machine takes a person's name.
Status MachinesList::CheckNew(const Statement& statement, const UpperLists& upper) const {
  const auto* join = std::get_if<MachineJoin>(&statement.act);
  if (join == nullptr) return {};
  const std::string& name = join->enrolment.identity.name;
  if (!upper.vault->HasPersonNamed(name)) return {};
  return Error{Code::kInvalid, "somebody of the vault has this name; choose another one", 0, name};
}

Status MachinesList::Apply(const StatementPtr& signed_statement, const UpperLists&) {
  const Statement& statement = signed_statement->statement();
  const Act& said = statement.act;
  const bool creates = std::holds_alternative<MachinesCreate>(said);
  if (creates != (statement.sequence == 0))
    return Nonsense(*signed_statement, "a list of machines begins with its creation");
  if (const auto* act = std::get_if<InvitationCreate>(&said)) return ApplyInvite(*act);
  if (const auto* act = std::get_if<InvitationStand>(&said)) return ApplyStand(*act, statement);
  if (const auto* act = std::get_if<InvitationWithdraw>(&said)) return ApplyWithdraw(*act);
  if (const auto* act = std::get_if<MachineApprove>(&said)) return ApplyApprove(*act, statement);
  if (const auto* act = std::get_if<MachineAdmit>(&said)) return ApplyAdmit(*act, statement);
  if (const auto* act = std::get_if<MachineJoin>(&said)) return ApplyJoin(*act, statement);
  if (const auto* act = std::get_if<MachineRemove>(&said)) return ApplyRemove(*act, statement);
  return {};
}

void MachinesList::Reset() {
  machines_.clear();
  by_id_.clear();
  by_name_.clear();
  invitations_.clear();
  standing_.clear();
}

}  // namespace grantfs

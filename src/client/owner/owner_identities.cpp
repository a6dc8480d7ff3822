#include <algorithm>

#include "client/connection/problem_internal.h"
#include "grantfs/api/enrolments.h"
#include "owner_internal.h"

namespace grantfs {

IdentityInfo InfoOf(const MachinesList::Machine& machine) {
  const Identity& who = machine.identity;
  IdentityInfo info;
  info.name = who.name;
  info.kind = who.kind;
  info.id = who.Id().Hex();
  info.fingerprint = who.Fingerprint();
  info.number = machine.number;
  info.approved = machine.approved;
  info.not_after = who.not_after;
  info.standing = machine.standing;
  info.removed = machine.removed;
  return info;
}

namespace {

IdentityInfo InfoOf(const Identity& who) {
  IdentityInfo info;
  info.name = who.name;
  info.kind = who.kind;
  info.id = who.Id().Hex();
  info.fingerprint = who.Fingerprint();
  info.not_after = who.not_after;
  return info;
}

std::vector<IdentityInfo> OwnersOf(const VaultList& vault) {
  std::vector<IdentityInfo> all;
  for (const Identity& owner : vault.Owners()) {
    all.push_back(InfoOf(owner));
    all.back().vault_owner = true;
    all.back().removed = vault.IsRemoved(owner.Id());
  }
  all.push_back(InfoOf(vault.recovery()));
  all.back().recovery = true;
  return all;
}

std::string Normal(const std::string& fingerprint) {
  std::string normal;
  for (const char c : fingerprint) {
    if (c == ' ' || c == '-') continue;
    normal += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return normal;
}

Status CheckPending(const Enrolment& enrolment, const MachinesList& machines, const Hash& vault) {
  const auto invitation = machines.invitations().find(enrolment.invitation);
  const auto refuse = [&](const char* why) {
    return Error{Code::kIntegrity, why, 0, enrolment.identity.name};
  };
  if (invitation == machines.invitations().end()) return refuse("no owner made the invitation that it names");
  if (invitation->second.state != MachinesList::InvitationState::kOpen) {
    return refuse("its invitation was used or withdrawn: make a new one with grantfs invite");
  }
  return VerifyEnrolment(enrolment, vault, invitation->second.invitation);
}

}  // namespace

bool SameFingerprint(const std::string& a, const std::string& b) { return Normal(a) == Normal(b); }

Result<Enrolment> ChooseWaiting(const std::vector<Enrolment>& waiting, const MachinesList& machines,
                                const Hash& vault, const std::string& name, const std::string& fingerprint) {
  const Enrolment* chosen = nullptr;
  Status refused;
  for (const Enrolment& enrolment : waiting) {
    if (enrolment.identity.name != name) continue;
    if (auto good = CheckPending(enrolment, machines, vault); !good) {
      refused = good;
      continue;
    }
    if (!fingerprint.empty() && !SameFingerprint(fingerprint, enrolment.identity.Fingerprint())) {
      refused = Error{Code::kIntegrity,
                      "what waits has another fingerprint than the one given: it is not that machine, do "
                      "not approve it",
                      0, name + " " + enrolment.identity.Fingerprint()};
      continue;
    }
    if (chosen != nullptr)
      return Error{Code::kConflict, "two wait under this name; say which by its fingerprint", 0, name};
    chosen = &enrolment;
  }
  if (chosen != nullptr) return *chosen;
  GRANTFS_CHECK(refused);
  if (machines.FindByName(name) != nullptr)
    return Error{Code::kConflict, "it was let in before, and nothing more waits under this name", 0, name};
  return Error{Code::kNotFound, "nothing waits under this name: run grantfs enroll there first", 0, name};
}

Status CheckNameFree(const MachinesList& machines, const VaultList& vault, const std::string& name) {
  if (machines.FindByName(name) != nullptr) {
    return Error{Code::kConflict,
                 "a machine of this name is enrolled; remove it first (grantfs identity remove)", 0, name};
  }
  if (!vault.HasPersonNamed(name)) return {};
  return Error{Code::kConflict,
               "somebody of the vault has this name; choose another one, or remove that one first (grantfs "
               "identity remove); a new key of the same person is let in with --rekey",
               0, name};
}

Result<InviteResult> OwnerSessionImpl::Invite(const InviteOptions& options) {
  GRANTFS_CHECK(CheckIdentityName(options.name));
  GRANTFS_CHECK(CheckLifetime(options.lives, options.name));
  if (options.lives != 0 && options.kind != IdentityKind::kMachine)
    return Error{Code::kInvalid, "only a machine is let in for some time; grantfs offboard ends a person", 0,
                 options.name};
  GRANTFS_CHECK(CheckInvitationTime(options.ttl, options.name));
  const auto secret = GRANTFS_TRY(InviteSecret::Generate());
  Invitation invitation;
  invitation.id = secret.id();
  invitation.kind = options.kind;
  invitation.name = options.name;
  invitation.sign = secret.signing_key().verify_key();
  invitation.seal = secret.unseal_key().seal_key();
  invitation.lives = options.lives;
  const Status invited = Retry([&]() -> Status {
    GRANTFS_CHECK(RequireVaultOwner());
    GRANTFS_CHECK(keeper_->RefreshMachines());
    MachinesList machines = keeper_->machines();
    auto made = GRANTFS_TRY(Tidy(machines));
    const Status good = options.rekey
                            ? CheckRekeyed(GRANTFS_TRY(FindPerson(options.name)), options.kind, me_.Id())
                            : CheckNameFree(machines, keeper_->vault(), options.name);
    if (!good) return Settled(good.error());
    invitation.expires = Now() + options.ttl;
    made.push_back(
        GRANTFS_TRY(Next(machines, {&keeper_->vault(), nullptr}, InvitationCreate{invitation}, {})));
    GRANTFS_TRY(Submit({{ListId::Machines(), std::move(made), {}}}));
    return {};
  });
  GRANTFS_CHECK(invited);
  ShutOutExpired();
  return InviteResult{GRANTFS_TRY(InviteLineOf(secret, options.kind, options.name, false)), invitation.id,
                      invitation.expires};
}

Result<SecretMemory> OwnerSessionImpl::InviteLineOf(const InviteSecret& secret, IdentityKind kind,
                                                    const std::string& name, bool standing) const {
  const Head head = *keeper_->vault().head();
  InviteLine line;
  line.address = home_.profile().address.Text();
  line.pin = keeper_->vault().pins().front();
  line.vault = home_.profile().vault;
  line.head_sequence = head.sequence;
  line.head_hash = head.hash;
  line.secret = GRANTFS_TRY(InviteSecret::FromBytes(GRANTFS_TRY(secret.ToBytes())));
  line.kind = kind;
  line.name = name;
  line.standing = standing;
  return EncodeInviteLine(line, false);
}

Result<std::vector<PendingEnrolment>> OwnerSessionImpl::ListPending() {
  GRANTFS_CHECK(RequireVaultOwner());
  GRANTFS_CHECK(keeper_->RefreshMachines());
  const auto sent = GRANTFS_TRY(vault_->Ask<api::EnrolmentsResponse>(api::kEnrolmentsList, api::Nothing{}));
  std::vector<PendingEnrolment> all;
  for (const Enrolment& enrolment : sent.enrolments) {
    const Identity& who = enrolment.identity;
    PendingEnrolment pending{who.name, who.kind, who.Id().Hex(), who.Fingerprint(), {}};
    if (auto good = CheckPending(enrolment, keeper_->machines(), home_.profile().vault); !good) {
      pending.problem = Describe(good.error());
    }
    all.push_back(std::move(pending));
  }
  return all;
}

Result<IdentityInfo> OwnerSessionImpl::Approve(const std::string& name, const std::string& fingerprint,
                                               std::int64_t lives) {
  GRANTFS_CHECK(CheckLifetime(lives, name));
  return Retry([&]() -> Result<IdentityInfo> {
    GRANTFS_CHECK(RequireVaultOwner());
    GRANTFS_CHECK(keeper_->RefreshMachines());
    const auto sent = GRANTFS_TRY(vault_->Ask<api::EnrolmentsResponse>(api::kEnrolmentsList, api::Nothing{}));
    const auto chosen =
        ChooseWaiting(sent.enrolments, keeper_->machines(), home_.profile().vault, name, fingerprint);
    if (!chosen) return Settled(chosen.error());
    return LetIn(*chosen, lives);
  });
}

// A user or agent is added to the vault's list by the same append, which every client verifies.
Result<IdentityInfo> OwnerSessionImpl::LetIn(const Enrolment& enrolment, std::int64_t lives) {
  const Identity& who = enrolment.identity;
  const bool machine_waits = who.kind == IdentityKind::kMachine;
  if (lives != 0 && !machine_waits)
    return Error{Code::kInvalid, "only a machine is let in for some time; grantfs offboard ends a person", 0,
                 who.name};
  MachinesList machines = keeper_->machines();
  const std::int64_t invited = machines.invitations().at(enrolment.invitation).invitation.lives;
  if (invited != 0 && lives > invited)
    return Error{Code::kInvalid, "its invitation lets it live for a shorter time: leave --lives out", 0,
                 who.name};
  Batch batch;
  auto made = GRANTFS_TRY(Tidy(machines));
  if (!machine_waits) {
    if (const Status free = CheckNameFree(machines, keeper_->vault(), who.name); !free)
      return Settled(free.error());
    VaultList vault = keeper_->vault();
    batch.push_back({ListId::Vault(), {GRANTFS_TRY(Next(vault, {}, IdentityAdd{who}, {}))}, {}});
  }
  const MachineApprove approve{enrolment, EndOfLife(Now(), lives != 0 ? lives : invited)};
  made.push_back(GRANTFS_TRY(Next(machines, {&keeper_->vault(), nullptr}, approve, {})));
  batch.push_back({ListId::Machines(), std::move(made), {}});
  GRANTFS_TRY(Submit(batch));
  const auto* machine = machines.FindById(who.Id());
  return machine != nullptr ? InfoOf(*machine) : InfoOf(who);
}

Result<std::vector<IdentityInfo>> OwnerSessionImpl::ListVaultOwners() {
  GRANTFS_CHECK(keeper_->RefreshVault());
  return OwnersOf(keeper_->vault());
}

Result<std::vector<IdentityInfo>> OwnerSessionImpl::ListIdentities() {
  GRANTFS_CHECK(RequireMachines());
  const VaultList& vault = keeper_->vault();
  auto all = OwnersOf(vault);
  for (const auto& statement : vault.Statements()) {
    const Statement& said = statement->statement();
    const auto* added = std::get_if<IdentityAdd>(&said.act);
    const auto* replaced = std::get_if<IdentityReplace>(&said.act);
    if ((added == nullptr && replaced == nullptr) || vault.IsVoided(said.sequence)) continue;
    const Identity& who = added != nullptr ? added->identity : replaced->identity;
    const Hash id = who.Id();
    if (vault.FindPerson(id) == nullptr || vault.IsOwner(id)) continue;
    all.push_back(InfoOf(who));
    all.back().approved = said.time;
    all.back().removed = vault.IsRemoved(id);
  }
  for (const auto& [number, machine] : keeper_->machines().machines()) all.push_back(InfoOf(machine));
  return all;
}

Result<IdentityInfo> OwnerSessionImpl::ShowIdentity(const std::string& name) {
  const auto all = GRANTFS_TRY(ListIdentities());
  const IdentityInfo* found = nullptr;
  for (const IdentityInfo& info : all) {
    if (info.name != name && info.id != name) continue;
    if (found == nullptr || found->removed) found = &info;
  }
  if (found != nullptr) return *found;
  return Error{Code::kNotFound, "there is no such identity: grantfs identity list shows those that there are",
               0, name};
}

}  // namespace grantfs

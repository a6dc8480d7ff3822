#include "grantfs/vault/vault.h"

#include "core_internal.h"
#include "grantfs/api/routes.h"
#include "load_internal.h"

namespace grantfs {
namespace {

/// For so long after an approval the invitation's key may still ask for it.
constexpr std::int64_t kSeenAfterApproval = 3600;
constexpr std::size_t kFreezesAtOnce = 1000;

}  // namespace

Vault::Vault(std::unique_ptr<Core> core) : core_(std::move(core)) {}

Vault::~Vault() = default;

Result<std::unique_ptr<Vault>> Vault::Open(Store& store, VaultOptions options) {
  StatePtr state;
  std::uint64_t change = 0;
  {
    const auto reader = GRANTFS_TRY(store.Read());
    if (!GRANTFS_TRY(reader->Server()))
      return Error{Code::kConflict, "the directory has no server's keys yet"};
    state = GRANTFS_TRY(LoadState(*reader));
    change = GRANTFS_TRY(reader->CurrentChange());
  }
  auto core = std::make_unique<Core>(store, std::move(options));
  core->ahead.Set(state);
  core->state.Set(std::move(state));
  core->hub.SetChange(change);
  GRANTFS_CHECK(core->StartAlerts());
  if (core->retention) core->retention->Poke();
  return std::unique_ptr<Vault>(new Vault(std::move(core)));
}

Hash Vault::vault_id() const {
  const StatePtr now = core_->state.Get();
  return now->claimed() ? now->vault->vault_id() : Hash{};
}

Result<Vault::Figures> Vault::CurrentFigures() const {
  Figures figures;
  const auto reader = GRANTFS_TRY(core_->store.Read());
  figures.audit_records = GRANTFS_TRY(reader->AuditSize());
  std::optional<FrozenObject> after;
  for (;;) {
    const auto page = GRANTFS_TRY(reader->ListFreezes(after ? &*after : nullptr, kFreezesAtOnce));
    for (const StoredFreeze& freeze : page)
      ++(freeze.object.IsMachine() ? figures.frozen_machines : figures.frozen_environments);
    if (page.size() < kFreezesAtOnce) break;
    after = page.back().object;
  }
  figures.watches = core_->hub.Count();
  figures.failed_authentications = core_->failed_authentications.load(std::memory_order_relaxed);
  figures.store = core_->store.Figures();
  figures.nearly_full = core_->store.IsNearlyFull();
  return figures;
}

void Vault::NoteFailedAuthentication(const std::string& remote) {
  core_->failed_authentications.fetch_add(1, std::memory_order_relaxed);
  core_->counts.Add("auth.failed", "", "", remote, core_->Now());
}

namespace {

Vault::Key StandingKey(const VaultState& now, const MachinesList::StandingEntry& entry, std::int64_t time) {
  Vault::Key key;
  key.verify = entry.invitation.sign;
  key.caller.kind = VaultCaller::Kind::kInvite;
  key.caller.key = entry.invitation.id;
  key.caller.name = entry.invitation.pattern;
  key.caller.identity_kind = IdentityKind::kMachine;
  key.gone = !entry.IsOpen(*now.vault) || entry.invitation.expires <= time;
  return key;
}

std::optional<Vault::Key> InviteKey(const Vault::Core& core, const std::string& id) {
  const StatePtr now = core.state.Get();
  const auto& standing = now->machines->standing();
  if (const auto at = standing.find(id); at != standing.end())
    return StandingKey(*now, at->second, core.Now());
  const auto& invitations = now->machines->invitations();
  const auto found = invitations.find(id);
  if (found == invitations.end()) return std::nullopt;
  const MachinesList::InvitationEntry& entry = found->second;
  Vault::Key key;
  key.verify = entry.invitation.sign;
  key.caller.kind = VaultCaller::Kind::kInvite;
  key.caller.key = id;
  key.caller.name = entry.invitation.name;
  key.caller.identity_kind = entry.invitation.kind;
  const auto reader = core.store.Read();
  if (!reader) return std::nullopt;
  const auto enrolment = (*reader)->FindEnrolment(id);
  if (!enrolment) return std::nullopt;
  switch (entry.state) {
    case MachinesList::InvitationState::kOpen:  // who came in time may wait for his approval
      key.gone = entry.invitation.expires <= core.Now() && !*enrolment;
      break;
    case MachinesList::InvitationState::kUsed:
      key.gone = !*enrolment || (*enrolment)->state != EnrolmentState::kApproved ||
                 (*enrolment)->changed + kSeenAfterApproval <= core.Now();
      break;
    case MachinesList::InvitationState::kWithdrawn:
      key.gone = true;
      break;
  }
  return key;
}

std::optional<Vault::Key> IdentityKey(const Vault::Core& core, std::string_view keyid) {
  const auto id = Hash::FromHex(keyid);
  if (!id) return std::nullopt;
  const StatePtr now = core.state.Get();
  const auto found = now->FindPrincipal(*id, core.Now());
  if (!found) return std::nullopt;
  Vault::Key key;
  key.verify = found->identity->sign;
  key.caller.id = *id;
  key.caller.identity_kind = found->identity->kind;
  key.caller.name = found->identity->name;
  key.caller.machine = found->machine;
  return key;
}

}  // namespace

std::optional<Vault::Key> Vault::FindKey(std::string_view keyid) const {
  if (keyid.starts_with(api::kInviteKeyPrefix))
    return InviteKey(*core_, std::string(keyid.substr(api::kInviteKeyPrefix.size())));
  if (!keyid.starts_with(api::kClaimKeyPrefix)) return IdentityKey(*core_, keyid);
  const std::lock_guard lock(core_->claim_mutex);
  const bool known = core_->claim && core_->claim->caller.key == keyid.substr(api::kClaimKeyPrefix.size());
  return known ? core_->claim : std::nullopt;
}

}  // namespace grantfs

#include "append_plan_internal.h"
#include "grantfs/api/problem.h"
#include "grantfs/net/tls_identity.h"

namespace grantfs {
namespace {

Error Gone() { return {Code::kExpired, api::kWhereGone}; }

api::AppendRequest AsAppend(const api::ClaimRequest& request) {
  return {{{ListId::Vault(), request.vault}, {ListId::Machines(), request.machines}}};
}

/// That the genesis names this server's own key and log: who takes over a claim cannot bind it to others.
Status CheckGenesis(const VaultList& vault, const api::ClaimInfo& own) {
  const bool pinned = !vault.pins().empty() && vault.pins().front() == own.pin;
  if (pinned && vault.log_origin() == own.log_origin && vault.log_key() == own.log_key) return {};
  return Error{Code::kInvalid, "the vault's first statement does not name this server's keys"};
}

Result<api::ClaimInfo> OwnInfo(StoreReader& reader) {
  const auto server = GRANTFS_TRY(reader.Server());
  if (!server) return Error{Code::kConflict, "the directory has no server's keys yet"};
  const SigningKey log = GRANTFS_TRY(SigningKey::FromSeed(server->log_seed));
  return api::ClaimInfo{GRANTFS_TRY(PinOf(server->tls_certificate)), server->log_origin, log.verify_key(),
                        server->name};
}

}  // namespace

Result<InviteSecret> Vault::MakeClaim() {
  if (core_->state.Get()->claimed()) return Error{Code::kConflict, "the vault was claimed already"};
  InviteSecret secret = GRANTFS_TRY(InviteSecret::Generate());
  const StoredClaim stored{secret.id(), secret.signing_key().verify_key(), secret.unseal_key().seal_key()};
  GRANTFS_CHECK(core_->store.WriteAndWait([&](StoreWriter& writer) { return writer.PutClaim(stored); }));
  Key key;
  key.verify = stored.verify;
  key.caller.kind = VaultCaller::Kind::kClaim;
  key.caller.key = stored.id;
  const std::lock_guard lock(core_->claim_mutex);
  core_->claim = std::move(key);
  return secret;
}

void Vault::OnClaimed(std::function<void()> claimed) {
  const std::lock_guard lock(core_->claim_mutex);
  core_->claimed = std::move(claimed);
}

Result<api::ClaimInfo> Vault::ShowClaim(const VaultCaller& caller) const {
  if (caller.kind != VaultCaller::Kind::kClaim) return NotVisible();
  if (core_->state.Get()->claimed()) return Gone();
  const auto reader = GRANTFS_TRY(core_->store.Read());
  return OwnInfo(*reader);
}

namespace {

/// Makes the vault, on the thread of the appends, so that two claims cannot both succeed.
Result<api::ClaimResponse> Claim(Vault::Core& core, const VaultCaller& caller,
                                 const api::ClaimRequest& request) {
  const StatePtr before = core.state.Get();
  if (before->claimed()) return Gone();
  auto plan = std::make_shared<AppendPlan>(core, before);
  {
    const auto reader = GRANTFS_TRY(core.store.Read());
    GRANTFS_CHECK(plan->Prepare(*reader, AsAppend(request), nullptr));
    const api::ClaimInfo own = GRANTFS_TRY(OwnInfo(*reader));
    GRANTFS_CHECK(CheckGenesis(*plan->after()->vault, own));
  }
  const Hash id = plan->after()->vault->vault_id();
  const Store::Job write = [&core, &caller, plan, id](StoreWriter& writer) -> Status {
    GRANTFS_CHECK(writer.RemoveClaim());
    GRANTFS_CHECK(writer.SetVaultId(id));
    LaterWork none;
    GRANTFS_TRY(WritePlan(writer, *plan, caller, core.clock(), nullptr, &none));
    return {};
  };
  GRANTFS_CHECK(core.store.WriteAndWait(write));
  core.ahead.Set(plan->after());
  core.state.Set(plan->after());
  return api::ClaimResponse{id};
}

void FinishClaim(Vault::Core& core) {
  std::function<void()> claimed;
  {
    const std::lock_guard lock(core.claim_mutex);
    if (core.claim) core.claim->gone = true;
    claimed = std::move(core.claimed);
  }
  if (claimed) claimed();
}

}  // namespace

void Vault::UseClaim(const VaultCaller& caller, const api::ClaimRequest& request,
                     Done<api::ClaimResponse> done) {
  if (caller.kind != VaultCaller::Kind::kClaim) return done(NotVisible());
  auto shared = std::make_shared<Done<api::ClaimResponse>>(std::move(done));
  const bool queued = core_->appends.Add([this, caller, request, shared](bool cancelled) {
    if (cancelled) return (*shared)(Error{Code::kUnreachable, "the vault is stopping"});
    auto made = Claim(*core_, caller, request);
    if (made) FinishClaim(*core_);
    (*shared)(std::move(made));
  });
  if (!queued) (*shared)(Error{Code::kThrottled, "too many appends wait: try again"});
}

}  // namespace grantfs

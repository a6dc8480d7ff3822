#include "direct_vault.h"

#include "grantfs/api/routes.h"
#include "grantfs/net/tls_identity.h"

namespace grantfs::testing {

void BreakableStore::Break(std::optional<Error> error) {
  const std::lock_guard lock(mutex_);
  broken_ = std::move(error);
}

void BreakableStore::Overtake(Job job) {
  const std::lock_guard lock(mutex_);
  before_ = std::move(job);
}

void BreakableStore::Write(Job job, Done done) {
  std::optional<Error> broken;
  Job before;
  {
    const std::lock_guard lock(mutex_);
    broken = broken_;
    before.swap(before_);
  }
  if (before) Must(store_->WriteAndWait(before));
  if (!broken) return store_->Write(std::move(job), std::move(done));
  store_->Write(
      [job = std::move(job), broken](StoreWriter& writer) -> Status {
        GRANTFS_CHECK(job(writer));
        return *broken;
      },
      std::move(done));
}

DirectVault::DirectVault(std::uint32_t usual_rate) : usual_rate_(usual_rate) {
  Must(Reopen());
  claim_ = Must(vault_->MakeClaim());
}

std::string DirectVault::database_path() const { return dir_.path() + "/data/" + kDatabaseFile; }

void DirectVault::Close() {
  vault_.reset();
  store_.reset();
}

Status DirectVault::Reopen() {
  Close();
  StoreOptions options;
  options.directory = dir_.path() + "/data";
  store_ = std::make_unique<BreakableStore>(GRANTFS_TRY(OpenEmbeddedStore(options)));
  if (!Must(Must(store_->Read())->Server())) {
    TlsIdentity tls = Must(MakeTlsIdentity("vault.test"));
    ServerState state{"vault.test", tls.certificate_pem, std::move(tls.private_key_pem), "vault.test/log",
                      Must(RandomKey())};
    Must(store_->WriteAndWait([&](StoreWriter& writer) { return writer.PutServer(state); }));
  }
  VaultOptions vault;
  vault.clock = &clock_;
  vault.usual_rate = usual_rate_;
  vault.keep_audit = keep_audit;
  vault.append_turn = append_turn;
  vault.cached_statements = cached_statements;
  vault_ = GRANTFS_TRY(Vault::Open(*store_, vault));
  return {};
}

VaultCaller DirectVault::Caller(const PrivateIdentity& who) const {
  const auto key = vault_->FindKey(who.Id().Hex());
  if (key) return key->caller;
  VaultCaller stranger;  // as one who was known when he was authenticated
  stranger.id = who.Id();
  stranger.identity_kind = who.identity().kind;
  return stranger;
}

VaultCaller DirectVault::Caller(const InviteSecret& invite) const {
  return vault_->FindKey(std::string(api::kInviteKeyPrefix) + invite.id())->caller;
}

Result<api::ClaimInfo> DirectVault::ShowClaim() {
  const auto key = vault_->FindKey(std::string(api::kClaimKeyPrefix) + claim_->id());
  return vault_->ShowClaim(key->caller);
}

Result<api::ClaimResponse> DirectVault::Claim(const api::ClaimRequest& request) {
  const auto key = vault_->FindKey(std::string(api::kClaimKeyPrefix) + claim_->id());
  return Wait<api::ClaimResponse>([&](auto done) { vault_->UseClaim(key->caller, request, done); });
}

Result<api::AppendResponse> DirectVault::Append(const PrivateIdentity& who,
                                                const api::AppendRequest& request) {
  return Wait<api::AppendResponse>([&](auto done) { vault_->Append(Caller(who), request, done); });
}

Result<api::ReserveResponse> DirectVault::Reserve(const PrivateIdentity& who,
                                                  const api::ReserveRequest& request) {
  return Wait<api::ReserveResponse>([&](auto done) { vault_->ReserveSecrets(Caller(who), request, done); });
}

namespace {

Status Plain(const Result<api::Nothing>& answer) { return answer ? Status() : Status(answer.error()); }

}  // namespace

Status DirectVault::Stage(const PrivateIdentity& who, const api::StageCiphertextRequest& request) {
  return Plain(Wait<api::Nothing>([&](auto done) { vault_->StageCiphertext(Caller(who), request, done); }));
}

Status DirectVault::Stage(const PrivateIdentity& who, const api::StageCopiesRequest& request) {
  return Plain(Wait<api::Nothing>([&](auto done) { vault_->StageCopies(Caller(who), request, done); }));
}

Status DirectVault::Stage(const PrivateIdentity& who, const api::StageEpochRequest& request) {
  return Plain(Wait<api::Nothing>([&](auto done) { vault_->StageEpoch(Caller(who), request, done); }));
}

Result<api::EnrolmentStateResponse> DirectVault::Enrol(const InviteSecret& invite,
                                                       const api::EnrolRequest& request) {
  return Wait<api::EnrolmentStateResponse>([&](auto done) { vault_->Enrol(Caller(invite), request, done); });
}

Result<api::JoinResponse> DirectVault::Join(const InviteSecret& invite, const api::JoinRequest& request) {
  return Wait<api::JoinResponse>([&](auto done) { vault_->Join(Caller(invite), request, done); });
}

Result<api::ReadResponse> DirectVault::Read(const PrivateIdentity& machine, std::uint64_t secret,
                                            const std::string& open, std::uint32_t version, bool grace) {
  api::ReadRequest request;
  request.secret = secret;
  request.version = version;
  request.grace = grace;
  request.open = open;
  request.caller = {4711, 33, 33, "/usr/sbin/nginx", "/system.slice/nginx.service"};
  VaultCaller caller = Caller(machine);
  caller.remote = "192.0.2.7";
  caller.signature_base = "what was signed";
  return Wait<api::ReadResponse>([&](auto done) { vault_->MachineRead(caller, request, done); });
}

std::vector<AuditEntry> DirectVault::Audit(const std::string& type) {
  std::vector<AuditEntry> found;
  for (AuditEntry& entry : Must(Must(store_->Read())->SearchAudit({.limit = 1000})).records) {
    if (AsText(entry.leaf).find(" " + type + " ") != std::string_view::npos)
      found.push_back(std::move(entry));
  }
  return found;
}

PeopledVault::PeopledVault(Role outside) {
  Must(world.AddEnvironment("shop/test"));
  const std::pair<PrivateIdentity*, Role> members[] = {{&reader, Role::kReader},
                                                       {&writer, Role::kWriter},
                                                       {&operating, Role::kOperator},
                                                       {&auditor, Role::kAuditor}};
  for (const auto& [who, role] : members) Must(world.AddMember("shop/prod", *who, role));
  Must(world.AddMember("shop/test", outsider, outside));
}

}  // namespace grantfs::testing

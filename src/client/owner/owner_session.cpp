#include "grantfs/client/owner_session.h"

#include "client/connection/problem_internal.h"
#include "grantfs/api/lists.h"
#include "grantfs/tlog/checkpoint.h"
#include "owner_internal.h"

namespace grantfs {

Result<std::unique_ptr<OwnerSession>> OwnerSession::Open(const std::string& home_directory,
                                                         ClientOptions options) {
  Home home = GRANTFS_TRY(Home::Open(home_directory));
  if (home.profile().kind == IdentityKind::kMachine) {
    return Error{Code::kInvalid,
                 "this home is a machine's, which only reads: name an owner's or agent's home with --home", 0,
                 home_directory};
  }
  PrivateIdentity identity = GRANTFS_TRY(home.LoadIdentity());
  auto session = std::make_unique<OwnerSessionImpl>(std::move(home), std::move(identity), std::move(options));
  GRANTFS_CHECK(session->Start());
  return std::unique_ptr<OwnerSession>(std::move(session));
}

WhoAmIInfo OwnerSessionImpl::WhoAmI() const {
  const HomeProfile& profile = home_.profile();
  return {profile.name,        profile.kind,           me_.Id().Hex(),   me_.identity().Fingerprint(),
          profile.vault.Hex(), profile.address.Text(), home_.directory()};
}

Result<VaultStatusInfo> OwnerSessionImpl::VaultStatus() {
  const std::string remembered = GRANTFS_TRY(known_->ReadPeer()).checkpoint;
  const auto said = GRANTFS_TRY(vault_->Get<api::StatusResponse>(api::kStatus));
  GRANTFS_CHECK(keeper_->RefreshVault());
  VaultStatusInfo info;
  info.vault = said.vault.Hex();
  info.name = said.name;
  info.version = said.version;
  info.time = said.time;
  info.level = said.level;
  info.vault_sequence = keeper_->vault().head()->sequence;
  info.vault_owner = keeper_->vault().IsOwner(me_.Id());
  if (!said.checkpoint.empty()) {
    const auto checkpoint =
        OpenCheckpoint(said.checkpoint, keeper_->vault().log_key(), keeper_->vault().log_origin());
    if (!checkpoint) {
      return About(checkpoint.error(), "the audit log's checkpoint of " + home_.profile().address.Text());
    }
    info.log_size = checkpoint->size;
    const auto compared = CompareLog({remembered, said.checkpoint});
    if (!compared && compared.error().code == Code::kIntegrity) info.log_problem = Describe(compared.error());
    if (!compared && compared.error().code != Code::kIntegrity) return compared.error();
  }
  for (const auto& environment : GRANTFS_TRY(EnvironmentsWith(Operation::kManageMembers))) {
    GRANTFS_CHECK(CheckOwed(environment, info.owed));
    GRANTFS_CHECK(AddOpenRequests(environment, info));
  }
  info.frozen = GRANTFS_TRY(ListFreezes());
  return info;
}

}  // namespace grantfs

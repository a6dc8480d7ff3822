#include "client/connection/problem_internal.h"
#include "client/homes/connect_internal.h"
#include "client/homes/home_profile_internal.h"
#include "grantfs/api/lists.h"
#include "grantfs/client/home.h"
#include "grantfs/client/join.h"
#include "grantfs/client/known_store.h"
#include "grantfs/client/list_keeper.h"
#include "grantfs/client/recovery_code.h"
#include "grantfs/trust/lists.h"
#include "grantfs/trust/names.h"

namespace grantfs {
namespace {

Result<std::unique_ptr<VaultConnection>> ConnectByClaim(const InviteLine& claim,
                                                        const ClientOptions& options) {
  ConnectionOptions connection;
  connection.address = GRANTFS_TRY(ParseAddress(claim.address));
  connection.pins = {claim.pin};
  connection.deadline = options.deadline;
  connection.clock = options.clock;
  return VaultConnection::Create(std::move(connection), std::string(api::kClaimKeyPrefix) + claim.secret.id(),
                                 &claim.secret.signing_key());
}

struct Genesis {
  SignedList::StatementPtr vault;
  SignedList::StatementPtr machines;
};

Result<SignedList::StatementPtr> SignFirst(SignedList& list, const UpperLists& upper, Statement statement,
                                           const PrivateIdentity& owner) {
  auto made = std::make_shared<const SignedStatement>(
      GRANTFS_TRY(SignedStatement::Sign(statement, owner.signing_key())));
  GRANTFS_CHECK(list.Append(made, upper));
  return SignedList::StatementPtr(std::move(made));
}

Result<Genesis> MakeGenesis(const api::ClaimInfo& server, const PrivateIdentity& owner,
                            const Identity& recovery, std::int64_t now) {
  Genesis genesis;
  VaultList vault;
  Statement first;
  first.list = ListId::Vault();
  first.signer = owner.Id();
  first.time = now;
  first.act = VaultCreate{owner.identity(), recovery, {server.pin}, server.log_origin, server.log_key,
                          kFormatLevel};
  genesis.vault = GRANTFS_TRY(SignFirst(vault, {}, first, owner));
  MachinesList machines;
  Statement second;
  second.vault = vault.vault_id();
  second.list = ListId::Machines();
  second.signer = owner.Id();
  second.time = now;
  second.heads.vault = vault.head();
  second.act = MachinesCreate{};
  genesis.machines = GRANTFS_TRY(SignFirst(machines, {&vault, nullptr}, second, owner));
  return genesis;
}

InitResult ResultOf(const Home& home, const PrivateIdentity& owner) {
  InitResult result;
  result.vault = home.profile().vault;
  result.address = home.profile().address.Text();
  result.name = home.profile().name;
  result.fingerprint = owner.identity().Fingerprint();
  return result;
}

// Whether the vault that an interrupted init meant to make is there: it accepts the owner's key and shows its
// genesis.
Status CheckClaimed(const Home& home, const PrivateIdentity& owner, const ClientOptions& options) {
  const HomeProfile& profile = home.profile();
  const auto vault = GRANTFS_TRY(
      VaultConnection::Create(ConnectionTo(profile, options), owner.Id().Hex(), &owner.signing_key()));
  const auto known = GRANTFS_TRY(KnownStore::Open(home.KnownPath(), KnownStore::Missing::kRefuse));
  ListKeeper keeper(known.get(), vault.get(), profile.vault);
  return keeper.RefreshVault();
}

/// What an interrupted call left: finished, taken away (nothing), or in the way (an error).
Result<std::optional<InitResult>> Resume(const std::string& directory, const ClientOptions& options) {
  if (!Home::Exists(directory)) return std::optional<InitResult>();
  Home home = GRANTFS_TRY(Home::OpenAny(directory));
  if (home.profile().state != HomeProfile::State::kClaiming) return HomeInUse(directory);
  const PrivateIdentity owner = GRANTFS_TRY(home.LoadIdentity());
  const Status claimed = CheckClaimed(home, owner, options);
  if (claimed) {
    InitResult result = ResultOf(home, owner);
    const auto recovery = home.LoadRecoverySeed();
    if (recovery) result.recovery_code = GRANTFS_TRY(EncodeRecoveryCode(*recovery));
    GRANTFS_CHECK(home.MarkReady());
    return std::optional<InitResult>(std::move(result));
  }
  if (claimed.error().code != Code::kUnauthentic) return claimed.error();
  GRANTFS_CHECK(home.Discard());
  return std::optional<InitResult>();
}

Status Claim(VaultConnection& vault, const Genesis& genesis) {
  api::ClaimRequest request;
  request.vault = {genesis.vault->envelope()};
  request.machines = {genesis.machines->envelope()};
  // Asked once: where the answer was lost, a second question would only hear that the claim is used, and the
  // keys that the vault was made with would be thrown away.
  const auto made = GRANTFS_TRY(vault.Ask<api::ClaimResponse>(api::kClaimUse, request, {.again = false}));
  if (made.vault == genesis.vault->hash()) return {};
  return Error{Code::kIntegrity, "the server made another vault than the one it was asked for", 0,
               vault.address().Text()};
}

}  // namespace

Result<InitResult> InitVault(const std::string& home_directory, const SecretMemory& claim_line,
                             const std::string& owner_name, const ClientOptions& options) {
  GRANTFS_CHECK(CheckIdentityName(owner_name));
  const InviteLine claim = GRANTFS_TRY(DecodeInviteLine(claim_line, true));
  auto resumed = GRANTFS_TRY(Resume(home_directory, options));
  if (resumed) return std::move(*resumed);
  const auto connection = GRANTFS_TRY(ConnectByClaim(claim, options));
  const auto server = GRANTFS_TRY(connection->Get<api::ClaimInfo>(api::kClaimShow));
  if (server.pin != claim.pin) {
    return Error{Code::kIntegrity, "the server names another key than the one that it shows", 0,
                 claim.address};
  }
  const auto seed = GRANTFS_TRY(RandomKey());
  const auto recovery_seed = GRANTFS_TRY(RandomKey());
  const auto owner = GRANTFS_TRY(PrivateIdentity::FromSeed(seed, IdentityKind::kUser, owner_name));
  const auto recovery =
      GRANTFS_TRY(PrivateIdentity::FromSeed(recovery_seed, IdentityKind::kUser, kRecoveryName));
  const auto genesis =
      GRANTFS_TRY(MakeGenesis(server, owner, recovery.identity(), options.clock->WallSeconds()));
  HomeProfile profile;
  profile.state = HomeProfile::State::kClaiming;
  profile.kind = IdentityKind::kUser;
  profile.name = owner_name;
  profile.vault = genesis.vault->hash();
  profile.address = connection->address();
  profile.pins = {claim.pin};
  Home home = GRANTFS_TRY(Home::Create(home_directory, profile, seed, nullptr, &recovery_seed));
  if (auto made = Claim(*connection, genesis); !made) {
    // Where the answer was lost, the vault may be made: the home stays, and the next call finds out.
    if (made.error().code != Code::kUnreachable) GRANTFS_CHECK(home.Discard());
    return made.error();
  }
  const auto known = GRANTFS_TRY(KnownStore::Open(home.KnownPath(), KnownStore::Missing::kRefuse));
  GRANTFS_CHECK(known->Remember(
      {{ListId::Vault(), {genesis.vault}, {}}, {ListId::Machines(), {genesis.machines}, {}}}));
  GRANTFS_CHECK(home.MarkReady());
  InitResult result = ResultOf(home, owner);
  result.recovery_code = GRANTFS_TRY(EncodeRecoveryCode(recovery_seed));
  return result;
}

}  // namespace grantfs

#include <algorithm>

#include "client/connection/problem_internal.h"
#include "client/homes/connect_internal.h"
#include "grantfs/client/list_keeper.h"
#include "grantfs/client/tls.h"

namespace grantfs {
namespace {

const std::vector<Hash>* PinsOf(const Act& act) {
  if (const auto* made = std::get_if<VaultCreate>(&act)) return &made->pins;
  if (const auto* set = std::get_if<PinsSet>(&act)) return &set->pins;
  return nullptr;
}

}  // namespace

std::int64_t PinSince(const VaultList& vault, const Hash& pin) {
  std::int64_t since = 0;
  for (const auto& one : vault.Statements()) {  // its sequences have gaps where a backup was accepted
    const Statement& said = one->statement();
    if (vault.IsVoided(said.sequence)) continue;
    const std::vector<Hash>* pins = PinsOf(said.act);
    if (pins == nullptr) continue;
    const bool named = std::find(pins->begin(), pins->end(), pin) != pins->end();
    since = !named ? 0 : since != 0 ? since : said.time;
  }
  return since;
}

Result<std::vector<Hash>> TrustKey(const std::string& home_directory, const Hash& pin,
                                   const ClientOptions& options) {
  Home home = GRANTFS_TRY(Home::Open(home_directory));
  const PrivateIdentity me = GRANTFS_TRY(home.LoadIdentity());
  const auto known = GRANTFS_TRY(KnownStore::Open(home.KnownPath(), KnownStore::Missing::kRefuse));
  GRANTFS_CHECK(home.CheckWritable());
  ConnectionOptions connection = ConnectionTo(home.profile(), options, GRANTFS_TRY(known->ReadPeer()));
  connection.pins = {pin};
  const auto vault =
      GRANTFS_TRY(VaultConnection::Create(std::move(connection), me.Id().Hex(), &me.signing_key()));
  ListKeeper keeper(known.get(), vault.get(), home.profile().vault);
  GRANTFS_CHECK(keeper.Load());
  GRANTFS_CHECK(keeper.RefreshVault());
  if (PinSince(keeper.vault(), pin) != 0) return keeper.vault().pins();
  return Error{
      Code::kIntegrity,
      "the server shows this key, and the vault's list does not name it: nothing was changed, and no "
      "command uses it; ask an owner of the vault",
      0, pin.Hex()};
}

}  // namespace grantfs

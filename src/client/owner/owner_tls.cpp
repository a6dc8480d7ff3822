#include <algorithm>

#include "grantfs/api/machine.h"
#include "grantfs/api/tls.h"
#include "grantfs/client/tls.h"
#include "owner_internal.h"

// The server's TLS key is replaced in two acts, so that nobody loses it: the list names the next key beside
// the current one until every client has learnt it; then the server shows it, and the list lets go of the one
// before.

namespace grantfs {
namespace {

Error NotListed(const Hash& shown) {
  return {Code::kIntegrity,
          "the server shows a key that is not the current one of the vault's list: it was restored from a "
          "backup, or switched by half; nothing was signed, see grantfs tls show",
          0, shown.Hex()};
}

}  // namespace

Result<TlsKeys> OwnerSessionImpl::ShowTlsKeys() {
  GRANTFS_CHECK(RequireVaultOwner());
  const auto server = GRANTFS_TRY(vault_->Ask<api::TlsResponse>(api::kTlsShow, api::Nothing{}));
  TlsKeys keys;
  for (const Hash& pin : keeper_->vault().pins())
    keys.listed.push_back({pin, PinSince(keeper_->vault(), pin)});
  keys.shown = server.current;
  keys.next = server.next;
  keys.made = server.made;
  return keys;
}

Result<TlsKeys> OwnerSessionImpl::MakeTlsKey() {
  GRANTFS_CHECK(RequireVaultOwner());
  GRANTFS_TRY(vault_->Ask<api::TlsResponse>(api::kTlsNext, api::TlsNextRequest{true}));
  return ShowTlsKeys();
}

Result<TlsKeys> OwnerSessionImpl::AnnounceTlsKey(const std::optional<Hash>& expected,
                                                 const std::string& reason) {
  GRANTFS_CHECK(RequireVaultOwner());
  const auto server = GRANTFS_TRY(vault_->Ask<api::TlsResponse>(api::kTlsNext, api::TlsNextRequest{false}));
  if (server.next && expected && server.next != expected)
    return Error{
        Code::kIntegrity,
        "the server tells of another next key than the one given: nothing was signed. If grantfs tls "
        "pin on the vault's host prints the one given, somebody is in between",
        0, server.next->Hex()};
  const Status announced = Retry([&]() -> Status {
    GRANTFS_CHECK(RequireVaultOwner());
    VaultList vault = keeper_->vault();
    if (vault.pins().front() != server.current || !server.next) return Settled(NotListed(server.current));
    const std::vector<Hash> pins = {server.current, *server.next};
    if (vault.pins() == pins) return {};
    const auto made = GRANTFS_TRY(Next(vault, {}, PinsSet{pins}, reason));
    GRANTFS_TRY(Submit({{ListId::Vault(), {made}, {}}}));
    return {};
  });
  GRANTFS_CHECK(announced);
  return ShowTlsKeys();
}

// A mount that is heard after the next key was announced has followed that too, or is about to.
Result<std::vector<std::string>> OwnerSessionImpl::NotHeardSince(std::int64_t time) {
  GRANTFS_CHECK(keeper_->RefreshMachines());
  std::vector<std::string> behind;
  std::uint64_t looked = 0;
  const auto& machines = keeper_->machines().machines();
  for (const auto& [number, machine] : machines) {
    Report("asking for machines", ++looked, machines.size());
    if (machine.removed) continue;
    const auto seen = GRANTFS_TRY(vault_->Ask<api::PresenceResponse>(
        api::kPresence, api::PresenceRequest{machine.identity.Id(), 0, 0}));
    if (!seen.online && seen.last_seen < time) behind.push_back(machine.identity.name);
  }
  return behind;
}

Status OwnerSessionImpl::CheckAllHeard(const Hash& next) {
  const auto behind = GRANTFS_TRY(NotHeardSince(PinSince(keeper_->vault(), next)));
  if (behind.empty()) return {};
  std::string names = behind.front();
  for (std::size_t i = 1; i < behind.size() && i < 5; ++i) names += ", " + behind[i];
  if (behind.size() > 5) names += " and " + std::to_string(behind.size() - 5) + " more";
  return Error{Code::kConflict,
               "has not been heard since the next key was announced, and would not know the server any more "
               "(grantfs tls trust there mends that); start its mount and try again, or switch with --force",
               0, names};
}

Result<TlsKeys> OwnerSessionImpl::SwitchTlsKey(bool force, const std::string& reason) {
  const TlsKeys keys = GRANTFS_TRY(ShowTlsKeys());
  if (keys.listed.size() < 2)
    return Error{Code::kConflict, "no next key was announced: run grantfs tls next first", 0,
                 keys.listed.front().pin.Hex()};
  const Hash next = keys.listed[1].pin;
  if (keys.shown != next) {  // else the answer was lost the last time
    if (keys.shown != keys.listed[0].pin) return NotListed(keys.shown);
    if (!force) GRANTFS_CHECK(CheckAllHeard(next));
    GRANTFS_TRY(vault_->Ask<api::TlsResponse>(api::kTlsSwitch, api::TlsSwitchRequest{next}));
  }
  const Status dropped = Retry([&]() -> Status {
    GRANTFS_CHECK(RequireVaultOwner());
    VaultList vault = keeper_->vault();
    const std::vector<Hash> pins = {next};
    if (vault.pins() == pins) return {};
    const auto made = GRANTFS_TRY(Next(vault, {}, PinsSet{pins}, reason));
    GRANTFS_TRY(Submit({{ListId::Vault(), {made}, {}}}));
    return {};
  });
  GRANTFS_CHECK(dropped);
  return ShowTlsKeys();
}

}  // namespace grantfs

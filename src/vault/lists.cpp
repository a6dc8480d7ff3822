#include <algorithm>

#include "core_internal.h"

namespace grantfs {
namespace {

Status MayReadEnvironment(const VaultState& now, StoreReader& reader, const VaultCaller& caller,
                          const std::string& environment) {
  if (now.FindEnvironment(environment) == nullptr) return NotVisible(environment);
  const bool may =
      caller.IsMachine()
          ? GRANTFS_TRY(reader.HasGrantIn(environment, GranteeKind::kMachine, caller.machine))
          : now.IsVaultOwner(caller.id) || now.IsRecovery(caller.id) || now.RoleOf(caller.id, environment);
  return may ? Status() : Status(NotVisible(environment));
}

Status MayReadMachines(const VaultState& now, const VaultCaller& caller) {
  if (now.IsVaultOwner(caller.id) || now.IsRecovery(caller.id)) return {};
  // Who grants has to know the machines' real keys.
  for (const auto& [name, list] : now.environments) {
    const auto role = now.RoleOf(caller.id, name);
    if (caller.IsPerson() && role && RoleAllows(*role, Operation::kGrant)) return {};
  }
  return caller.IsPerson() ? RoleMissing("machines") : NotVisible("machines");
}

Status MayRead(const Vault::Core& core, const VaultState& now, StoreReader& reader, const VaultCaller& caller,
               const ListId& list) {
  if (list.kind == ListKind::kVault) return {};
  if (caller.kind != VaultCaller::Kind::kIdentity) return NotVisible(list.Text());
  switch (list.kind) {
    case ListKind::kVault:
      return {};
    case ListKind::kMachines:
      return MayReadMachines(now, caller);
    case ListKind::kEnvironment:
      return MayReadEnvironment(now, reader, caller, list.environment);
    case ListKind::kSecret:
      GRANTFS_TRY(core.SecretFor(now, reader, caller, list.number, Operation::kList));
      return {};
    case ListKind::kGroup:  // who is in a group is its environment's owners' to know
      if (now.FindEnvironment(list.environment) == nullptr || !now.groups.contains({list.environment, list.number}))
        return NotVisible(list.Text());
      return now.CheckMember(caller, list.environment, Operation::kManageMembers);
  }
  std::abort();
}

}  // namespace

Result<api::ListReadResponse> Vault::ReadList(const VaultCaller& caller,
                                              const api::ListReadRequest& request) const {
  const StatePtr now = core_->state.Get();
  const auto reader = GRANTFS_TRY(core_->store.Read());
  GRANTFS_CHECK(MayRead(*core_, *now, *reader, caller, request.list));
  api::ListReadResponse response;
  response.list = request.list;
  const std::string name = request.list.Text();
  response.head = GRANTFS_TRY(reader->FindHead(name));
  auto statements =
      GRANTFS_TRY(reader->ReadStatements(name, request.from, request.limit, api::kStatementBytes));
  for (StoredStatement& stored : statements) response.statements.push_back(std::move(stored.envelope));
  return response;
}

// A list that has no room beside those before it waits for the next request: what is told is whole.
Result<api::TailsResponse> Vault::ReadTails(const VaultCaller& caller,
                                            const api::TailsRequest& request) const {
  GRANTFS_CHECK(core_->state.Get()->CheckMember(caller, request.environment, Operation::kList));
  const auto reader = GRANTFS_TRY(core_->store.Read());
  api::TailsResponse response;
  std::size_t bytes = 0;
  for (const api::TailsRequest::From& one : request.secrets) {
    const auto secret = GRANTFS_TRY(reader->GetSecret(one.secret));
    const ListId id = ListId::Secret(one.secret);
    if (!secret || secret->environment != request.environment) return NotVisible(id.Text());
    api::ListReadResponse list{id, secret->head, {}};
    const std::size_t room = api::kTailsBytes - std::min(bytes, api::kTailsBytes);
    auto statements = GRANTFS_TRY(reader->ReadStatements(id.Text(), one.from, api::kMaxStatements, room));
    // A restore leaves sequences out.
    const std::uint64_t end = statements.empty() ? one.from : statements.back().head.sequence + 1;
    for (StoredStatement& stored : statements) {
      bytes += stored.envelope.size();
      list.statements.push_back(std::move(stored.envelope));
    }
    const bool whole = !secret->head || secret->head->sequence < end || one.from > secret->head->sequence;
    const bool first = response.lists.empty();
    if (!first && (!whole || bytes > api::kTailsBytes)) break;
    response.lists.push_back(std::move(list));
    if (!whole) break;
  }
  return response;
}

Result<api::StatusResponse> Vault::ShowStatus(const VaultCaller& caller) const {
  const auto reader = GRANTFS_TRY(core_->store.Read());
  const StatePtr now = core_->state.Get();
  if (caller.kind != VaultCaller::Kind::kIdentity || !now->claimed()) return NotVisible();
  api::StatusResponse status;
  status.vault = now->vault->vault_id();
  if (const auto server = GRANTFS_TRY(reader->Server())) status.name = server->name;
  status.version = core_->options.version;
  status.time = core_->Now();
  status.vault_head = *now->vault->head();
  status.level = now->vault->level();
  status.checkpoint = GRANTFS_TRY(reader->LatestCheckpoint()).value_or("");
  if (const auto asker = now->FindPrincipal(caller.id, core_->Now()))
    status.not_after = asker->identity->not_after;
  return status;
}

}  // namespace grantfs

#include <algorithm>

#include "client/log/audit_line_internal.h"
#include "grantfs/api/audit.h"
#include "owner_internal.h"

namespace grantfs {
namespace {

// By any of the roles that he has had: a later key was sealed to those who could read then.
bool CouldRead(const EnvironmentList::Member& member, const EnvironmentList& list, std::uint32_t epoch) {
  return std::any_of(member.tenures.begin(), member.tenures.end(), [&](const auto& tenure) {
    return RoleAllows(tenure.role, Operation::kReadValue) &&
           (!tenure.until || epoch <= list.EpochAt(*tenure.until - 1));
  });
}

}  // namespace

Result<OffboardResult> OwnerSessionImpl::FindLeaver(const std::string& name) {
  GRANTFS_CHECK(keeper_->RefreshVault());
  OffboardResult result;
  for (const auto& [environment, entry] : keeper_->vault().environments()) {
    const Status seen = keeper_->RefreshEnvironment(environment);
    if (seen) continue;
    if (seen.error().code != Code::kNotFound && seen.error().code != Code::kDenied) return seen.error();
    result.unseen.push_back(environment);
  }
  if (keeper_->vault().IsOwner(me_.Id())) GRANTFS_CHECK(keeper_->RefreshMachines());
  const auto who = GRANTFS_TRY(AnyoneNamed(name));
  if (!who) {
    return Error{Code::kNotFound,
                 "is no user or agent that this home knows of: grantfs identity list and grantfs member list "
                 "show who there is",
                 0, name};
  }
  if (who->kind == IdentityKind::kMachine)
    return Error{Code::kInvalid, "is a machine: grantfs identity remove ends one", 0, name};
  const Hash id = who->Id();
  if (id == me_.Id()) return Error{Code::kInvalid, "you cannot remove yourself: another owner can", 0, name};
  result.name = who->name;
  result.kind = who->kind;
  result.id = id.Hex();
  result.fingerprint = who->Fingerprint();
  result.vault_owner = keeper_->vault().IsOwner(id);
  result.removed_from_vault = keeper_->vault().IsRemoved(id);
  for (const auto& [environment, entry] : keeper_->vault().environments()) {
    const EnvironmentList* list = keeper_->FindEnvironment(environment);
    const bool hidden =
        std::find(result.unseen.begin(), result.unseen.end(), environment) != result.unseen.end();
    if (list == nullptr || hidden) continue;
    const auto member = list->members().find(id);
    if (member == list->members().end()) continue;
    result.memberships.push_back({environment, member->second.role, member->second.prefix,
                                  list->RoleOf(me_.Id()) == Role::kOwner, member->second.present});
  }
  return result;
}

// The vault first, which ends what the key can do anywhere at once.
void OwnerSessionImpl::EndLeaver(const Hash& id, const std::string& reason, OffboardResult& result) {
  if (keeper_->vault().IsOwner(me_.Id())) {
    auto removed = RemoveIdentity(id.Hex(), reason);
    if (!removed) {
      result.problems.push_back(Describe(removed.error()));
    } else {
      for (std::string& problem : removed->problems) result.problems.push_back(std::move(problem));
    }
  } else {
    for (const LeaverMembership& one : result.memberships) {
      if (!one.mine || !one.present) continue;
      const Status removed = RemoveMember(one.environment, id.Hex(), reason);
      if (!removed) result.problems.push_back(Describe(removed.error()));
    }
  }
  for (LeaverMembership& one : result.memberships) {
    if (!one.mine) continue;
    if (const Status read = RefreshUpper(one.environment); !read)
      result.problems.push_back(Describe(read.error()));
    one.present = keeper_->FindEnvironment(one.environment)->RoleOf(id).has_value();
  }
}

Status OwnerSessionImpl::AddDue(const Hash& id, const std::string& environment, OffboardResult& result) {
  std::map<std::string, std::int64_t> reads;
  api::AuditSearchRequest request;
  request.environment = environment;
  request.actor = id.Hex();
  const Status asked = EachFound(std::move(request), 0, [&](const AuditEntry& entry) {
    const AuditLine line = LineOf(entry);
    if (IsRead(line)) reads[line.object] = std::max(reads[line.object], line.time);
  });
  result.reads_known = result.reads_known && asked;
  const auto names = GRANTFS_TRY(ListNames(environment, {}));
  GRANTFS_CHECK(TraceAll(environment, names, result.problems));
  const EnvironmentList& members = *keeper_->FindEnvironment(environment);
  for (const Listed& listed : names) {
    const auto trace = traces_.seen.find(listed.number);
    if (trace == traces_.seen.end() || trace->second.version == 0) continue;
    const bool set = trace->second.setter == id;
    if (!set && !CouldRead(members.members().at(id), members, trace->second.epoch)) continue;
    const auto read = reads.find(listed.name.Full());
    result.due.push_back({listed.name, trace->second.version, set, read == reads.end() ? 0 : read->second});
  }
  return {};
}

// What was verified on the way to here is not verified twice.
Status OwnerSessionImpl::TraceAll(const std::string& environment, const std::vector<Listed>& secrets,
                                  std::vector<std::string>& problems) {
  std::vector<Listed> unseen;
  for (const Listed& one : secrets) {
    const auto trace = traces_.seen.find(one.number);
    if (trace != traces_.seen.end() && trace->second.head == one.head) continue;
    traces_.seen.erase(one.number);
    unseen.push_back(one);
  }
  std::size_t done = secrets.size() - unseen.size();
  return keeper_->RefreshSecrets(environment, unseen,
                                 [&](const Listed& one, Result<SecretList> list) -> Status {
                                   Report("looking", ++done, secrets.size());
                                   if (list)
                                     traces_.seen[one.number] = TraceOf(*list);
                                   else
                                     problems.push_back(Describe(list.error()));
                                   return {};
                                 });
}

Result<OffboardResult> OwnerSessionImpl::Offboard(const std::string& name, const std::string& reason,
                                                  bool dry_run) {
  OffboardResult result = GRANTFS_TRY(FindLeaver(name));
  const Hash id = GRANTFS_TRY(Hash::FromHex(result.id));
  const bool vault_owner = keeper_->vault().IsOwner(me_.Id());
  const bool any = std::any_of(result.memberships.begin(), result.memberships.end(),
                               [](const LeaverMembership& one) { return one.mine; });
  if (!vault_owner && !any) {
    return Error{
        Code::kDenied,
        "only an owner of the vault, or of an environment of which it is a member, can end what it is", 0,
        name};
  }
  if (!dry_run) EndLeaver(id, reason, result);
  GRANTFS_CHECK(keeper_->RefreshVault());
  result.removed_from_vault = keeper_->vault().IsRemoved(id);
  for (const LeaverMembership& one : result.memberships) {
    if (one.mine) GRANTFS_CHECK(AddDue(id, one.environment, result));
  }
  return result;
}

}  // namespace grantfs

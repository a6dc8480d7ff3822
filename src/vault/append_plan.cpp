#include <algorithm>

#include "append_plan_internal.h"
#include "load_internal.h"

namespace grantfs {

UpperLists AppendPlan::Upper(const std::string& environment) const {
  UpperLists upper = before_->Upper(environment);
  if (vault_ != nullptr) upper.vault = vault_.get();
  const auto touched = environments_.find(environment);
  if (touched != environments_.end()) upper.environment = touched->second.get();
  return upper;
}

const Hash* WhoseRoleEnds(const Act& act) {
  if (const auto* remove = std::get_if<MemberRemove>(&act)) return &remove->id;
  const auto* change = std::get_if<MemberChange>(&act);
  return change != nullptr ? &change->id : nullptr;
}

std::string AppendPlan::EnvironmentOf(const ListId& id) const {
  if (id.kind == ListKind::kEnvironment || id.kind == ListKind::kGroup) return id.environment;
  return id.kind == ListKind::kSecret ? secrets_.at(id.number).environment : std::string();
}

std::vector<Hash> AppendPlan::RecipientsOf(const ListId& id) const {
  std::vector<Hash> recipients;
  if (id.kind != ListKind::kEnvironment) return recipients;
  const UpperLists upper = Upper(id.environment);
  for (const Identity& identity : upper.environment->EpochRecipients(*upper.vault))
    recipients.push_back(identity.Id());
  std::sort(recipients.begin(), recipients.end());
  return recipients;
}

Result<SignedList*> AppendPlan::WorkingEnvironment(const std::string& name, const Statement& statement) {
  auto& list = environments_[name];
  if (list == nullptr) {
    const EnvironmentList* held = before_->FindEnvironment(name);
    const auto* create = std::get_if<EnvironmentCreate>(&statement.act);
    if (held == nullptr && create == nullptr) return NotVisible(name);
    list =
        held != nullptr ? std::make_shared<EnvironmentList>(*held) : std::make_shared<EnvironmentList>(name);
  }
  return list.get();
}

Result<SignedList*> AppendPlan::WorkingSecret(StoreReader& reader, std::uint64_t number,
                                              const Statement& statement) {
  if (const auto touched = secrets_.find(number); touched != secrets_.end())
    return touched->second.after.get();
  const auto stored = GRANTFS_TRY(reader.GetSecret(number));
  TouchedSecret touched;
  if (stored) {
    touched.environment = stored->environment;
    const bool held = held_ != nullptr && held_->contains(number);
    touched.before = GRANTFS_TRY(core_.LoadSecret(reader, *stored, held ? held_->at(number) : nullptr));
    touched.after = std::make_shared<SecretList>(*touched.before);
  } else {
    const auto* create = std::get_if<SecretCreate>(&statement.act);
    if (create == nullptr) return NotVisible(statement.list.Text());
    touched.environment = create->environment;
    touched.after = std::make_shared<SecretList>(number);
  }
  if (Upper(touched.environment).environment == nullptr) return NotVisible(touched.environment);
  return secrets_.emplace(number, std::move(touched)).first->second.after.get();
}

Result<SignedList*> AppendPlan::Working(StoreReader& reader, const ListId& id, const Statement& statement) {
  switch (id.kind) {
    case ListKind::kVault:
      if (vault_ == nullptr) vault_ = std::make_shared<VaultList>(*before_->vault);
      return vault_.get();
    case ListKind::kMachines:
      if (machines_ == nullptr) machines_ = std::make_shared<MachinesList>(*before_->machines);
      return machines_.get();
    case ListKind::kEnvironment:
      return WorkingEnvironment(id.environment, statement);
    case ListKind::kSecret:
      return WorkingSecret(reader, id.number, statement);
    case ListKind::kGroup:
      return WorkingGroup(id, statement);
  }
  std::abort();
}

std::string AppendPlan::WhoIsEnded(const ListId& id, const Act& act) const {
  if (const auto* revoke = std::get_if<GrantRevoke>(&act);
      revoke != nullptr && id.kind == ListKind::kSecret) {
    const auto& grants = secrets_.at(id.number).after->grants();
    const auto at = grants.find({revoke->kind, revoke->number});
    if (at == grants.end()) return "";
    return (revoke->kind == GranteeKind::kGroup ? "@" : "") + at->second.grant.grantee.name;
  }
  if (id.kind == ListKind::kGroup || EnvironmentGroups::Takes(act)) return WhoOfGroup(id, act);
  const Identity* who = nullptr;
  if (const auto* remove = std::get_if<MachineRemove>(&act); remove != nullptr && machines_ != nullptr) {
    const auto* machine = machines_->FindById(remove->id);
    who = machine != nullptr ? &machine->identity : nullptr;
  } else if (const auto* owner = std::get_if<VaultOwnerRemove>(&act); owner != nullptr && vault_ != nullptr) {
    who = vault_->FindIdentity(owner->id);
  } else if (const Hash* left = WhoseRoleEnds(act); left != nullptr) {
    const auto list = environments_.find(id.environment);
    if (list == environments_.end()) return "";
    const auto member = list->second->members().find(*left);
    who = member != list->second->members().end() ? &member->second.identity : nullptr;
  }
  return who != nullptr ? who->name : "";
}

Status AppendPlan::AppendOne(StoreReader& reader, const ListId& id, const std::string& envelope,
                             const VaultCaller* signer) {
  auto statement = std::make_shared<const SignedStatement>(GRANTFS_TRY(SignedStatement::Parse(envelope)));
  const Statement& said = statement->statement();
  if (said.list != id) return Error{Code::kInvalid, "the statement belongs to another list", 0, id.Text()};
  if (signer != nullptr && said.signer != signer->id) {
    return Error{Code::kDenied, "one may append only what one has signed oneself", 0, id.Text()};
  }
  SignedList* list = GRANTFS_TRY(Working(reader, id, said));
  const std::string environment = EnvironmentOf(id);
  const std::string ended = WhoIsEnded(id, said.act);
  GRANTFS_CHECK(list->Append(statement, Upper(environment)));
  GRANTFS_CHECK(CheckAct(said));
  GRANTFS_CHECK(CheckGroupAct(id, said.act));
  const std::string path = id.kind == ListKind::kSecret ? secrets_.at(id.number).after->create().path : "";
  appended_.push_back({std::move(statement), environment, path, ended, RecipientsOf(id)});
  return {};
}

Status AppendPlan::Prepare(StoreReader& reader, const api::AppendRequest& request,
                           const VaultCaller* signer) {
  for (const api::ListAppend& append : request.appends) {
    for (const std::string& envelope : append.statements)
      GRANTFS_CHECK(AppendOne(reader, append.list, envelope, signer));
  }
  auto after = std::make_shared<VaultState>(*before_);
  if (vault_ != nullptr) after->vault = vault_;
  if (machines_ != nullptr) after->machines = machines_;
  for (const auto& [name, list] : environments_) after->environments[name] = list;
  // An environment whose addition was voided is none any more.
  std::erase_if(after->environments,
                [&](const auto& entry) { return !after->vault->environments().contains(entry.first); });
  for (const auto& [key, list] : groups_) after->groups[key] = list;
  // Nor is a group whose creation was, or that was deleted.
  std::erase_if(after->groups, [&](const auto& entry) {
    const EnvironmentList* list = after->FindEnvironment(entry.first.first);
    return list == nullptr || list->groups().Find(entry.first.second) == nullptr;
  });
  after_ = std::move(after);
  return CheckWhole(reader);
}

std::vector<api::ListHead> AppendPlan::Heads() const {
  std::vector<api::ListHead> heads;
  const auto add = [&](const SignedList* list) {
    if (list != nullptr) heads.push_back({list->id(), *list->head()});
  };
  add(vault_.get());
  add(machines_.get());
  for (const auto& [name, list] : environments_) add(list.get());
  for (const auto& [key, list] : groups_) add(list.get());
  for (const auto& [number, touched] : secrets_) add(touched.after.get());
  return heads;
}

}  // namespace grantfs

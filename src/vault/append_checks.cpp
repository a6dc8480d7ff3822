#include "append_plan_internal.h"
#include "grantfs/crypto/encoding.h"
#include "load_internal.h"

// What a vault asks of an append beyond what trust asks of each statement.

namespace grantfs {
namespace {

constexpr std::size_t kSecretsPage = 1000;

bool ReducesMembers(const Act& act) { return IsAnyOf<MemberRemove, MemberChange, Void>(act); }

}  // namespace

// A grant carries the machine's keys, so that writers need no list of machines: they must be its real ones.
Status AppendPlan::CheckMachine(const Grantee& grantee) const {
  const MachinesList& machines = machines_ != nullptr ? *machines_ : *before_->machines;
  const auto machine = machines.machines().find(grantee.number);
  if (machine == machines.machines().end() || machine->second.removed) {
    return Error{Code::kConflict, "this names no machine of this vault, or one that was removed", 0,
                 grantee.name};
  }
  const Identity& identity = machine->second.identity;
  if (identity.Id() != grantee.id || identity.name != grantee.name || identity.seal != grantee.seal ||
      identity.not_after != grantee.not_after) {
    return Error{Code::kInvalid, "a machine is not as its approval says", 0, grantee.name};
  }
  return {};
}

Status AppendPlan::CheckAct(const Statement& statement) const {
  const auto* add = std::get_if<GrantAdd>(&statement.act);
  if (add == nullptr || add->grant.grantee.kind == GranteeKind::kGroup) return {};  // trust knows the groups
  return CheckMachine(add->grant.grantee);
}

const char* const AppendPlan::kUnvouched =
    "an act of somebody who loses a role stands there without a successor: vouch for it or void it in the "
    "same append";

Error AppendPlan::Unvouched(const SignedList& list, std::uint64_t sequence) {
  return {Code::kConflict, kUnvouched, 0, list.id().Text() + "#" + std::to_string(sequence)};
}

Status AppendPlan::CheckStandings() const {
  const auto check = [&](const SignedList& list, const std::string& environment) -> Status {
    const auto first = list.FirstUncounted(Upper(environment));
    return first ? Status(Unvouched(list, *first)) : Status();
  };
  // Those two stand by themselves: with neither touched they do as before, and a fleet's list is long.
  if (vault_ != nullptr || machines_ != nullptr) {
    GRANTFS_CHECK(check(*after_->vault, ""));
    GRANTFS_CHECK(check(*after_->machines, ""));
  }
  for (const auto& [name, list] : environments_) GRANTFS_CHECK(check(*list, name));
  for (const auto& [key, list] : groups_) GRANTFS_CHECK(check(*list, key.first));
  for (const auto& [number, touched] : secrets_) GRANTFS_CHECK(check(*touched.after, touched.environment));
  return {};
}

// The vault's list and an environment's own begin with each other: neither stands without the other.
Status AppendPlan::CheckEnvironments() const {
  for (const auto& [name, list] : environments_) GRANTFS_CHECK(list->CheckGenesis(*after_->vault));
  for (const auto& [name, entry] : after_->vault->environments()) {
    if (after_->FindEnvironment(name) != nullptr) continue;
    return Error{Code::kInvalid, "an environment is added together with its list", 0, name};
  }
  return {};
}

// Whose invitation was used is let in at the same time: else it would be neither open nor anybody's.
Status AppendPlan::CheckPeople() const {
  for (const Appended& one : appended_) {
    const auto* approve = std::get_if<MachineApprove>(&one.statement->statement().act);
    if (approve == nullptr || approve->enrolment.identity.kind == IdentityKind::kMachine) continue;
    const Identity& who = approve->enrolment.identity;
    const Identity* added = after_->vault->FindPerson(who.Id());
    if (added != nullptr && *added == who) continue;
    return Error{Code::kInvalid,
                 "the approval of a user or agent and its addition to the vault's list are one append", 0,
                 who.name};
  }
  return {};
}

Status AppendPlan::CheckOneSecret(StoreReader& reader, std::uint64_t number) {
  if (secrets_.contains(number)) return {};  // judged with those that are touched
  const auto stored = GRANTFS_TRY(reader.GetSecret(number));
  if (!stored || stored->destroyed) return {};  // of what is gone nobody asks who vouches for it
  // Where thousands were vouched for, the last statement tells at once.
  const auto last = GRANTFS_TRY(
      reader.ReadStatements(ListId::Secret(number).Text(), stored->head ? stored->head->sequence : 0, 1, 0));
  if (last.empty()) return NotVisible(stored->path);
  const auto said = GRANTFS_TRY(SignedStatement::Parse(last.front().envelope));
  if (SecretList::CountsByLast(said.statement(), Upper(stored->environment))) return {};
  const auto list = GRANTFS_TRY(core_.LoadSecret(reader, *stored));
  const auto first = list->FirstUncounted(Upper(stored->environment));
  return first ? Status(Unvouched(*list, *first)) : Status();
}

Status AppendPlan::CheckSecretsOf(StoreReader& reader, const std::string& environment, const Hash* leaver) {
  if (leaver != nullptr) {
    for (const std::string& name : GRANTFS_TRY(reader.ListsOfSigner(*leaver))) {
      const ListId id = GRANTFS_TRY(ListId::Parse(name));
      if (id.kind != ListKind::kSecret) continue;
      const auto stored = GRANTFS_TRY(reader.GetSecret(id.number));
      if (stored && stored->environment == environment) GRANTFS_CHECK(CheckOneSecret(reader, id.number));
    }
    return {};
  }
  std::string after;
  for (;;) {
    const auto page = GRANTFS_TRY(reader.ListSecrets(environment, after, kSecretsPage));
    for (const StoredSecret& secret : page) GRANTFS_CHECK(CheckOneSecret(reader, secret.number));
    if (page.size() < kSecretsPage) return {};
    after = page.back().path;
  }
}

// What the recovery identity before has signed anywhere needs a successor too.
Status AppendPlan::CheckRecoverys(StoreReader& reader) {
  const Hash former = before_->vault->recovery().Id();
  for (const auto& [name, entry] : after_->vault->environments()) {
    const EnvironmentList* list = after_->FindEnvironment(name);
    const auto first = list->FirstUncounted(Upper(name));
    if (first) return Unvouched(*list, *first);
    GRANTFS_CHECK(CheckSecretsOf(reader, name, &former));
  }
  for (const auto& [key, list] : after_->groups) {
    const auto first = list->FirstUncounted(Upper(key.first));
    if (first) return Unvouched(*list, *first);
  }
  return {};
}

// Secrets are judged by their environment's list: where that takes a role away, all that its holder signed
// must have a successor by now.
Status AppendPlan::CheckLeavers(StoreReader& reader) {
  for (const Appended& one : appended_) {
    const Statement& statement = one.statement->statement();
    if (std::holds_alternative<RecoveryReplace>(statement.act)) GRANTFS_CHECK(CheckRecoverys(reader));
    if (statement.list.kind != ListKind::kEnvironment || !ReducesMembers(statement.act)) continue;
    for (const auto& [key, list] : after_->groups) {
      const auto first = key.first == one.environment ? list->FirstUncounted(Upper(key.first)) : std::nullopt;
      if (first) return Unvouched(*list, *first);
    }
    GRANTFS_CHECK(CheckSecretsOf(reader, one.environment, WhoseRoleEnds(statement.act)));
  }
  return {};
}

Status AppendPlan::CheckWhole(StoreReader& reader) {
  GRANTFS_CHECK(CheckEnvironments());
  GRANTFS_CHECK(CheckPeople());
  GRANTFS_CHECK(CheckGroups());
  GRANTFS_CHECK(CheckStandings());
  GRANTFS_CHECK(CheckRules(reader));
  return CheckLeavers(reader);
}

}  // namespace grantfs

#include "append_plan_internal.h"
#include "grantfs/crypto/encoding.h"
#include "load_internal.h"

// What a vault asks of an append beyond what trust asks of each statement.

namespace grantfs {
namespace {

constexpr std::size_t kSecretsPage = 1000;

bool ReducesMembers(const Act& act) { return IsAnyOf<MemberRemove, Void>(act); }

}  // namespace

// A grant carries the machine's keys, so that writers need no list of machines: they must be its real ones.
Status AppendPlan::CheckGrantee(const Grant& grant) const {
  const Grantee& grantee = grant.grantee;
  const MachinesList& machines = machines_ != nullptr ? *machines_ : *before_->machines;
  const auto machine = machines.machines().find(grantee.number);
  if (machine == machines.machines().end() || machine->second.removed) {
    return Error{Code::kConflict, "the grant names no machine of this vault, or one that was removed", 0,
                 grantee.name};
  }
  const Identity& identity = machine->second.identity;
  if (identity.Id() != grantee.id || identity.name != grantee.name || identity.seal != grantee.seal ||
      identity.not_after != grantee.not_after) {
    return Error{Code::kInvalid, "the grant's machine is not as its approval says", 0, grantee.name};
  }
  return {};
}

Status AppendPlan::CheckAct(const Statement& statement) const {
  if (const auto* add = std::get_if<GrantAdd>(&statement.act)) return CheckGrantee(add->grant);
  return {};
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
  GRANTFS_CHECK(check(*after_->vault, ""));
  GRANTFS_CHECK(check(*after_->machines, ""));
  for (const auto& [name, list] : environments_) GRANTFS_CHECK(check(*list, name));
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
  return {};
}

// Secrets are judged by their environment's list: where that takes a role away, all that its holder signed
// must have a successor by now.
Status AppendPlan::CheckLeavers(StoreReader& reader) {
  for (const Appended& one : appended_) {
    const Statement& statement = one.statement->statement();
    if (std::holds_alternative<RecoveryReplace>(statement.act)) GRANTFS_CHECK(CheckRecoverys(reader));
    if (statement.list.kind != ListKind::kEnvironment || !ReducesMembers(statement.act)) continue;
    const auto* removal = std::get_if<MemberRemove>(&statement.act);
    GRANTFS_CHECK(CheckSecretsOf(reader, one.environment, removal != nullptr ? &removal->id : nullptr));
  }
  return {};
}

Status AppendPlan::CheckWhole(StoreReader& reader) {
  GRANTFS_CHECK(CheckEnvironments());
  GRANTFS_CHECK(CheckPeople());
  GRANTFS_CHECK(CheckStandings());
  return CheckLeavers(reader);
}

}  // namespace grantfs

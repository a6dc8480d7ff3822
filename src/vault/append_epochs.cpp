#include <algorithm>

#include "append_plan_internal.h"
#include "grantfs/crypto/hash.h"

// The sealed keys that an environment's statements commit to, and what becomes of enrolments.

namespace grantfs {
namespace {

Error Missing(const char* where, const std::string& environment) {
  return {Code::kConflict, where, 0, environment};
}

const Epoch* EpochOf(const Act& act) {
  if (const auto* create = std::get_if<EnvironmentCreate>(&act)) return &create->epoch;
  if (const auto* start = std::get_if<EpochStart>(&act)) return &start->epoch;
  const auto* remove = std::get_if<MemberRemove>(&act);
  return remove != nullptr && remove->epoch ? &*remove->epoch : nullptr;
}

// Nobody who may read is forgotten, and nobody else is given the key, as the lists stand after the append.
Status CheckRecipients(const AppendPlan& plan, const std::string& environment, const Epoch& epoch,
                       const std::vector<EpochCopy>& copies) {
  const EnvironmentList* list = plan.after()->FindEnvironment(environment);
  if (list == nullptr || list->newest_epoch().number != epoch.number) return {};
  std::vector<Hash> expected;
  for (const Identity& identity : list->EpochRecipients(*plan.after()->vault))
    expected.push_back(identity.Id());
  std::sort(expected.begin(), expected.end());
  const auto same = [](const Hash& id, const EpochCopy& copy) { return id == copy.recipient; };
  if (std::equal(expected.begin(), expected.end(), copies.begin(), copies.end(), same)) return {};
  return Missing("an epoch's key is sealed to owners, readers and recovery, to each and to nobody else",
                 environment);
}

Status WriteEpoch(StoreWriter& writer, const AppendPlan& plan, const std::string& environment,
                  const Hash& signer, const Epoch& epoch, std::int64_t now) {
  const auto copies = GRANTFS_TRY(writer.StagedEpochCopies(signer, environment, epoch.number, now));
  if (copies.size() != epoch.copies || EpochCopiesRoot(copies) != epoch.copies_root) {
    return Missing("the sealed copies of the epoch's key were not sent ahead, or are others", environment);
  }
  GRANTFS_CHECK(CheckRecipients(plan, environment, epoch, copies));
  GRANTFS_TRY(writer.AdoptEpochCopies(signer, environment, epoch.number, false, now));
  return {};
}

// The copy is of the epoch that was the newest when the member was added: one of the last, if not the last.
Status WriteMemberCopy(StoreWriter& writer, const EnvironmentList& list, const Hash& signer,
                       const MemberAdd& add, std::int64_t now) {
  if (add.copy == Hash{}) return {};
  const Hash member = add.member.Id();
  const auto is_own = [&](const EpochCopy& copy) {
    return copy.recipient == member && Blake2b256({copy.sealed}) == add.copy;
  };
  for (auto epoch = list.epochs().rbegin(); epoch != list.epochs().rend(); ++epoch) {
    const auto copies = GRANTFS_TRY(writer.StagedEpochCopies(signer, list.name(), epoch->number, now));
    if (std::none_of(copies.begin(), copies.end(), is_own)) continue;
    GRANTFS_TRY(writer.AdoptEpochCopies(signer, list.name(), epoch->number, false, now));
    return {};
  }
  return Missing("the new member's copy of the environment's key was not sent ahead", add.member.name);
}

}  // namespace

Status WriteEpochs(StoreWriter& writer, const AppendPlan& plan, const AppendPlan::Appended& one,
                   std::int64_t now) {
  const Statement& statement = one.statement->statement();
  if (const Epoch* epoch = EpochOf(statement.act))
    return WriteEpoch(writer, plan, one.environment, statement.signer, *epoch, now);
  const auto* add = std::get_if<MemberAdd>(&statement.act);
  const EnvironmentList* list = plan.after()->FindEnvironment(one.environment);
  if (add == nullptr || list == nullptr) return {};
  return WriteMemberCopy(writer, *list, statement.signer, *add, now);
}

Status WriteEnrolments(StoreWriter& writer, const Act& act, std::int64_t now) {
  if (const auto* approve = std::get_if<MachineApprove>(&act)) {
    if (!GRANTFS_TRY(writer.FindEnrolment(approve->enrolment.invitation))) return {};
    return writer.SetEnrolmentState(approve->enrolment.invitation, EnrolmentState::kApproved, now);
  }
  if (const auto* withdraw = std::get_if<InvitationWithdraw>(&act)) {
    if (GRANTFS_TRY(writer.FindEnrolment(withdraw->id))) return writer.RemoveEnrolment(withdraw->id);
  }
  return {};
}

}  // namespace grantfs

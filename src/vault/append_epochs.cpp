#include <algorithm>

#include "append_plan_internal.h"
#include "grantfs/crypto/hash.h"

// The sealed keys that an environment's statements commit to, and what becomes of enrolments.

namespace grantfs {
namespace {

Error MissingCopy(const char* where, const std::string& environment) {
  return {Code::kConflict, where, 0, environment};
}

const Epoch* EpochOf(const Act& act) {
  if (const auto* create = std::get_if<EnvironmentCreate>(&act)) return &create->epoch;
  if (const auto* start = std::get_if<EpochStart>(&act)) return &start->epoch;
  if (const auto* change = std::get_if<MemberChange>(&act); change != nullptr && change->epoch)
    return &*change->epoch;
  if (const auto* restore = std::get_if<Restore>(&act)) return restore->epoch ? &*restore->epoch : nullptr;
  const auto* remove = std::get_if<MemberRemove>(&act);
  return remove != nullptr && remove->epoch ? &*remove->epoch : nullptr;
}

// Nobody who may read is forgotten, and nobody else is given the key. What else lies there of an abandoned
// attempt for the same epoch does not count.
Status WriteEpoch(StoreWriter& writer, const AppendPlan::Appended& one, const Epoch& epoch,
                  std::int64_t now) {
  const Hash& signer = one.statement->statement().signer;
  const std::vector<Hash>& expected = one.recipients;
  auto copies = GRANTFS_TRY(writer.StagedEpochCopies(signer, one.environment, epoch.number, now));
  std::erase_if(copies, [&](const EpochCopy& copy) {
    return !std::binary_search(expected.begin(), expected.end(), copy.recipient);
  });
  if (copies.size() != expected.size() || copies.size() != epoch.copies ||
      EpochCopiesRoot(copies) != epoch.copies_root) {
    return MissingCopy(
        "an epoch's key is sealed to owners, readers and recovery, to each and to nobody else; its copies "
        "were "
        "not sent ahead, or are others",
        one.environment);
  }
  GRANTFS_TRY(writer.AdoptEpochCopies(signer, one.environment, epoch.number, expected, false, now));
  return {};
}

// The copy is of the epoch that was the newest when the member was added: one of the last, if not the last.
Status WriteMemberCopy(StoreWriter& writer, const EnvironmentList& list, const Hash& signer,
                       const Hash& member, const Hash& committed, std::int64_t now) {
  if (committed == Hash{}) return {};
  const auto is_own = [&](const EpochCopy& copy) {
    return copy.recipient == member && Blake2b256({copy.sealed}) == committed;
  };
  for (auto epoch = list.epochs().rbegin(); epoch != list.epochs().rend(); ++epoch) {
    const auto copies = GRANTFS_TRY(writer.StagedEpochCopies(signer, list.name(), epoch->number, now));
    if (std::none_of(copies.begin(), copies.end(), is_own)) continue;
    GRANTFS_TRY(writer.AdoptEpochCopies(signer, list.name(), epoch->number, {&member, 1}, true, now));
    return {};
  }
  return MissingCopy("the new member's copy of the environment's key was not sent ahead", list.name());
}

// Whoever holds the invitation is told of the approval, and of no other keys' than his own.
Status WriteApproval(StoreWriter& writer, const Enrolment& enrolment, std::int64_t now) {
  const std::string& id = enrolment.invitation;
  const std::string text = enrolment.ToJson().Dump();
  const auto waiting = GRANTFS_TRY(writer.FindEnrolment(id));
  if (waiting && waiting->enrolment != text) GRANTFS_CHECK(writer.RemoveEnrolment(id));
  GRANTFS_CHECK(writer.PutEnrolment(id, text, now));
  return writer.SetEnrolmentState(id, EnrolmentState::kApproved, now);
}

}  // namespace

Status WriteEpochs(StoreWriter& writer, const AppendPlan& plan, const AppendPlan::Appended& one,
                   std::int64_t now) {
  const Statement& statement = one.statement->statement();
  if (const Epoch* epoch = EpochOf(statement.act)) return WriteEpoch(writer, one, *epoch, now);
  const EnvironmentList* list = plan.after()->FindEnvironment(one.environment);
  if (list == nullptr) return {};
  if (const auto* add = std::get_if<MemberAdd>(&statement.act))
    return WriteMemberCopy(writer, *list, statement.signer, add->member.Id(), add->copy, now);
  if (const auto* change = std::get_if<MemberChange>(&statement.act))
    return WriteMemberCopy(writer, *list, statement.signer, change->id, change->copy, now);
  return {};
}

Status WriteEnrolments(StoreWriter& writer, const Act& act, std::int64_t now) {
  if (const auto* approve = std::get_if<MachineApprove>(&act))
    return WriteApproval(writer, approve->enrolment, now);
  if (const auto* withdraw = std::get_if<InvitationWithdraw>(&act)) {
    if (GRANTFS_TRY(writer.FindEnrolment(withdraw->id))) return writer.RemoveEnrolment(withdraw->id);
  }
  return {};
}

}  // namespace grantfs

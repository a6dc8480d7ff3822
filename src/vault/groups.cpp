// What owners send ahead for groups, and what they open them with.

#include "core_internal.h"

namespace grantfs {

void Vault::StageGroup(const VaultCaller& caller, const api::StageGroupRequest& request,
                       Done<api::Nothing> done) {
  const Status may = core_->state.Get()->CheckMember(caller, request.environment, Operation::kManageMembers);
  if (!may) return done(may.error());
  auto shared = std::make_shared<const api::StageGroupRequest>(request);
  core_->store.Write(
      [signer = caller.id, shared, now = core_->Now()](StoreWriter& writer) -> Status {
        const GroupPlace place{shared->environment, shared->group, shared->epoch};
        for (const GroupCopy& copy : shared->copies)
          GRANTFS_CHECK(writer.StageGroupCopy(signer, place, copy, now));
        return {};
      },
      [done = std::move(done)](Status status) {
        if (!status) return done(status.error());
        done(api::Nothing{});
      });
}

Result<api::GroupKeysResponse> Vault::GroupKeys(const VaultCaller& caller,
                                                const api::GroupKeysRequest& request) const {
  const StatePtr now = core_->state.Get();
  GRANTFS_CHECK(now->CheckMember(caller, request.environment, Operation::kManageMembers));
  const std::uint64_t number = now->vault->environments().at(request.environment).number;
  const auto reader = GRANTFS_TRY(core_->store.Read());
  api::GroupKeysResponse response;
  for (StoredGroupCopy& one : GRANTFS_TRY(reader->GroupsOf(RecipientKind::kEnvironment, number)))
    response.keys.push_back({one.group, one.epoch, one.copy.recipient.epoch, std::move(one.copy.sealed)});
  return response;
}

}  // namespace grantfs

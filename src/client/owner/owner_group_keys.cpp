#include <algorithm>

#include "client/connection/problem_internal.h"
#include "grantfs/api/secrets.h"
#include "owner_base_internal.h"

namespace grantfs {

Error NoGroup(const std::string& environment, const std::string& name) {
  return {Code::kNotFound, "there is no such group: grantfs group list shows those that there are", 0,
          "@" + name + " of " + environment};
}

Status CheckGroupKey(const EnvironmentList& environment, const EnvironmentGroups::Group& group) {
  if (!environment.groups().OwesEpoch(group, environment.newest_epoch().number)) return {};
  return Error{
      Code::kConflict,
      "the group's key is older than the environment's, which somebody left, or than the rule that two "
      "owners sign: the vault shows the one without the other, or an owner has yet to start the "
      "group's next (grantfs status)",
      0, "@" + group.name + " of " + environment.name()};
}

GroupCopyTarget EnvironmentTarget(const VaultList& vault, const EnvironmentList& environment) {
  const Epoch& epoch = environment.newest_epoch();
  const std::uint64_t number = vault.environments().at(environment.name()).number;
  return {{RecipientKind::kEnvironment, number, epoch.number}, epoch.key};
}

Result<GroupList> OwnerBase::FetchGroup(const std::string& environment, const std::string& name) {
  const auto* group = keeper_->FindEnvironment(environment)->groups().FindByName(name);
  if (group == nullptr) return NoGroup(environment, name);
  return keeper_->RefreshGroup(environment, group->number);
}

Result<UnsealKey> OwnerBase::GroupKeyOf(const EnvironmentList& environment,
                                        const EnvironmentGroups::Group& group) {
  const auto sent = GRANTFS_TRY(
      vault_->Ask<api::GroupKeysResponse>(api::kGroupKeys, api::GroupKeysRequest{environment.name()}));
  const GroupEpoch& newest = group.newest();
  for (const api::GroupKey& key : sent.keys) {
    if (key.group != group.number) continue;
    if (key.epoch != newest.epoch.number || key.environment_epoch != newest.environment_epoch)
      return Error{Code::kConflict, "the group has a newer key: read the lists again", 0, "@" + group.name};
    const UnsealKey* own = GRANTFS_TRY(EpochKey(environment, newest.environment_epoch));
    auto opened = OpenEpochCopy(*own, key.sealed, newest.epoch);
    if (!opened) return About(opened.error(), "@" + group.name + " of " + environment.name());
    return opened;
  }
  return Error{Code::kIntegrity, "the vault has lost the group's key: delete the group and make it anew", 0,
               "@" + group.name + " of " + environment.name()};
}

Status OwnerBase::StageGroup(const std::string& environment, std::uint64_t group, std::uint32_t epoch,
                             const std::vector<GroupCopy>& copies) {
  for (std::size_t from = 0; from < copies.size(); from += api::kMaxCopies) {
    const std::size_t count = std::min(api::kMaxCopies, copies.size() - from);
    api::StageGroupRequest request{environment, group, epoch, {}};
    request.copies.assign(copies.begin() + static_cast<std::ptrdiff_t>(from),
                          copies.begin() + static_cast<std::ptrdiff_t>(from + count));
    GRANTFS_TRY(vault_->Ask<api::Nothing>(api::kStageGroup, request));
    Report("sealing", from + count, copies.size());
  }
  return {};
}

Result<SignedList::StatementPtr> OwnerBase::NextGroupEpoch(EnvironmentList& environment, const Above& above,
                                                           const GroupList& list, const UnsealKey& previous,
                                                           const std::string& reason) {
  const EnvironmentGroups::Group group = *environment.groups().Find(list.id().number);
  std::vector<GroupCopyTarget> targets{EnvironmentTarget(*above.vault, environment)};
  for (const auto& target : list.EpochTargets(*above.machines, {above.vault, &environment}, Now()))
    targets.push_back({target.recipient, target.key});
  const auto made = GRANTFS_TRY(MakeGroupEpoch(targets, group.newest().epoch.number + 1, &previous));
  GRANTFS_CHECK(StageGroup(environment.name(), group.number, made.epoch.number, made.copies));
  const GroupEpoch epoch{made.epoch, environment.newest_epoch().number, list.head()->sequence,
                         list.head()->hash};
  return Next(environment, {above.vault, nullptr}, GroupEpochStart{group.number, epoch}, reason);
}

// Whoever leaves the environment has had its groups' keys.
Result<std::vector<SignedList::StatementPtr>> OwnerBase::NextGroupEpochs(const EnvironmentList& before,
                                                                         EnvironmentList& after,
                                                                         const VaultList& vault,
                                                                         const std::string& reason) {
  std::vector<StatementPtr> made;
  if (before.groups().all().empty()) return made;
  GRANTFS_CHECK(keeper_->RefreshMachines());
  std::size_t done = 0;
  for (const auto& [number, group] : before.groups().all()) {
    const GroupList list = GRANTFS_TRY(keeper_->RefreshGroup(before.name(), number));
    const UnsealKey previous = GRANTFS_TRY(GroupKeyOf(before, group));
    made.push_back(
        GRANTFS_TRY(NextGroupEpoch(after, {&vault, &keeper_->machines()}, list, previous, reason)));
    Report("starting the groups' next keys", ++done, before.groups().all().size());
  }
  return made;
}

}  // namespace grantfs

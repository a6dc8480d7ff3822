#include <algorithm>

#include "prefix_walk_internal.h"

// What a vault asks of groups beyond what trust asks of each statement, and the rows that follow from them.

namespace grantfs {
namespace {

Error UnmetGroup(const char* where, const std::string& subject) {
  return {Code::kConflict, where, 0, subject};
}

Error NotSentAhead(const std::string& group) {
  return UnmetGroup(
      "a group's key is sealed to its environment, its machines and its invitations, to each and to "
      "nobody else; its copies were not sent ahead, or are others: read the lists again",
      group);
}

bool Ordered(const GroupCopy& a, const GroupCopy& b) { return a.recipient < b.recipient; }

/// Those that were staged for exactly these, if the root is theirs.
Result<std::vector<GroupCopy>> StagedFor(StoreWriter& writer, const Hash& signer, const GroupPlace& place,
                                         const std::vector<Recipient>& expected, const Hash& root,
                                         std::int64_t now) {
  auto copies = GRANTFS_TRY(writer.StagedGroupCopies(signer, place, now));
  std::erase_if(copies, [&](const GroupCopy& copy) {
    return !std::binary_search(expected.begin(), expected.end(), copy.recipient);
  });
  std::sort(copies.begin(), copies.end(), Ordered);
  if (copies.size() != expected.size() || GroupCopiesRoot(copies) != root)
    return NotSentAhead(place.environment + " " + std::to_string(place.group));
  return copies;
}

}  // namespace

Result<SignedList*> AppendPlan::WorkingGroup(const ListId& id, const Statement& statement) {
  const GroupKey key{id.environment, id.number};
  auto& list = groups_[key];
  if (list == nullptr) {
    const auto held = before_->groups.find(key);
    const bool there = held != before_->groups.end();
    if (!there && !std::holds_alternative<GroupListCreate>(statement.act)) return NotVisible(id.Text());
    if (Upper(id.environment).environment == nullptr) return NotVisible(id.environment);
    list = there ? std::make_shared<GroupList>(*held->second)
                 : std::make_shared<GroupList>(id.environment, id.number);
  }
  return list.get();
}

// The machines of a group are those of the vault, and an invitation is one of its.
Status AppendPlan::CheckGroupAct(const ListId& id, const Act& act) const {
  const MachinesList& machines = machines_ != nullptr ? *machines_ : *before_->machines;
  const auto refuse = [](const std::string& name) {
    return Error{Code::kInvalid, "an invitation into a group is not as the machines list has it", 0, name};
  };
  if (const auto* add = std::get_if<GroupMachinesAdd>(&act)) {
    for (const Grantee& machine : add->machines) GRANTFS_CHECK(CheckMachine(machine));
  }
  if (const auto* invite = std::get_if<GroupInvitationAdd>(&act)) {
    const auto at = machines.standing().find(invite->id);
    if (at == machines.standing().end() || at->second.number != invite->number ||
        !at->second.IsOpen(*Upper(id.environment).vault) || at->second.invitation.seal != invite->seal ||
        at->second.invitation.expires != invite->expires)
      return refuse(id.Text());
  }
  return {};
}

// A group's list and the environment's word of it do not stand without each other; whoever left is shut out
// by the same append.
Status AppendPlan::CheckGroups() const {
  std::set<std::string> touched;
  for (const auto& [name, list] : environments_) touched.insert(name);
  for (const auto& [key, list] : groups_) touched.insert(key.first);
  for (const std::string& name : touched) {
    const EnvironmentList* environment = after_->FindEnvironment(name);
    if (environment == nullptr) continue;
    if (!environment->groups().OwingEpoch(environment->newest_epoch().number).empty())
      return UnmetGroup(
          "a new epoch of the environment, and the rule that two owners sign, start one of each of its "
          "groups, in the same append",
          name);
    for (const auto& [number, group] : environment->groups().all()) {
      const auto list = after_->groups.find({name, number});
      if (list == after_->groups.end())
        return Error{Code::kInvalid, "a group is created together with its list", 0, group.name};
      if (!groups_.contains({name, number}) && !environments_.contains(name)) continue;
      GRANTFS_CHECK(list->second->CheckGenesis(*environment));
      if (GRANTFS_TRY(list->second->EpochIsDue(group)))
        return UnmetGroup("whoever leaves a group has its key: its next epoch belongs into the same append",
                          group.name);
    }
  }
  for (const auto& [key, list] : groups_) {
    const EnvironmentList* environment = after_->FindEnvironment(key.first);
    if (environment == nullptr || environment->groups().Find(key.second) == nullptr)
      return Error{Code::kInvalid, "a group's list is created together with the group", 0, list->name()};
  }
  return {};
}

std::string AppendPlan::WhoOfGroup(const ListId& id, const Act& act) const {
  const auto name = [&](std::uint64_t number) {
    const auto list = before_->groups.find({id.environment, number});
    return list == before_->groups.end() ? std::string() : "@" + list->second->name();
  };
  if (const auto* start = std::get_if<GroupEpochStart>(&act)) return name(start->group);
  if (const auto* gone = std::get_if<GroupDelete>(&act)) return name(gone->group);
  if (const auto* revoke = std::get_if<PrefixRevoke>(&act)) return name(revoke->group) + " " + revoke->prefix;
  const auto* remove = std::get_if<GroupMachinesRemove>(&act);
  if (remove == nullptr) return "";
  std::string names = name(id.number) + ":";
  const MachinesList& machines = machines_ != nullptr ? *machines_ : *before_->machines;
  for (const std::uint64_t number : remove->machines) {
    const auto at = machines.machines().find(number);
    if (at != machines.machines().end() && names.size() < 900) names += " " + at->second.identity.name;
  }
  return names;
}

std::vector<std::uint64_t> VaultState::MembersOf(const std::string& environment, std::uint64_t group) const {
  const auto list = groups.find({environment, group});
  return list == groups.end() ? std::vector<std::uint64_t>() : list->second->MemberNumbers(*machines);
}

// ---- rows

namespace {

struct GroupJob {
  StoreWriter& writer;
  const AppendPlan& plan;
  const AppendPlan::Appended& one;
  std::int64_t now;
  const PrefixWalk* walk;
  LaterWork* later;
  /// Of one append there may be hundreds, each of few: they are few together.
  std::size_t room() const { return kSecretsOfJob / plan.appended().size(); }
  const Statement& statement() const { return one.statement->statement(); }
  const EnvironmentList* environment() const { return plan.after()->FindEnvironment(one.environment); }
};

Status WriteGroupEpoch(GroupJob& job, std::uint64_t number, const GroupEpoch& epoch, bool first) {
  const VaultState& after = *job.plan.after();
  const GroupPlace place{job.one.environment, number, epoch.epoch.number};
  const std::uint64_t environment = after.vault->environments().at(place.environment).number;
  std::vector<Recipient> expected{{RecipientKind::kEnvironment, environment, epoch.environment_epoch}};
  const auto list = after.groups.find({place.environment, number});
  if (!first && list != after.groups.end()) {
    for (const auto& target : list->second->EpochTargets(
             *after.machines, {after.vault.get(), job.environment()}, job.statement().time))
      expected.push_back(target.recipient);
  }
  std::sort(expected.begin(), expected.end());
  const auto copies = GRANTFS_TRY(
      StagedFor(job.writer, job.statement().signer, place, expected, epoch.epoch.copies_root, job.now));
  if (copies.size() != epoch.epoch.copies) return NotSentAhead(place.environment);
  return job.writer.PutGroupCopies(job.statement().signer, place, copies, true);
}

Status WriteMembers(GroupJob& job, const std::vector<Recipient>& to, std::uint32_t epoch, const Hash& root) {
  const ListId& id = job.statement().list;
  const auto* environment = job.environment();
  const auto* group = environment != nullptr ? environment->groups().Find(id.number) : nullptr;
  if (group == nullptr) return {};
  if (group->newest().epoch.number != epoch)
    return UnmetGroup("the copies are of an older epoch of the group's key: read the lists again",
                      group->name);
  const GroupPlace place{id.environment, id.number, epoch};
  const auto copies = GRANTFS_TRY(StagedFor(job.writer, job.statement().signer, place, to, root, job.now));
  return job.writer.PutGroupCopies(job.statement().signer, place, copies, false);
}

// What is below a prefix has a copy for the group, of each version that is kept.
Status WritePrefix(GroupJob& job, const PrefixGrant& act) {
  const std::string& environment = job.one.environment;
  GRANTFS_CHECK(job.writer.PutPrefix(
      {environment, act.prefix, act.grant.grantee.number, act.grant.label, act.grant.expires}));
  if (job.walk != nullptr) return job.walk->Finish(job.writer, job.plan, job.one, job.now);
  const auto page = GRANTFS_TRY(job.writer.ListSecrets(environment, act.prefix, kSecretsOfJob + 1));
  if (page.size() > kSecretsOfJob && page.back().path.starts_with(act.prefix))
    return UnmetGroup("more secrets came below the prefix: send the same again",
                      environment + "/" + act.prefix);
  for (const StoredSecret& secret : page) {
    if (!secret.path.starts_with(act.prefix)) break;
    GRANTFS_CHECK(RenewBelow(job.writer, job.plan, job.one, secret, job.now));
  }
  return {};
}

/// Together with the rest of the append where that is few, else after it.
Status SweepOrLater(GroupJob& job, GroupSweep sweep) {
  std::vector<std::uint64_t> touched;
  const bool many = GRANTFS_TRY(IsMoreBelow(job.writer, sweep.environment, sweep.prefix, job.room()));
  if (many)
    job.later->sweeps.push_back(std::move(sweep));
  else
    GRANTFS_TRY(SweepCopies(job.writer, *job.plan.after(), kSecretsOfJob, &sweep, &touched));
  return {};
}

}  // namespace

bool IsCovered(const EnvironmentList& environment, const std::string& path, std::uint64_t group) {
  const auto covering = environment.groups().Covering(path);
  return std::any_of(covering.begin(), covering.end(),
                     [&](const auto* one) { return one->act.grant.grantee.number == group; });
}

Result<bool> SweepCopies(StoreWriter& writer, const VaultState& state, std::size_t most, GroupSweep* sweep,
                         std::vector<std::uint64_t>* touched) {
  const EnvironmentList* environment = state.FindEnvironment(sweep->environment);
  const bool there = environment != nullptr && environment->groups().Find(sweep->group) != nullptr;
  const std::string from = sweep->after.empty() ? sweep->prefix : sweep->after;
  const auto page = GRANTFS_TRY(writer.ListSecrets(sweep->environment, from, most));
  for (const StoredSecret& secret : page) {
    if (!secret.path.starts_with(sweep->prefix)) return true;
    sweep->after = secret.path;
    const bool reads =
        there && (IsCovered(*environment, secret.path, sweep->group) ||
                  GRANTFS_TRY(writer.FindGrant(secret.number, GranteeKind::kGroup, sweep->group)));
    if (reads) continue;
    GRANTFS_CHECK(writer.RemoveCopies(secret.number, RecipientKind::kGroup, sweep->group));
    touched->push_back(secret.number);
  }
  return page.size() < most;
}

Status WriteGroups(StoreWriter& writer, const AppendPlan& plan, const AppendPlan::Appended& one,
                   std::int64_t now, const PrefixWalk* walk, LaterWork* later) {
  GroupJob job{writer, plan, one, now, walk, later};
  const Statement& statement = job.statement();
  const Act& act = statement.act;
  if (const auto* create = std::get_if<GroupCreate>(&act))
    return WriteGroupEpoch(job, statement.sequence, create->epoch, true);
  if (const auto* start = std::get_if<GroupEpochStart>(&act))
    return WriteGroupEpoch(job, start->group, start->epoch, false);
  if (const auto* gone = std::get_if<GroupDelete>(&act)) {
    GRANTFS_CHECK(writer.RemoveGroup(one.environment, gone->group));
    return SweepOrLater(job, {one.environment, "", gone->group, ""});
  }
  if (const auto* grant = std::get_if<PrefixGrant>(&act)) return WritePrefix(job, *grant);
  if (const auto* revoke = std::get_if<PrefixRevoke>(&act)) {
    GRANTFS_CHECK(writer.RemovePrefix(one.environment, revoke->prefix, revoke->group));
    return SweepOrLater(job, {one.environment, revoke->prefix, revoke->group, ""});
  }
  if (const auto* add = std::get_if<GroupMachinesAdd>(&act)) {
    std::vector<Recipient> to;
    for (const Grantee& machine : add->machines) to.push_back({RecipientKind::kMachine, machine.number, 0});
    return WriteMembers(job, to, add->epoch, add->copies_root);
  }
  if (const auto* invite = std::get_if<GroupInvitationAdd>(&act))
    return WriteMembers(job, {{RecipientKind::kInvitation, invite->number, 0}}, invite->epoch, invite->copy);
  return {};
}

}  // namespace grantfs

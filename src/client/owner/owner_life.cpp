#include <algorithm>

#include "owner_internal.h"

// What is done to a secret beside setting it.

namespace grantfs {
namespace {

Error Refused(Code code, const char* why, const SecretName& name, std::uint32_t version = 0) {
  return {code, why, 0, name.Full() + (version == 0 ? "" : " (version " + std::to_string(version) + ")")};
}

std::uint32_t VersionAt(const SecretList& list, const char* label) {
  const auto at = list.state().labels.find(label);
  const auto* version = at == list.state().labels.end() ? nullptr : list.FindVersion(at->second);
  return version == nullptr ? 0 : version->publish.version;
}

Operation Needed(LifeChange change) {
  switch (change) {
    case LifeChange::kRollBack:
    case LifeChange::kPromote:
    case LifeChange::kWithdraw:
    case LifeChange::kDescribe:
      return Operation::kPublish;
    case LifeChange::kDelete:
    case LifeChange::kUndelete:
    case LifeChange::kDestroy:
    case LifeChange::kDestroyVersions:
    case LifeChange::kPurge:
      return Operation::kGrant;
  }
  std::abort();
}

Act MoveTo(const SecretList& list, std::uint32_t version) {
  return LabelMove{version, list.versions().at(version).statement->hash()};
}

/// Which of a secret's versions and grants a statement is about.
struct AboutEvent {
  std::string operator()(const VersionPublish& act) const {
    return "version " + std::to_string(act.version) + (act.label.empty() ? "" : " as " + act.label);
  }
  std::string operator()(const GrantAdd& act) const {
    return act.grant.grantee.name + (act.grant.label == kCurrentLabel ? "" : " by " + act.grant.label);
  }
  std::string operator()(const GrantRevoke& act) const {
    return std::string(GranteeKindName(act.kind)) + " " + std::to_string(act.number);
  }
  std::string operator()(const LabelMove& act) const {
    return "version " + std::to_string(act.version) + " is current";
  }
  std::string operator()(const LabelRemove& act) const { return act.label; }
  std::string operator()(const VersionDestroy& act) const {
    std::string text = act.versions.size() == 1 ? "version" : "versions";
    for (const std::uint32_t version : act.versions) text += " " + std::to_string(version);
    return text;
  }
  std::string operator()(const Void& act) const { return "from " + std::to_string(act.from); }
  std::string operator()(const Restore& act) const {
    return "of the backup that ends at " + std::to_string(act.accepted.sequence);
  }
  template <typename T>
  std::string operator()(const T&) const {
    return {};
  }
};

}  // namespace

Result<Act> OwnerSessionImpl::RollBackAct(const SecretName& name, const SecretList& list, std::uint32_t to) {
  if (to == 0) {
    to = VersionAt(list, kPreviousLabel);
    if (to == 0)
      return Refused(Code::kNotFound,
                     "has no previous version: grantfs secret history shows those that there are, and --to "
                     "names one",
                     name);
  }
  if (list.ended().contains(to))
    return Refused(Code::kNotFound, "was destroyed, and nothing brings it back", name, to);
  const auto version = list.versions().find(to);
  if (version == list.versions().end())
    return Refused(Code::kNotFound, "is not there: grantfs secret history shows those that there are", name,
                   to);
  if (VersionAt(list, kCurrentLabel) == to)
    return Settled(Refused(Code::kConflict, "is current already", name, to));
  const std::int64_t end = version->second.publish.ExpiresAt(version->second.statement->statement().time);
  if (end != 0 && end <= Now())
    return Refused(Code::kInvalid, "has expired: grantfs secret set gives it a new value", name, to);
  return MoveTo(list, to);
}

Result<Act> OwnerSessionImpl::DescribeAct(const SecretList& list, const ChangeOptions& options) {
  return Act(SecretDescribe{options.owner.value_or(list.about().owner),
                            options.description.value_or(list.about().description)});
}

Result<Act> OwnerSessionImpl::DestroyAct(const SecretName& name, const SecretList& list,
                                         const std::vector<std::uint32_t>& versions) {
  for (const std::uint32_t version : versions) {
    if (list.ended().contains(version))
      return Settled(Refused(Code::kConflict, "is destroyed already", name, version));
    if (!list.versions().contains(version))
      return Refused(Code::kNotFound, "is not there: grantfs secret history shows those that there are", name,
                     version);
    if (VersionAt(list, kCurrentLabel) == version)
      return Refused(Code::kInvalid,
                     "is current: set a new value or roll back first, or destroy the secret as a whole", name,
                     version);
  }
  return Act(VersionDestroy{versions, list.LabelsAt(versions)});
}

// Never one that a label points at.
std::vector<std::uint32_t> OwnerSessionImpl::VersionsToPurge(const SecretList& list,
                                                             const ChangeOptions& options) const {
  std::vector<std::uint32_t> purged;
  std::size_t left = list.versions().size();
  for (const auto& [number, version] : list.versions()) {
    const bool new_enough = left-- <= options.keep;
    const std::int64_t age = Now() - version.statement->statement().time;
    const bool young = options.older_than != 0 && age < options.older_than;
    if (new_enough || young || !list.LabelsAt({number}).empty() || purged.size() == kMaxDestroyed) continue;
    purged.push_back(number);
  }
  return purged;
}

Result<std::optional<Act>> OwnerSessionImpl::ActOf(LifeChange change, const SecretName& name,
                                                   const SecretList& list, const ChangeOptions& options) {
  const bool deleted = list.state().deleted;
  const bool moves =
      change == LifeChange::kRollBack || change == LifeChange::kPromote || change == LifeChange::kWithdraw;
  if (deleted && moves)
    return Refused(Code::kInvalid, "is deleted: grantfs secret undelete brings it back first", name);
  const std::uint32_t next = VersionAt(list, kNextLabel);
  if (next == 0 && (change == LifeChange::kPromote || change == LifeChange::kWithdraw))
    return Refused(Code::kNotFound, "has no next version: grantfs secret set --label next publishes one",
                   name);
  const auto some = [](Act act) { return std::optional<Act>(std::move(act)); };
  switch (change) {
    case LifeChange::kRollBack:
      return some(GRANTFS_TRY(RollBackAct(name, list, options.to)));
    case LifeChange::kPromote:
      return some(GRANTFS_TRY(RollBackAct(name, list, next)));
    case LifeChange::kWithdraw:
      return some(LabelRemove{});
    case LifeChange::kDescribe:
      return some(GRANTFS_TRY(DescribeAct(list, options)));
    case LifeChange::kDelete:
      if (deleted) return Settled(Refused(Code::kConflict, "is deleted already", name));
      return some(SecretDelete{});
    case LifeChange::kUndelete:
      if (!deleted) return Settled(Refused(Code::kConflict, "is not deleted", name));
      return some(SecretUndelete{});
    case LifeChange::kDestroy:
      return some(SecretDestroy{});
    case LifeChange::kDestroyVersions:
      return some(GRANTFS_TRY(DestroyAct(name, list, options.versions)));
    case LifeChange::kPurge: {
      auto versions = VersionsToPurge(list, options);
      if (versions.empty()) return std::optional<Act>();
      return some(VersionDestroy{std::move(versions), {}});
    }
  }
  std::abort();
}

Result<ChangedSecret> OwnerSessionImpl::PrepareChange(LifeChange change, const SecretName& name,
                                                      const ChangeOptions& options, Batch& batch) {
  SecretList list = GRANTFS_TRY(FetchSecret(name));
  ChangedSecret changed;
  changed.name = name;
  changed.before = VersionAt(list, kCurrentLabel);
  const auto known = list.versions();
  auto act = GRANTFS_TRY(ActOf(change, name, list, options));
  changed.changed = act.has_value();
  if (act) {
    batch.push_back(
        {list.id(), {GRANTFS_TRY(Next(list, keeper_->UpperOf(name.environment), *act, options.reason))}, {}});
  }
  changed.current = VersionAt(list, kCurrentLabel);
  for (const auto& [number, version] : known)
    if (!list.versions().contains(number)) changed.destroyed.push_back(number);
  return changed;
}

Result<std::vector<ChangedSecret>> OwnerSessionImpl::ChangeSecrets(LifeChange change,
                                                                   const std::vector<SecretName>& names,
                                                                   const ChangeOptions& options) {
  std::vector<ChangedSecret> all;
  while (all.size() < names.size()) {
    const std::size_t begun = all.size();
    Batch batch;
    auto some = Retry([&]() -> Result<std::vector<ChangedSecret>> {
      GRANTFS_CHECK(EnterAll(names, Needed(change)));
      batch.clear();
      std::vector<ChangedSecret> made;
      while (begun + made.size() < names.size() && made.size() < kListsAtOnce) {
        made.push_back(GRANTFS_TRY(PrepareChange(change, names[begun + made.size()], options, batch)));
        Report("changing", begun + made.size(), names.size());
      }
      if (!options.dry_run && !batch.empty()) GRANTFS_TRY(Submit(batch));
      return made;
    });
    if (!some) return Halfway(some.error(), begun, names.size());
    if (change == LifeChange::kDestroy && !options.dry_run)
      for (const auto& list : batch) GRANTFS_CHECK(Noted(known_->FreeName(list.list.number)));
    std::move(some->begin(), some->end(), std::back_inserter(all));
  }
  return all;
}

Result<std::vector<SecretEvent>> OwnerSessionImpl::SecretEvents(const SecretName& name) {
  GRANTFS_CHECK(Enter(name.environment, Operation::kList));
  const SecretList list = GRANTFS_TRY(FetchSecret(name));
  std::vector<SecretEvent> all;
  const auto statements = list.Statements();
  for (auto statement = statements.rbegin(); statement != statements.rend(); ++statement) {
    const Statement& said = (*statement)->statement();
    all.push_back({said.sequence, said.time, NameOf(said.signer), ActName(said.act),
                   std::visit(AboutEvent{}, said.act), said.reason, list.IsVoided(said.sequence)});
  }
  return all;
}

}  // namespace grantfs

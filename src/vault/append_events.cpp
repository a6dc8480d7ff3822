#include <algorithm>
#include <iterator>
#include <optional>
#include <set>

#include "append_plan_internal.h"

namespace grantfs {
namespace {

using Numbers = std::vector<std::uint64_t>;

Numbers Joined(const Numbers& a, const Numbers& b) {
  Numbers both;
  std::set_union(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(both));
  return both;
}

/// The machines, in order, that may read a secret: by grants of their own, of their groups, and by prefix.
Numbers Grantees(const SecretList& list, const std::string& environment, const VaultState& state) {
  Numbers machines;
  std::set<std::uint64_t> groups;
  for (const auto& [key, standing] : list.grants()) {
    if (key.first == GranteeKind::kMachine) machines.push_back(key.second);  // ordered, as the keys are
    if (key.first == GranteeKind::kGroup) groups.insert(key.second);
  }
  if (const EnvironmentList* above = state.FindEnvironment(environment)) {
    for (const auto* one : above->groups().Covering(list.state().path))
      groups.insert(one->act.grant.grantee.number);
  }
  for (const std::uint64_t group : groups) machines = Joined(machines, state.MembersOf(environment, group));
  return machines;
}

Numbers MachinesOf(GranteeKind kind, std::uint64_t number, const std::string& environment,
                   const VaultState& state) {
  return kind == GranteeKind::kMachine ? Numbers{number} : state.MembersOf(environment, number);
}

WatchEvent SecretEvent(const Statement& statement, const AppendPlan::TouchedSecret& touched,
                       const VaultState& state) {
  const auto grantees = [&](const SecretList& list) { return Grantees(list, touched.environment, state); };
  WatchEvent event;
  event.what = api::ChangeKind::kVersion;
  event.secret = statement.list.number;
  event.environment = touched.environment;
  if (const auto* add = std::get_if<GrantAdd>(&statement.act)) {
    const Grantee& to = add->grant.grantee;
    event.what = api::ChangeKind::kGrant;
    event.machines = MachinesOf(to.kind, to.number, touched.environment, state);
  } else if (const auto* revoke = std::get_if<GrantRevoke>(&statement.act)) {
    event.what = api::ChangeKind::kRevoke;
    event.machines = MachinesOf(revoke->kind, revoke->number, touched.environment, state);
  } else if (IsAnyOf<SecretDestroy>(statement.act) && touched.before != nullptr) {
    event.what = api::ChangeKind::kRevoke;
    event.machines = grantees(*touched.before);
  } else if (IsAnyOf<Void>(statement.act) && touched.before != nullptr) {
    // What a void takes back may have been a grant or a revocation.
    event.machines = Joined(grantees(*touched.before), grantees(*touched.after));
  } else {
    event.machines = grantees(*touched.after);
  }
  return event;
}

/// Of many secrets at once: the machines look at all that they are granted.
std::optional<WatchEvent> GroupEvent(const Statement& statement, const VaultState& before,
                                     const VaultState& after) {
  const std::string& environment = statement.list.environment;
  const Act& act = statement.act;
  const auto event = [&](api::ChangeKind what, Numbers machines) {
    return WatchEvent{what, 0, environment, std::move(machines), 0};
  };
  if (const auto* grant = std::get_if<PrefixGrant>(&act))
    return event(api::ChangeKind::kGrant, after.MembersOf(environment, grant->grant.grantee.number));
  if (const auto* revoke = std::get_if<PrefixRevoke>(&act))
    return event(api::ChangeKind::kRevoke, before.MembersOf(environment, revoke->group));
  if (const auto* gone = std::get_if<GroupDelete>(&act))
    return event(api::ChangeKind::kRevoke, before.MembersOf(environment, gone->group));
  if (const auto* remove = std::get_if<GroupMachinesRemove>(&act))
    return event(api::ChangeKind::kRevoke, remove->machines);
  if (const auto* add = std::get_if<GroupMachinesAdd>(&act)) {
    Numbers machines;
    for (const Grantee& machine : add->machines) machines.push_back(machine.number);
    return event(api::ChangeKind::kGrant, std::move(machines));
  }
  return std::nullopt;
}

bool Same(const WatchEvent& a, const WatchEvent& b) {
  return a.what == b.what && a.secret == b.secret && a.environment == b.environment &&
         a.machines == b.machines;
}

}  // namespace

std::vector<WatchEvent> AppendPlan::Events() const {
  std::vector<WatchEvent> events;
  const auto add = [&](WatchEvent event) {
    const bool said =
        std::any_of(events.begin(), events.end(), [&](const auto& e) { return Same(e, event); });
    if (!said) events.push_back(std::move(event));
  };
  for (const Appended& one : appended_) {
    const Statement& statement = one.statement->statement();
    if (auto of_group = GroupEvent(statement, *before_, *after_)) add(*std::move(of_group));
    switch (statement.list.kind) {
      case ListKind::kVault:
        add({api::ChangeKind::kVault, 0, {}, {}});
        break;
      case ListKind::kMachines:
        add({api::ChangeKind::kMachine, 0, {}, {}});
        break;
      case ListKind::kEnvironment:
        add({api::ChangeKind::kEnvironment, 0, one.environment, {}});
        break;
      case ListKind::kSecret:
        add(SecretEvent(statement, secrets_.at(statement.list.number), *after_));
        break;
      case ListKind::kGroup:
        break;
    }
  }
  return events;
}

}  // namespace grantfs

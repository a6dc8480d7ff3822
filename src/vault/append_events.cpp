#include <algorithm>

#include "append_plan_internal.h"

namespace grantfs {
namespace {

std::vector<std::uint64_t> Grantees(const SecretList& list) {
  std::vector<std::uint64_t> machines;
  for (const auto& [key, standing] : list.grants()) {
    if (key.first == GranteeKind::kMachine) machines.push_back(key.second);
  }
  return machines;  // ordered, as the keys are
}

WatchEvent SecretEvent(const Statement& statement, const AppendPlan::TouchedSecret& touched) {
  WatchEvent event;
  event.what = api::ChangeKind::kVersion;
  event.secret = statement.list.number;
  event.environment = touched.environment;
  event.machines = Grantees(*touched.after);
  if (const auto* add = std::get_if<GrantAdd>(&statement.act)) {
    event.what = api::ChangeKind::kGrant;
    event.machines = {add->grant.grantee.number};
  } else if (const auto* revoke = std::get_if<GrantRevoke>(&statement.act)) {
    event.what = api::ChangeKind::kRevoke;
    event.machines = {revoke->number};
  } else if (IsAnyOf<SecretDestroy>(statement.act) && touched.before != nullptr) {
    event.what = api::ChangeKind::kRevoke;
    event.machines = Grantees(*touched.before);
  } else if (IsAnyOf<Void>(statement.act) && touched.before != nullptr) {
    // What a void takes back may have been a grant or a revocation.
    const auto before = Grantees(*touched.before);
    std::vector<std::uint64_t> both;
    std::set_union(before.begin(), before.end(), event.machines.begin(), event.machines.end(),
                   std::back_inserter(both));
    event.machines = std::move(both);
  }
  return event;
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
        add(SecretEvent(statement, secrets_.at(statement.list.number)));
        break;
      case ListKind::kGroup:
        break;
    }
  }
  return events;
}

}  // namespace grantfs

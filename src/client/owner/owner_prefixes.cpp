// Grants to a group of whatever is or will be below a prefix.

#include <algorithm>

#include "owner_internal.h"

namespace grantfs {

// The keys of what is there now go ahead by the batch; what comes later its writer seals. A secret that comes
// in between makes the vault refuse, and the rest is sealed by the next attempt.
Result<GrantResult> OwnerSessionImpl::GrantPrefix(const std::string& who, const std::string& environment,
                                                  const std::string& prefix, const GrantOptions& options) {
  GRANTFS_CHECK(CheckPrefix(prefix));
  GrantResult result;
  result.machine = who;
  result.prefix = environment + "/" + prefix;
  std::uint64_t number = 0;
  std::map<std::uint64_t, Head> sealed;
  Recipient sealed_to;
  std::vector<AskConsent::Item> waiting;
  const auto done = Retry([&]() -> Result<std::uint64_t> {
    GRANTFS_CHECK(Enter(environment, Operation::kGrant));
    EnvironmentList list = *keeper_->FindEnvironment(environment);
    const GrantedTo to = GRANTFS_TRY(GranteeNamed(who, environment));
    if (to.grantee.kind != GranteeKind::kGroup)
      return Error{
          Code::kInvalid,
          "a prefix is granted to a group: grantfs group create makes one; to a machine grant what is "
          "there now, as 'shop/prod/*'",
          0, who};
    GRANTFS_CHECK(CheckGroupKey(list, *list.groups().Find(to.grantee)));
    if (number != to.grantee.number || !(sealed_to == to.target.recipient)) sealed.clear();
    number = to.grantee.number;
    sealed_to = to.target.recipient;
    PrefixGrant act{prefix, options.terms};
    act.grant.grantee = to.grantee;
    const auto names = GRANTFS_TRY(ListNames(environment, prefix));
    result.secrets.clear();
    waiting.clear();
    for (const Listed& listed : names) {
      GrantOutcome outcome;
      outcome.secret = listed.name;
      outcome.needs_second = list.two_owners();  // who signs second seals the keys
      const SecretList secret = GRANTFS_TRY(keeper_->RefreshSecret(listed.number, listed.name, listed.head));
      const auto known = sealed.find(listed.number);
      if (outcome.needs_second)
        outcome.versions = secret.versions().size();
      else if (known == sealed.end() || known->second != listed.head || options.dry_run)
        outcome.versions = GRANTFS_TRY(SealVersionsTo(secret, list, to.target, options.dry_run));
      else
        outcome.versions = secret.versions().size();
      sealed[listed.number] = listed.head;
      result.secrets.push_back(std::move(outcome));
      Report("sealing", result.secrets.size(), names.size());
    }
    if (options.dry_run) return 0;
    if (list.two_owners()) {
      waiting = {ConsentTo(list, {&keeper_->vault(), nullptr}, act)};
      return 0;
    }
    const auto made = GRANTFS_TRY(Next(list, {&keeper_->vault(), nullptr}, act, options.reason));
    return Submit({{list.id(), {made}, {}}});
  });
  if (!done) return done.error();
  if (!waiting.empty())
    result.waiting = GRANTFS_TRY(Propose(environment, std::move(waiting), options.reason));
  if (*done != 0) result.followed = {WaitForGroup(environment, number, *done, options.wait)};
  return result;
}

Result<RevokeResult> OwnerSessionImpl::RevokePrefix(const std::string& who, const std::string& environment,
                                                    const std::string& prefix, const std::string& reason,
                                                    std::chrono::milliseconds wait) {
  RevokeResult result;
  result.machine = who;
  result.prefix = environment + "/" + prefix;
  std::uint64_t number = 0;
  const auto done = Retry([&]() -> Result<std::uint64_t> {
    GRANTFS_CHECK(Enter(environment, Operation::kGrant));
    EnvironmentList list = *keeper_->FindEnvironment(environment);
    number = GRANTFS_TRY(GranteeNamed(who, environment)).grantee.number;
    if (!list.groups().prefixes().contains({prefix, number}))
      return Error{Code::kNotFound, "that prefix is not granted to it: grantfs grants shows what is", 0,
                   who + " " + environment + "/" + prefix};
    const auto made =
        GRANTFS_TRY(Next(list, {&keeper_->vault(), nullptr}, PrefixRevoke{prefix, number}, reason));
    return Submit({{list.id(), {made}, {}}});
  });
  if (!done) return done.error();
  result.followed = {WaitForGroup(environment, number, *done, wait)};
  return result;
}

Result<OwnerSessionImpl::GrantedTo> OwnerSessionImpl::GranteeNamed(const std::string& who,
                                                                   const std::string& environment) {
  if (!who.starts_with("@")) {
    const auto* machine = keeper_->machines().FindByName(who);
    if (machine == nullptr) return GrantedTo{};
    const Identity& one = machine->identity;
    return GrantedTo{{GranteeKind::kMachine, machine->number, one.Id(), one.name, one.seal, one.not_after},
                     {{RecipientKind::kMachine, machine->number, 0}, one.seal, one.name}};
  }
  const auto* group = keeper_->FindEnvironment(environment)->groups().FindByName(who.substr(1));
  if (group == nullptr)
    return Error{Code::kNotFound, "there is no such group: grantfs group list shows those that there are", 0,
                 who + " of " + environment};
  return GrantedTo{group->AsGrantee(), {group->recipient(), group->seal(), who}};
}

std::vector<GrantInfo> OwnerSessionImpl::PrefixGrantsIn(const EnvironmentList& list) const {
  std::vector<GrantInfo> all;
  for (const auto& [key, standing] : list.groups().prefixes()) {
    const Statement& said = list.At(standing.sequence)->statement();
    GrantInfo info;
    info.secret = {list.name(), key.first};
    info.machine = "@" + standing.act.grant.grantee.name;
    info.machine_id = standing.act.grant.grantee.id.Hex();
    info.grant = standing.act.grant;
    info.time = said.time;
    info.signer = NameOf(said.signer);
    info.prefix = true;
    all.push_back(std::move(info));
  }
  return all;
}

Result<std::set<std::string>> OwnerSessionImpl::GroupsOf(const std::string& environment,
                                                         const std::string& machine) {
  std::set<std::string> names;
  const EnvironmentList& list = *keeper_->FindEnvironment(environment);
  if (list.groups().all().empty() || list.RoleOf(me_.Id()) != Role::kOwner) return names;
  GRANTFS_CHECK(keeper_->RefreshMachines());
  for (const auto& [number, group] : list.groups().all()) {
    const GroupList members = GRANTFS_TRY(keeper_->RefreshGroup(environment, number));
    for (const auto& [at, one] : keeper_->machines().machines()) {
      const bool named = one.identity.name == machine || one.identity.Id().Hex() == machine;
      if (named && !one.removed && members.Includes(one)) names.insert("@" + group.name);
    }
  }
  return names;
}

}  // namespace grantfs

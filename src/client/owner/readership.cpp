#include "grantfs/client/readership.h"

#include <algorithm>

namespace grantfs {
namespace {

GrantInfo ReadBy(const GrantInfo& grant, const SecretInfo& secret, const std::string& name,
                 const std::string& id) {
  GrantInfo one = grant;
  one.by = GrantedThrough(grant);
  one.secret = secret.name;
  one.type = secret.type;
  one.machine = name;
  one.machine_id = id;
  one.prefix = false;
  return one;
}

bool BeforeByPrefix(const GrantInfo* a, const GrantInfo* b) {
  const std::size_t a_size = a->secret.path.size(), b_size = b->secret.path.size();
  return a_size != b_size ? a_size > b_size : a->grant.grantee.number < b->grant.grantee.number;
}

}  // namespace

void GrantChoice::Offer(const GrantInfo& one, std::int64_t now) {
  const bool good = one.grant.expires == 0 || now < one.grant.expires;
  if (grant != nullptr && (stands || !good)) return;
  grant = &one;
  stands = good;
}

std::string GrantedThrough(const GrantInfo& grant) {
  if (!IsGroupName(grant.machine)) return {};
  return grant.prefix ? grant.machine + " " + grant.secret.Full() : grant.machine;
}

Readership::Readership(const SecretSurveys& secrets, const std::vector<GroupSurvey>& groups) {
  for (const auto& secret : secrets) {
    secrets_.emplace(secret->info.name, secret.get());
    for (const GrantInfo& grant : secret->grants) {
      granted_[grant.machine_id].push_back({secret.get(), &grant});
      if (!IsGroupName(grant.machine)) machines_.emplace(grant.machine_id, grant.machine);
    }
  }
  for (const GroupSurvey& group : groups) Take(group);
  for (auto& [environment, prefixes] : prefixes_)
    std::stable_sort(prefixes.begin(), prefixes.end(), BeforeByPrefix);
  for (auto& [machine, of] : groups_of_) {
    std::stable_sort(of.begin(), of.end(),
                     [](const auto* a, const auto* b) { return a->number < b->number; });
  }
}

void Readership::Take(const GroupSurvey& group) {
  groups_.emplace(group.id, &group);
  for (const GrantInfo& prefix : group.prefixes) prefixes_[group.environment].push_back(&prefix);
  for (const GroupMachine& machine : group.machines) {
    groups_of_[machine.id].push_back(&group);
    machines_.emplace(machine.id, machine.name);
  }
}

const SecretSurvey* Readership::FindSecret(const SecretName& name) const {
  const auto found = secrets_.find(name);
  return found == secrets_.end() ? nullptr : found->second;
}

const GroupSurvey* Readership::FindGroup(const std::string& id) const {
  const auto found = groups_.find(id);
  return found == groups_.end() ? nullptr : found->second;
}

std::vector<const GrantInfo*> Readership::Covering(const SecretName& secret) const {
  std::vector<const GrantInfo*> covering;
  const auto found = prefixes_.find(secret.environment);
  if (found == prefixes_.end()) return covering;
  for (const GrantInfo* one : found->second) {
    if (secret.path.starts_with(one->secret.path)) covering.push_back(one);
  }
  return covering;
}

std::vector<GrantInfo> Readership::OfSecret(const SecretSurvey& secret, std::int64_t now) const {
  std::map<std::pair<std::string, std::string>, GrantChoice> readers;  // by name and id
  std::map<std::string, const GrantInfo*> whole;  // groups by name, whose machines are not named
  const auto offer = [&](const GrantInfo& grant) {
    if (!IsGroupName(grant.machine)) return readers[{grant.machine, grant.machine_id}].Offer(grant, now);
    const GroupSurvey* group = FindGroup(grant.machine_id);
    if (group == nullptr || group->machines.empty())
      return static_cast<void>(whole.emplace(grant.machine, &grant));
    for (const GroupMachine& machine : group->machines) readers[{machine.name, machine.id}].Offer(grant, now);
  };
  for (const GrantInfo& grant : secret.grants) offer(grant);  // by kind and number: its own first
  for (const GrantInfo* prefix : Covering(secret.info.name)) offer(*prefix);
  std::vector<GrantInfo> all;
  for (const auto& [who, chosen] : readers)
    all.push_back(ReadBy(*chosen.grant, secret.info, who.first, who.second));
  for (const auto& [name, grant] : whole) all.push_back(ReadBy(*grant, secret.info, name, grant->machine_id));
  return all;
}

std::vector<GrantInfo> Readership::OfMachine(const std::string& id, std::int64_t now) const {
  std::map<SecretName, std::pair<const SecretSurvey*, GrantChoice>> readable;
  const auto offer = [&](const SecretSurvey* secret, const GrantInfo& grant) {
    auto& entry = readable[secret->info.name];
    entry.first = secret;
    entry.second.Offer(grant, now);
  };
  const auto offer_all = [&](const std::string& grantee) {
    const auto found = granted_.find(grantee);
    if (found == granted_.end()) return;
    for (const Granted& one : found->second) offer(one.secret, *one.grant);
  };
  offer_all(id);
  std::string name;
  std::vector<const GrantInfo*> prefixes;
  if (const auto found = groups_of_.find(id); found != groups_of_.end()) {
    for (const GroupSurvey* group : found->second) {
      offer_all(group->id);
      for (const GrantInfo& prefix : group->prefixes) prefixes.push_back(&prefix);
    }
  }
  std::stable_sort(prefixes.begin(), prefixes.end(), BeforeByPrefix);
  for (const GrantInfo* prefix : prefixes) {
    for (auto at = secrets_.lower_bound(prefix->secret);
         at != secrets_.end() && at->first.environment == prefix->secret.environment &&
         at->first.path.starts_with(prefix->secret.path);
         ++at)
      offer(at->second, *prefix);
  }
  if (const auto known = machines_.find(id); known != machines_.end()) name = known->second;
  std::vector<GrantInfo> all;
  for (const auto& [secret, entry] : readable)
    all.push_back(ReadBy(*entry.second.grant, entry.first->info, name, id));
  return all;
}

}  // namespace grantfs

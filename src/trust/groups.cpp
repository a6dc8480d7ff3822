#include "grantfs/trust/groups.h"

#include <algorithm>

namespace grantfs {
namespace {

Error Refused(const char* why, const std::string& subject) { return {Code::kInvalid, why, 0, subject}; }

Status CheckEpoch(const GroupEpoch& epoch, std::uint32_t number, bool first, std::uint32_t environment_epoch,
                  const std::string& name) {
  if (epoch.epoch.number != number) return Refused("the group's epoch is not the next one", name);
  if (epoch.epoch.previous.empty() != first)
    return Refused("a group's epoch carries the key before it, and only the first has none", name);
  if (epoch.environment_epoch != environment_epoch)
    return Refused("the group's epoch is not sealed to the environment's newest key", name);
  return {};
}

}  // namespace

const EnvironmentGroups::Group* EnvironmentGroups::Find(std::uint64_t number) const {
  const auto at = groups_.find(number);
  return at == groups_.end() ? nullptr : &at->second;
}

const EnvironmentGroups::Group* EnvironmentGroups::FindByName(const std::string& name) const {
  const auto at = std::find_if(groups_.begin(), groups_.end(),
                               [&](const auto& entry) { return entry.second.name == name; });
  return at == groups_.end() ? nullptr : &at->second;
}

const EnvironmentGroups::Group* EnvironmentGroups::Find(const Grantee& grantee) const {
  const Group* group = grantee.kind == GranteeKind::kGroup ? Find(grantee.number) : nullptr;
  return group != nullptr && group->AsGrantee() == grantee ? group : nullptr;
}

const EnvironmentGroups::StandingPrefix* EnvironmentGroups::FindPrefix(const PrefixKey& key) const {
  const auto at = prefixes_.find(key);
  return at != prefixes_.end() && (at->second.by_two || !two_owners_) ? &at->second : nullptr;
}

std::vector<const EnvironmentGroups::StandingPrefix*> EnvironmentGroups::Covering(
    const std::string& path) const {
  std::vector<const StandingPrefix*> covering;
  for (const auto& [key, standing] : prefixes_) {
    if (path.starts_with(key.first) && (standing.by_two || !two_owners_)) covering.push_back(&standing);
  }
  // Prefixes of one path, in order, are the longer the later; of one prefix the groups are in order.
  std::stable_sort(covering.begin(), covering.end(),
                   [](const auto* a, const auto* b) { return a->act.prefix.size() > b->act.prefix.size(); });
  return covering;
}

std::vector<std::uint64_t> EnvironmentGroups::OwingEpoch(std::uint32_t environment_epoch) const {
  std::vector<std::uint64_t> owing;
  for (const auto& [number, group] : groups_) {
    if (OwesEpoch(group, environment_epoch)) owing.push_back(number);
  }
  return owing;
}

void EnvironmentGroups::SetRule(bool two_owners, std::uint64_t sequence) {
  two_owners_ = two_owners;
  rule_since_ = sequence;
}

bool EnvironmentGroups::Takes(const Act& act) {
  return IsAnyOf<GroupCreate, GroupEpochStart, GroupDelete, PrefixGrant, PrefixRevoke>(act);
}

Status EnvironmentGroups::Apply(const Act& act, std::uint64_t sequence, std::uint32_t environment_epoch,
                                bool by_two) {
  if (const auto* create = std::get_if<GroupCreate>(&act))
    return Create(*create, sequence, environment_epoch);
  if (const auto* start = std::get_if<GroupEpochStart>(&act))
    return Start(*start, sequence, environment_epoch);
  if (const auto* gone = std::get_if<GroupDelete>(&act)) return Delete(*gone);
  if (const auto* grant = std::get_if<PrefixGrant>(&act)) return Add(*grant, sequence, by_two);
  if (const auto* revoke = std::get_if<PrefixRevoke>(&act)) return Remove(*revoke);
  return {};
}

Status EnvironmentGroups::Create(const GroupCreate& act, std::uint64_t sequence,
                                 std::uint32_t environment_epoch) {
  if (FindByName(act.name) != nullptr) return Refused("a group of this name exists already", act.name);
  if (groups_.size() >= kMaxGroups) return Refused("an environment has at most 1000 groups", act.name);
  GRANTFS_CHECK(CheckEpoch(act.epoch, 1, true, environment_epoch, act.name));
  if (act.epoch.list_sequence != 0 || act.epoch.list_hash != act.genesis)
    return Refused("a group's first epoch is that of its list's first statement", act.name);
  groups_[sequence] = {sequence, act.name, act.genesis, {act.epoch}, sequence};
  return {};
}

Status EnvironmentGroups::Start(const GroupEpochStart& act, std::uint64_t sequence,
                                std::uint32_t environment_epoch) {
  const auto at = groups_.find(act.group);
  if (at == groups_.end()) return Refused("there is no such group", std::to_string(act.group));
  Group& group = at->second;
  const GroupEpoch& before = group.newest();
  GRANTFS_CHECK(CheckEpoch(act.epoch, before.epoch.number + 1, false, environment_epoch, group.name));
  if (act.epoch.list_sequence < before.list_sequence ||
      (act.epoch.list_sequence == before.list_sequence && act.epoch.list_hash != before.list_hash))
    return Refused("the group's epoch goes back to an older statement of the group's list", group.name);
  group.epochs.push_back(act.epoch);
  group.newest_sequence = sequence;
  return {};
}

Status EnvironmentGroups::Delete(const GroupDelete& act) {
  if (groups_.erase(act.group) == 0) return Refused("there is no such group", std::to_string(act.group));
  std::erase_if(prefixes_, [&](const auto& entry) { return entry.first.second == act.group; });
  return {};
}

Status EnvironmentGroups::Add(const PrefixGrant& act, std::uint64_t sequence, bool by_two) {
  const Grantee& grantee = act.grant.grantee;
  if (Find(grantee) == nullptr) return Refused("there is no such group", grantee.name);
  const PrefixKey key{act.prefix, grantee.number};
  if (!prefixes_.contains(key) && prefixes_.size() >= kMaxPrefixGrants)
    return Refused("an environment has at most 1000 grants by prefix", act.prefix);
  prefixes_[key] = {act, sequence, by_two};
  return {};
}

Status EnvironmentGroups::Remove(const PrefixRevoke& act) {
  if (prefixes_.erase({act.prefix, act.group}) == 0)
    return Refused("there is no such grant to revoke", act.prefix);
  return {};
}

void EnvironmentGroups::Clear() {
  groups_.clear();
  prefixes_.clear();
  two_owners_ = false;
  rule_since_ = 0;
}

}  // namespace grantfs

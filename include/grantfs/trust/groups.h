#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "grantfs/trust/acts.h"
#include "grantfs/trust/sealing.h"

namespace grantfs {

/// The groups of one environment with their epochs, and what is granted to them by prefix: a part of the
/// environment's list, which everyone verifies. Who is in a group stands in the group's own list
/// (group_list.h).
class EnvironmentGroups {
 public:
  struct Group {
    std::uint64_t number = 0;  ///< sequence of its GroupCreate: its address as a recipient and grantee
    std::string name;
    Hash genesis;
    std::vector<GroupEpoch> epochs;     ///< [0] is number 1
    std::uint64_t newest_sequence = 0;  ///< of the statement that started the newest
    const GroupEpoch& newest() const { return epochs.back(); }
    const SealKey& seal() const { return newest().epoch.key; }
    Recipient recipient() const { return {RecipientKind::kGroup, number, newest().epoch.number}; }
    /// As grants name it.
    Grantee AsGrantee() const { return {GranteeKind::kGroup, number, genesis, name, {}, 0}; }
  };
  struct StandingPrefix {
    PrefixGrant act;
    std::uint64_t sequence = 0;  ///< of the statement that granted
    bool by_two = false;         ///< two owners signed it
  };
  using PrefixKey = std::pair<std::string, std::uint64_t>;  ///< prefix, group

  const std::map<std::uint64_t, Group>& all() const { return groups_; }  ///< by number; none that was deleted
  const std::map<PrefixKey, StandingPrefix>& prefixes() const { return prefixes_; }
  const Group* Find(std::uint64_t number) const;
  const Group* FindByName(const std::string& name) const;
  /// The group that a grant means, if it is there.
  const Group* Find(const Grantee& grantee) const;
  /// Those in force that cover the path, the more specific before the less, the older group before the
  /// younger.
  std::vector<const StandingPrefix*> Covering(const std::string& path) const;
  /// The standing grant of that prefix and group, if it is in force (by the two-owner rule); nullptr: none.
  const StandingPrefix* FindPrefix(const PrefixKey& key) const;
  /// Whether its newest key is from before the two-owner rule, which holds: whoever was in the group by one
  /// owner's signature may have it, so that it owes an epoch, nothing is sealed to it and no machine reads by
  /// it.
  bool IsOlderThanRule(const Group& group) const {
    return two_owners_ && group.newest_sequence < rule_since_;
  }
  /// Whether it owes an epoch for that, or since its newest was sealed to a key of the environment's before
  /// the newest, `environment_epoch`.
  bool OwesEpoch(const Group& group, std::uint32_t environment_epoch) const {
    return group.newest().environment_epoch < environment_epoch || IsOlderThanRule(group);
  }
  std::vector<std::uint64_t> OwingEpoch(std::uint32_t environment_epoch) const;

  /// Whether the act is one of these.
  static bool Takes(const Act& act);
  /// @param environment_epoch  the newest.  @param by_two  two owners have signed it.
  /// Errors: kInvalid; nothing is changed then.
  Status Apply(const Act& act, std::uint64_t sequence, std::uint32_t environment_epoch, bool by_two);
  /// Whether grants need two owners' signatures from now on. @param sequence  of the statement that says so
  void SetRule(bool two_owners, std::uint64_t sequence);
  void Clear();

 private:
  Status Create(const GroupCreate& act, std::uint64_t sequence, std::uint32_t environment_epoch);
  Status Start(const GroupEpochStart& act, std::uint64_t sequence, std::uint32_t environment_epoch);
  Status Delete(const GroupDelete& act);
  Status Add(const PrefixGrant& act, std::uint64_t sequence, bool by_two);
  Status Remove(const PrefixRevoke& act);
  std::map<std::uint64_t, Group> groups_;
  std::map<PrefixKey, StandingPrefix> prefixes_;
  bool two_owners_ = false;
  std::uint64_t rule_since_ = 0;
};

}  // namespace grantfs

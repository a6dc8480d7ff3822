#pragma once

#include <algorithm>

#include "grantfs/trust/group_list.h"
#include "world.h"

namespace grantfs::testing {

/// A world with the group "web".
class GroupsTest : public ::testing::Test {
 protected:
  GroupsTest() { number = Create("web"); }

  GroupCopyTarget Environment() const {
    return {{RecipientKind::kEnvironment, world.vault.environments().at("shop/prod").number,
             world.environment.newest_epoch().number},
            world.environment.newest_epoch().key};
  }
  /// What creates a group, and the first statement of its list.
  std::pair<GroupCreate, SignedList::StatementPtr> Made(const std::string& name) {
    GroupList begun("shop/prod", world.environment.next_sequence());
    const auto genesis =
        world.Made(begun, world.owner, GroupListCreate{"shop/prod", begun.id().number, name});
    auto epoch = Must(MakeGroupEpoch({Environment()}, 1, nullptr));
    key = std::move(epoch.key);
    return {
        {name, genesis->hash(), {epoch.epoch, world.environment.newest_epoch().number, 0, genesis->hash()}},
        genesis};
  }
  std::uint64_t Create(const std::string& name) {
    const std::uint64_t made = world.environment.next_sequence();
    const auto [create, genesis] = Made(name);
    EXPECT_TRUE(world.Add(world.environment, world.owner, create));
    list = GroupList("shop/prod", made);
    EXPECT_TRUE(list.Append(genesis, world.Upper()));
    return made;
  }
  Grantee Machine(const PrivateIdentity& who, std::uint64_t at) const {
    return {GranteeKind::kMachine, at, who.Id(), who.identity().name, who.identity().seal, 0};
  }
  GroupEpoch NextEpoch(std::uint64_t group, const std::vector<GroupCopyTarget>& more = {}) {
    auto targets = more;
    targets.push_back(Environment());
    auto made = Must(MakeGroupEpoch(targets, Group(group).newest().epoch.number + 1, &key));
    key = std::move(made.key);
    return {made.epoch, world.environment.newest_epoch().number, list.head()->sequence, list.head()->hash};
  }
  Status Start(const GroupEpoch& epoch) {
    return world.Add(world.environment, world.owner, GroupEpochStart{number, epoch});
  }
  const EnvironmentGroups::Group& Group(std::uint64_t at) const {
    return *world.environment.groups().Find(at);
  }
  Grant GrantOf(std::uint64_t group) const {
    Grant grant;
    grant.grantee = Group(group).AsGrantee();
    return grant;
  }
  Status GrantPrefix(const std::string& prefix, const Grant& grant) {
    return world.Add(world.environment, world.owner, PrefixGrant{prefix, grant});
  }
  Status AddMachine(const PrivateIdentity& who, std::uint64_t at) {
    return world.Add(list, world.owner, GroupMachinesAdd{1, {Machine(who, at)}, {}});
  }
  /// Lets a machine in by an invitation. @return its number
  std::uint64_t Enrol(const PrivateIdentity& who, const InviteSecret& invite) {
    EXPECT_TRUE(
        world.Add(world.machines, world.owner, InvitationCreate{InvitationOf(invite, who.identity().name)}));
    const std::uint64_t at = world.machines.next_sequence();
    EXPECT_TRUE(world.Add(world.machines, world.owner,
                          MachineApprove{Must(MakeEnrolment(world.vault.vault_id(), invite, who))}));
    return at;
  }
  /// Begins a standing invitation. @return its number
  std::uint64_t Stand(const InviteSecret& invite) {
    const std::uint64_t at = world.machines.next_sequence();
    EXPECT_TRUE(world.Add(world.machines, world.owner, InvitationStand{StandingOf(invite)}));
    return at;
  }
  /// Lets a machine in by a standing invitation. @return its number
  std::uint64_t Join(const PrivateIdentity& who, const InviteSecret& invite) {
    const std::uint64_t at = world.machines.next_sequence();
    EXPECT_TRUE(world.Add(world.machines, who,
                          MachineJoin{Must(MakeEnrolment(world.vault.vault_id(), invite, who)), 0}));
    return at;
  }
  std::vector<Recipient> Recipients() const {
    std::vector<Recipient> to;
    for (const auto& target : world.secret.SealTargets(1'700'000'000, world.Upper()))
      to.push_back(target.recipient);
    return to;
  }
  std::size_t CopiesForGroups() const {
    const auto to = Recipients();
    return static_cast<std::size_t>(std::count_if(
        to.begin(), to.end(), [](const Recipient& one) { return one.kind == RecipientKind::kGroup; }));
  }

  World world;
  UnsealKey key;
  GroupList list{"shop/prod", 1};
  std::uint64_t number = 0;
};

}  // namespace grantfs::testing

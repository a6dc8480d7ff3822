// What a restored backup may not bring back of groups.

#include "grantfs/trust/restore.h"
#include "groups_fixture.h"

namespace grantfs::testing {
namespace {

TEST_F(GroupsTest, ARestoredBackupBringsNoMachineBackAndStartsANewEpoch) {
  const auto web1 = Enrol(world.web1, Must(InviteSecret::Generate()));
  ASSERT_TRUE(AddMachine(world.web1, web1));
  const GroupList backup = list;
  ASSERT_TRUE(world.Add(list, world.owner, GroupMachinesRemove{{web1}}));
  const auto seen = list.Statements();
  GroupList restored = backup;
  Statement statement = world.Next(restored, world.owner, Restore{*restored.head(), {}, "", 0, {}, 0});
  statement.sequence = 1000;
  ASSERT_TRUE(restored.Append(world.Sign(statement, world.owner), world.Upper()));
  EXPECT_TRUE(Must(restored.EpochIsDue(Group(number))));
  EXPECT_FALSE(CheckRestored(seen, restored));
  ASSERT_TRUE(world.Add(restored, world.owner, GroupMachinesRemove{{web1}}));
  EXPECT_TRUE(CheckRestored(seen, restored));
}

TEST_F(GroupsTest, NobodyReturnsToOneWithARestoredBackup) {
  ASSERT_TRUE(AddMachine(world.web1, 2));
  const auto invite = Must(InviteSecret::Generate());
  ASSERT_TRUE(world.Add(list, world.owner,
                        GroupInvitationAdd{5, invite.id(), invite.unseal_key().seal_key(), 0, 1, {}}));
  const GroupList backup = list;
  ASSERT_TRUE(world.Add(list, world.owner, GroupMachinesRemove{{2}}));
  ASSERT_TRUE(world.Add(list, world.owner, GroupInvitationRemove{5, 5}));
  const auto seen = list.Statements();
  GroupList restored = backup;
  EXPECT_FALSE(CheckRestored(seen, restored)) << "a backup that nobody accepts";
  Statement accept = world.Next(restored, world.owner, Restore{*restored.head(), {}, "", 0, {}, 0});
  accept.sequence = 1000;
  ASSERT_TRUE(restored.Append(world.Sign(accept, world.owner), world.Upper()));
  EXPECT_FALSE(CheckRestored(seen, restored)) << "web-1 is back";
  ASSERT_TRUE(world.Add(restored, world.owner, GroupMachinesRemove{{2}}));
  EXPECT_FALSE(CheckRestored(seen, restored)) << "the invitation leads into it again";
  ASSERT_TRUE(world.Add(restored, world.owner, GroupInvitationRemove{5, 5}));
  EXPECT_TRUE(CheckRestored(seen, restored));
  // An owner may add it anew: that is not the backup's doing.
  ASSERT_TRUE(world.Add(restored, world.owner, GroupMachinesAdd{1, {Machine(world.web1, 2)}, {}}));
  EXPECT_TRUE(CheckRestored(seen, restored));
}

TEST_F(GroupsTest, WhatOneWasGrantedByPrefixDoesNotReturnWithABackup) {
  ASSERT_TRUE(GrantPrefix("tls/", GrantOf(number)));
  ASSERT_TRUE(GrantPrefix("app/", GrantOf(number)));
  const EnvironmentList backup = world.environment;
  const auto undone = [&] {
    return UndoneBy(ListMemory::Of(world.environment.Statements()), backup, backup.next_sequence());
  };
  EXPECT_TRUE(undone().empty());
  Grant narrower = GrantOf(number);
  narrower.expires = 1'800'000'000;
  ASSERT_TRUE(GrantPrefix("app/", narrower));
  ASSERT_TRUE(world.Add(world.environment, world.owner, PrefixRevoke{"tls/", number}));
  EXPECT_EQ(undone().prefixes, (std::vector<EnvironmentGroups::PrefixKey>{{"tls/", number}}));
  ASSERT_EQ(undone().wider_prefixes.size(), 1U);
  EXPECT_EQ(undone().wider_prefixes[0]->statement().sequence, backup.next_sequence());
  ASSERT_TRUE(world.Add(world.environment, world.owner, GroupDelete{number}));
  EXPECT_EQ(undone().groups, std::vector<std::uint64_t>{number});
}

}  // namespace
}  // namespace grantfs::testing

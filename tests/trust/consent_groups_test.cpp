// The two-owner rule over groups and grants by prefix.

#include "consent_fixture.h"

namespace grantfs::testing {
namespace {

class GroupConsentTest : public ConsentTest {
 protected:
  GroupList MakeGroup() {
    GroupList list("shop/prod", world.environment.next_sequence());
    const auto genesis = world.Made(list, world.owner, GroupListCreate{"shop/prod", list.id().number, "web"});
    const GroupCopyTarget environment{
        {RecipientKind::kEnvironment, world.vault.environments().at("shop/prod").number, 1},
        world.environment.newest_epoch().key};
    const GroupEpoch epoch{Must(MakeGroupEpoch({environment}, 1, nullptr)).epoch, 1, 0, genesis->hash()};
    EXPECT_TRUE(world.Add(world.environment, world.owner, GroupCreate{"web", genesis->hash(), epoch}));
    EXPECT_TRUE(list.Append(genesis, world.Upper()));
    return list;
  }
};

TEST_F(GroupConsentTest, AdditionsToAGroupAndGrantsByPrefixNeedTwo) {
  // The group stood before the rule; who is in it stays.
  GroupList list = MakeGroup();
  const Grantee web1 = world.GrantTo(world.web1, 3).grantee;
  const GroupMachinesAdd add{1, {web1}, Hash{}};
  EXPECT_FALSE(world.Add(list, world.owner, add));
  const Agreement agreement = Agree(list, world.second, add);
  GroupMachinesAdd sealed = add;  // whoever publishes it seals the key, of whatever epoch it is then
  sealed.epoch = 2;
  sealed.copies_root.bytes[0] = 5;
  ASSERT_TRUE(Agreed(list, world.owner, sealed, agreement));
  ASSERT_TRUE(world.Add(list, world.second, GroupMachinesRemove{{3}})) << "taking out needs one";
  EXPECT_FALSE(Agreed(list, world.owner, sealed, agreement)) << "an old pair brings nobody back";
  const GroupInvitationAdd invite{9, std::string(32, 'a'), world.web1.identity().seal, 0, 1, Hash{}};
  EXPECT_FALSE(world.Add(list, world.owner, invite));
  EXPECT_TRUE(Agreed(list, world.owner, invite, Agree(list, world.second, invite)));

  Grant to_web;
  to_web.grantee = world.environment.groups().FindByName("web")->AsGrantee();
  const PrefixGrant prefix{"", to_web};
  EXPECT_FALSE(world.Add(world.environment, world.owner, prefix));
  EXPECT_EQ(world.secret.SealTargets(kConsentTime, world.Upper()).size(), 1u);
  EXPECT_TRUE(Agreed(world.environment, world.owner, world.second, prefix));
  EXPECT_EQ(world.secret.SealTargets(kConsentTime, world.Upper()).size(), 2u);
}

TEST_F(GroupConsentTest, AGrantByPrefixFromBeforeTheRuleIsNotInForceUntilTwoHaveSigned) {
  World fresh;
  world = std::move(fresh);
  MakeGroup();
  Grant to_web;
  to_web.grantee = world.environment.groups().FindByName("web")->AsGrantee();
  ASSERT_TRUE(world.Add(world.environment, world.owner, PrefixGrant{"", to_web}));
  EXPECT_EQ(world.secret.SealTargets(kConsentTime, world.Upper()).size(), 2u);
  TurnOn();
  EXPECT_EQ(world.secret.SealTargets(kConsentTime, world.Upper()).size(), 1u);
  const EnvironmentGroups& groups = world.environment.groups();
  const EnvironmentGroups::PrefixKey key{"", to_web.grantee.number};
  EXPECT_TRUE(groups.prefixes().contains(key));
  EXPECT_EQ(groups.FindPrefix(key), nullptr) << "one owner's, from before the rule";
  ASSERT_TRUE(Agreed(world.environment, world.owner, world.second, PrefixGrant{"", to_web}));
  EXPECT_NE(groups.FindPrefix(key), nullptr);
  EXPECT_EQ(world.secret.SealTargets(kConsentTime, world.Upper()).size(), 2u);
}

}  // namespace
}  // namespace grantfs::testing

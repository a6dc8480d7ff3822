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
  /// Lets a machine in. @return as groups name it
  Grantee Enrol(const PrivateIdentity& who) {
    const auto invite = Must(InviteSecret::Generate());
    EXPECT_TRUE(
        world.Add(world.machines, world.owner, InvitationCreate{InvitationOf(invite, who.identity().name)}));
    const std::uint64_t at = world.machines.next_sequence();
    EXPECT_TRUE(world.Add(world.machines, world.owner,
                          MachineApprove{Must(MakeEnrolment(world.vault.vault_id(), invite, who))}));
    return {GranteeKind::kMachine, at, who.Id(), who.identity().name, who.identity().seal, 0};
  }
  void BeforeTheRule() {
    World fresh;
    world = std::move(fresh);
  }
  std::size_t Targets(const GroupList& list) const {
    return list.EpochTargets(world.machines, world.Upper(), kConsentTime).size();
  }
  GroupList::SignedByOne ByOne(const GroupList& list) const {
    return list.FindSignedByOne(world.machines, world.vault, kConsentTime);
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
  BeforeTheRule();
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

TEST_F(GroupConsentTest, WhomOneOwnerPutInHasNoneOfTheNextKeysUntilTwoHaveSigned) {
  BeforeTheRule();
  GroupList list = MakeGroup();
  const Grantee web1 = Enrol(world.web1);
  ASSERT_TRUE(world.Add(list, world.owner, GroupMachinesAdd{1, {web1}, {}}));
  ASSERT_EQ(ByOne(list).machines, std::vector<Grantee>{web1});
  EXPECT_EQ(Targets(list), 1u);
  TurnOn();
  EXPECT_EQ(Targets(list), 0u) << "the next key is sealed to nobody whom one owner put in";
  EXPECT_TRUE(list.Members(world.machines).contains(web1.number));
  EXPECT_FALSE(world.Add(list, world.owner, GroupMachinesAdd{1, {web1}, {}}));
  const Agreement agreement = Agree(list, world.second, GroupMachinesAdd{1, {web1}, {}});
  ASSERT_TRUE(Agreed(list, world.owner, GroupMachinesAdd{1, {web1}, {}}, agreement))
      << "signed again, by two";
  EXPECT_EQ(Targets(list), 1u);
  EXPECT_TRUE(ByOne(list).empty());
  EXPECT_FALSE(Agreed(list, world.owner, GroupMachinesAdd{1, {web1}, {}},
                      Agree(list, world.second, GroupMachinesAdd{1, {web1}, {}})))
      << "and not once more";
  Grantee forged = web1;
  forged.seal = world.web2.identity().seal;
  EXPECT_FALSE(Agreed(list, world.owner, GroupMachinesAdd{1, {forged}, {}},
                      Agree(list, world.second, GroupMachinesAdd{1, {forged}, {}})))
      << "another key under its number";
  ASSERT_TRUE(world.Add(list, world.owner, GroupMachinesRemove{{web1.number}}));
  EXPECT_EQ(Targets(list), 0u);
  EXPECT_FALSE(Agreed(list, world.owner, GroupMachinesAdd{1, {web1}, {}}, agreement));
}

TEST_F(GroupConsentTest, AStandingInvitationOfOneOwnersLeadsToNoKeyUntilTwoHaveSigned) {
  BeforeTheRule();
  GroupList list = MakeGroup();
  const auto invite = Must(InviteSecret::Generate());
  const std::uint64_t at = world.machines.next_sequence();
  ASSERT_TRUE(world.Add(world.machines, world.owner, InvitationStand{StandingOf(invite)}));
  const GroupInvitationAdd leads{at, invite.id(), invite.unseal_key().seal_key(), 1'700'086'400, 1, {}};
  ASSERT_TRUE(world.Add(list, world.owner, leads));
  const std::uint64_t came = world.machines.next_sequence();
  ASSERT_TRUE(world.Add(world.machines, world.web1,
                        MachineJoin{Must(MakeEnrolment(world.vault.vault_id(), invite, world.web1)), 0}));
  EXPECT_EQ(ByOne(list).invitations.size(), 1u);
  EXPECT_TRUE(ByOne(list).machines.empty()) << "who came by it is signed for with it";
  EXPECT_EQ(Targets(list), 2u);
  TurnOn();
  EXPECT_EQ(Targets(list), 0u);
  GroupInvitationAdd longer = leads;
  longer.expires += 1;
  EXPECT_FALSE(Agreed(list, world.owner, longer, Agree(list, world.second, longer))) << "it is another's end";
  EXPECT_FALSE(world.Add(list, world.owner, leads));
  ASSERT_TRUE(Agreed(list, world.owner, leads, Agree(list, world.second, leads)));
  EXPECT_EQ(Targets(list), 2u);
  EXPECT_TRUE(ByOne(list).empty());
  // It ends: who came by it stays as two have signed.
  ASSERT_TRUE(world.Add(list, world.owner, GroupInvitationRemove{at, came}));
  EXPECT_EQ(Targets(list), 1u);
  EXPECT_TRUE(list.IsByTwo(world.machines.machines().at(came)));
  EXPECT_FALSE(Agreed(list, world.owner, leads, Agree(list, world.second, leads)))
      << "nor does it begin again";
}

TEST_F(GroupConsentTest, WhomOneOwnerPutBackIsNotInItByTheInvitationThatTwoSigned) {
  BeforeTheRule();
  GroupList list = MakeGroup();
  const auto invite = Must(InviteSecret::Generate());
  const std::uint64_t at = world.machines.next_sequence();
  ASSERT_TRUE(world.Add(world.machines, world.owner, InvitationStand{StandingOf(invite)}));
  const GroupInvitationAdd leads{at, invite.id(), invite.unseal_key().seal_key(), 1'700'086'400, 1, {}};
  ASSERT_TRUE(Agreed(list, world.owner, leads, Agree(list, world.second, leads)));
  const std::uint64_t came = world.machines.next_sequence();
  ASSERT_TRUE(world.Add(world.machines, world.web1,
                        MachineJoin{Must(MakeEnrolment(world.vault.vault_id(), invite, world.web1)), 0}));
  EXPECT_TRUE(ByOne(list).empty());
  const std::vector<Grantee> web1{list.Members(world.machines).at(came)};
  const Agreement early = Agree(list, world.second, GroupMachinesAdd{1, web1, {}});
  ASSERT_TRUE(world.Add(list, world.owner, GroupMachinesRemove{{came}}));
  EXPECT_FALSE(Agreed(list, world.owner, GroupMachinesAdd{1, web1, {}}, early)) << "it was taken out since";
  ASSERT_TRUE(world.Add(list, world.owner, GroupMachinesAdd{1, web1, {}})) << "the rule does not hold yet";
  EXPECT_EQ(ByOne(list).machines, web1);
  TurnOn();
  EXPECT_EQ(Targets(list), 1u) << "the invitation alone";
}

TEST_F(GroupConsentTest, AnInvitationThatEndedLeavesItsMachinesToBeSignedForByThemselves) {
  BeforeTheRule();
  GroupList list = MakeGroup();
  const auto invite = Must(InviteSecret::Generate());
  const std::uint64_t at = world.machines.next_sequence();
  ASSERT_TRUE(world.Add(world.machines, world.owner, InvitationStand{StandingOf(invite)}));
  const GroupInvitationAdd leads{at, invite.id(), invite.unseal_key().seal_key(), 1'700'086'400, 1, {}};
  ASSERT_TRUE(world.Add(list, world.owner, leads));
  const std::uint64_t came = world.machines.next_sequence();
  ASSERT_TRUE(world.Add(world.machines, world.web1,
                        MachineJoin{Must(MakeEnrolment(world.vault.vault_id(), invite, world.web1)), 0}));
  ASSERT_TRUE(world.Add(list, world.owner, GroupInvitationRemove{at, came}));
  TurnOn();
  ASSERT_EQ(ByOne(list).machines.size(), 1u);
  EXPECT_EQ(ByOne(list).machines.front().number, came);
  EXPECT_EQ(Targets(list), 0u);
  const GroupMachinesAdd add{1, ByOne(list).machines, {}};
  ASSERT_TRUE(Agreed(list, world.owner, add, Agree(list, world.second, add)));
  EXPECT_TRUE(ByOne(list).empty());
  EXPECT_EQ(Targets(list), 1u);
}

TEST_F(GroupConsentTest, AgreementsAboutDifferentMachinesStandBesideEachOther) {
  GroupList list = MakeGroup();
  const Grantee web1 = world.GrantTo(world.web1, 3).grantee;
  const Grantee web2 = world.GrantTo(world.web2, 4).grantee;
  const Agreement first = Agree(list, world.second, GroupMachinesAdd{1, {web1}, {}});
  const Agreement other = Agree(list, world.second, GroupMachinesAdd{1, {web2}, {}});
  const Agreement both = Agree(list, world.second, GroupMachinesAdd{1, {web1, web2}, {}});
  ASSERT_TRUE(Agreed(list, world.owner, GroupMachinesAdd{1, {web1}, {}}, first));
  EXPECT_FALSE(Agreed(list, world.owner, GroupMachinesAdd{1, {web1, web2}, {}}, both))
      << "one of them is another's";
  EXPECT_TRUE(Agreed(list, world.owner, GroupMachinesAdd{1, {web2}, {}}, other));
  ASSERT_TRUE(world.Add(list, world.owner, GroupMachinesRemove{{3, 4}}));
  EXPECT_FALSE(Agreed(list, world.owner, GroupMachinesAdd{1, {web1, web2}, {}}, both));
  EXPECT_FALSE(Agreed(list, world.owner, GroupMachinesAdd{1, {web2}, {}}, other)) << "it was taken out since";
}

TEST_F(GroupConsentTest, AKeyFromBeforeTheRuleIsNotUsedAnyMore) {
  BeforeTheRule();
  GroupList list = MakeGroup();
  Grant to_web;
  to_web.grantee = world.environment.groups().FindByName("web")->AsGrantee();
  ASSERT_TRUE(Agreed(world.environment, world.owner, world.second, PrefixGrant{"", to_web}));
  const EnvironmentGroups& groups = world.environment.groups();
  const std::uint64_t number = to_web.grantee.number;
  EXPECT_TRUE(Publish(world.owner));
  EXPECT_TRUE(groups.OwingEpoch(1).empty());
  TurnOn();
  EXPECT_TRUE(groups.IsOlderThanRule(*groups.Find(number)));
  EXPECT_EQ(groups.OwingEpoch(1), std::vector<std::uint64_t>{number});
  const Status published = Publish(world.owner);
  ASSERT_FALSE(published) << "whoever one owner put in may have it";
  EXPECT_EQ(published.error().code, Code::kConflict);
  const GroupCopyTarget environment{
      {RecipientKind::kEnvironment, world.vault.environments().at("shop/prod").number, 1},
      world.environment.newest_epoch().key};
  const auto before = Must(MakeGroupEpoch({environment}, 1, nullptr));
  const GroupEpoch next{Must(MakeGroupEpoch({environment}, 2, &before.key)).epoch, 1, 0, list.head()->hash};
  ASSERT_TRUE(world.Add(world.environment, world.owner, GroupEpochStart{number, next}));
  EXPECT_FALSE(groups.IsOlderThanRule(*groups.Find(number)));
  EXPECT_TRUE(groups.OwingEpoch(1).empty());
  EXPECT_TRUE(Publish(world.owner));
}

}  // namespace
}  // namespace grantfs::testing

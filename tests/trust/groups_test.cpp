// Groups: their epochs, what is granted to them, and the list of who is in one.

#include "groups_fixture.h"

namespace grantfs::testing {
namespace {

TEST_F(GroupsTest, ListsHaveNamesOfTheirOwn) {
  const ListId id = ListId::Group("shop/prod", 4);
  EXPECT_EQ(id.Text(), "group/shop/prod/4");
  EXPECT_EQ(Must(ListId::Parse(id.Text())), id);
  for (const char* bad : {"group/shop/prod", "group/shop/4", "group/shop/prod/0", "group/shop/prod/04",
                          "group/shop/prod/x", "group/shop/prod/4/5", "group//prod/4", "group/"})
    EXPECT_FALSE(ListId::Parse(bad)) << bad;
}

TEST_F(GroupsTest, OneNameIsOneGroupUntilItIsDeleted) {
  EXPECT_EQ(Group(number).name, "web");
  EXPECT_EQ(world.environment.groups().FindByName("web")->number, number);
  EXPECT_EQ(world.Add(world.environment, world.owner, Made("web").first).error().code, Code::kInvalid);
  ASSERT_TRUE(world.AddTo(world.secret, world.owner, GrantAdd{GrantOf(number)}));
  EXPECT_EQ(CopiesForGroups(), 1U);
  ASSERT_TRUE(GrantPrefix("", GrantOf(number)));
  ASSERT_TRUE(world.Add(world.environment, world.owner, GroupDelete{number}));
  EXPECT_EQ(world.environment.groups().Find(number), nullptr);
  EXPECT_TRUE(world.environment.groups().prefixes().empty());
  EXPECT_EQ(CopiesForGroups(), 0U) << "what was granted to it counts for nothing";
  EXPECT_FALSE(world.Add(world.environment, world.owner, GroupDelete{number}));
  const auto again = Create("web");
  EXPECT_NE(again, number);
  EXPECT_EQ(CopiesForGroups(), 0U) << "another group of that name is not the one that was granted it";
}

TEST_F(GroupsTest, EpochsFollowEachOtherAndLeadBack) {
  const auto first = Must(UnsealKey::FromPrivate(Must(key.private_bytes().Clone())));
  auto epoch = NextEpoch(number);
  auto wrong = epoch;
  wrong.epoch.number = 3;
  EXPECT_EQ(Start(wrong).error().code, Code::kInvalid) << "a gap";
  wrong = epoch;
  wrong.epoch.previous.clear();
  EXPECT_EQ(Start(wrong).error().code, Code::kInvalid) << "leads back to nothing";
  wrong = epoch;
  wrong.environment_epoch = 2;
  EXPECT_EQ(Start(wrong).error().code, Code::kInvalid) << "sealed to no key of the environment's";
  ASSERT_TRUE(Start(epoch));
  EXPECT_EQ(Start(epoch).error().code, Code::kInvalid) << "twice";
  EXPECT_EQ(Group(number).recipient(), (Recipient{RecipientKind::kGroup, number, 2}));
  const auto back =
      OpenPreviousEpoch(key, Group(number).epochs.at(1).epoch, Group(number).epochs.at(0).epoch);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->seal_key(), first.seal_key());
  EXPECT_FALSE(OpenPreviousEpoch(first, Group(number).epochs.at(1).epoch, Group(number).epochs.at(0).epoch))
      << "who has the old one alone does not get the new one";
  auto back_in_list = NextEpoch(number);
  back_in_list.list_hash = Hash{};
  EXPECT_EQ(Start(back_in_list).error().code, Code::kInvalid) << "over another history of the group's list";
}

TEST_F(GroupsTest, WhatIsGrantedToAGroupCostsOneCopy) {
  ASSERT_TRUE(world.AddTo(world.secret, world.owner, GrantAdd{GrantOf(number)}));
  ASSERT_TRUE(GrantPrefix("", GrantOf(number)));
  EXPECT_EQ(Recipients().size(), 2U);
  EXPECT_EQ(Recipients().back(), (Recipient{RecipientKind::kGroup, number, 1}));
  ASSERT_TRUE(Start(NextEpoch(number)));
  EXPECT_EQ(Recipients().back(), (Recipient{RecipientKind::kGroup, number, 2})) << "to the newest epoch";
  const auto target = world.secret.SealTargets(1'700'000'000, world.Upper()).back();
  EXPECT_EQ(target.key, key.seal_key());
  EXPECT_EQ(target.name, "@web");
}

TEST_F(GroupsTest, AGrantMeansOneGroupAndNoOtherOfItsName) {
  Grant grant = GrantOf(number);
  const auto refuse = [&](const Grant& one) {
    EXPECT_FALSE(world.AddTo(world.secret, world.owner, GrantAdd{one}));
    EXPECT_FALSE(GrantPrefix("", one));
  };
  grant.grantee.number += 1;
  refuse(grant);
  grant = GrantOf(number);
  grant.grantee.name = "db";
  refuse(grant);
  grant = GrantOf(number);
  grant.grantee.id = Hash{};
  refuse(grant);
  EXPECT_FALSE(ActFromJson(ActToJson(PrefixGrant{"", world.GrantTo(world.web1, 3)}))) << "to a machine";
  grant = GrantOf(number);
  grant.grantee.seal = world.web1.identity().seal;
  EXPECT_FALSE(ActFromJson(ActToJson(GrantAdd{grant}))) << "a key beside the group's own";
}

TEST_F(GroupsTest, WhatOneOwnerSignedIsNotInForceWhereTwoAreAskedFor) {
  ASSERT_TRUE(GrantPrefix("tls/", GrantOf(number)));
  EnvironmentGroups groups = world.environment.groups();
  EXPECT_NE(groups.FindPrefix({"tls/", number}), nullptr);
  EXPECT_EQ(groups.FindPrefix({"tls", number}), nullptr);
  groups.SetRule(true, 0);
  EXPECT_EQ(groups.FindPrefix({"tls/", number}), nullptr);
  EXPECT_TRUE(groups.Covering("tls/key").empty());
}

TEST_F(GroupsTest, TheMoreSpecificPrefixComesFirst) {
  const std::uint64_t db = Create("db");
  ASSERT_TRUE(GrantPrefix("", GrantOf(number)));
  ASSERT_TRUE(GrantPrefix("tls/", GrantOf(db)));
  ASSERT_TRUE(GrantPrefix("tls/", GrantOf(number)));
  ASSERT_TRUE(GrantPrefix("tls/old/", GrantOf(db)));
  std::vector<std::string> order;
  for (const auto* one : world.environment.groups().Covering("tls/old/key"))
    order.push_back(one->act.prefix + "@" + one->act.grant.grantee.name);
  EXPECT_EQ(order, (std::vector<std::string>{"tls/old/@db", "tls/@web", "tls/@db", "@web"}));
  EXPECT_EQ(world.environment.groups().Covering("tls").size(), 1U) << "a prefix ends at a slash";
  EXPECT_EQ(world.environment.groups().Covering("other").size(), 1U);
  ASSERT_TRUE(world.Add(world.environment, world.owner, PrefixRevoke{"tls/", db}));
  EXPECT_FALSE(world.Add(world.environment, world.owner, PrefixRevoke{"tls/", db}));
  EXPECT_EQ(world.environment.groups().Covering("tls/key").size(), 2U);
  for (const char* bad : {"tls", "/", "tls//", "../", "tls/.grantfs/"})
    EXPECT_FALSE(ActFromJson(ActToJson(PrefixRevoke{bad, number}))) << bad;
}

TEST_F(GroupsTest, AnExpiredGrantIsSealedNothing) {
  Grant grant = GrantOf(number);
  grant.expires = 1'700'000'000;
  ASSERT_TRUE(GrantPrefix("", grant));
  EXPECT_EQ(CopiesForGroups(), 0U);
  ASSERT_TRUE(world.AddTo(world.secret, world.owner, GrantAdd{GrantOf(number)}));
  EXPECT_EQ(CopiesForGroups(), 1U);
}

TEST_F(GroupsTest, NothingIsSealedToAGroupWhoseKeySomebodyTookAlong) {
  ASSERT_TRUE(GrantPrefix("", GrantOf(number)));
  ASSERT_TRUE(world.AddTo(world.secret, world.owner, world.VersionOf(world.secret)));
  ASSERT_TRUE(world.Remove(world.second));
  EXPECT_EQ(world.environment.groups().OwingEpoch(2), std::vector<std::uint64_t>{number});
  EXPECT_EQ(world.AddTo(world.secret, world.owner, world.VersionOf(world.secret)).error().code,
            Code::kConflict);
  ASSERT_TRUE(world.Add(world.environment, world.recovery, GroupEpochStart{number, NextEpoch(number)}));
  EXPECT_TRUE(world.AddTo(world.secret, world.owner, world.VersionOf(world.secret)));
}

TEST_F(GroupsTest, TheListBeginsAsTheEnvironmentSays) {
  EXPECT_TRUE(list.CheckGenesis(world.environment));
  GroupList other("shop/prod", number);
  Statement statement = world.Next(other, world.owner, GroupListCreate{"shop/prod", number, "web"});
  statement.reason = "another";
  ASSERT_TRUE(other.Append(world.Sign(statement, world.owner), world.Upper()));
  EXPECT_EQ(other.CheckGenesis(world.environment).error().code, Code::kIntegrity);
  EXPECT_EQ(GroupList("shop/prod", number + 1).CheckGenesis(world.environment).error().code, Code::kNotFound);
  GroupList wrong("shop/prod", number);
  EXPECT_FALSE(world.Add(wrong, world.owner, GroupListCreate{"shop/prod", number + 1, "web"}));
  EXPECT_FALSE(world.Add(wrong, world.owner, GroupMachinesAdd{1, {Machine(world.web1, 3)}, {}}));
}

TEST_F(GroupsTest, MachinesComeAndGoAndTheNextEpochIsDue) {
  const auto web1 = Enrol(world.web1, Must(InviteSecret::Generate()));
  ASSERT_TRUE(AddMachine(world.web1, web1));
  EXPECT_FALSE(AddMachine(world.web1, web1)) << "twice";
  EXPECT_EQ(list.Members(world.machines).size(), 1U);
  EXPECT_FALSE(Must(list.EpochIsDue(Group(number))));
  EXPECT_FALSE(world.Add(list, world.owner, GroupMachinesRemove{{web1 + 1}})) << "it was never in it";
  ASSERT_TRUE(world.Add(list, world.owner, GroupMachinesRemove{{web1}}));
  EXPECT_FALSE(world.Add(list, world.owner, GroupMachinesRemove{{web1}})) << "it is not in it any more";
  EXPECT_TRUE(list.Members(world.machines).empty());
  EXPECT_TRUE(Must(list.EpochIsDue(Group(number))));
  ASSERT_TRUE(Start(NextEpoch(number)));
  EXPECT_FALSE(Must(list.EpochIsDue(Group(number))));
  ASSERT_TRUE(AddMachine(world.web1, web1)) << "and it may come back";
  EXPECT_EQ(list.Members(world.machines).size(), 1U);
  ASSERT_TRUE(world.Add(world.machines, world.owner, MachineRemove{world.web1.Id()}));
  EXPECT_TRUE(list.Members(world.machines).empty()) << "removed from the vault";
}

TEST_F(GroupsTest, AMachineThatIsNotWhatItsApprovalSaysIsNotInIt) {
  const auto web1 = Enrol(world.web1, Must(InviteSecret::Generate()));
  Grantee forged = Machine(world.web1, web1);
  forged.seal = world.web2.identity().seal;
  ASSERT_TRUE(world.Add(list, world.owner, GroupMachinesAdd{1, {forged}, {}}));
  EXPECT_TRUE(list.Members(world.machines).empty());
  EXPECT_TRUE(list.EpochTargets(world.machines, world.Upper(), 1'700'000'000).empty());
}

TEST_F(GroupsTest, AnInvitationLeadsInUntilItEnds) {
  const auto invite = Must(InviteSecret::Generate());
  const std::uint64_t at = Stand(invite);
  GroupInvitationAdd leads{at, invite.id(), invite.unseal_key().seal_key(), 1'700'003'600, 1, {}};
  ASSERT_TRUE(world.Add(list, world.owner, leads));
  EXPECT_FALSE(world.Add(list, world.owner, leads));
  const auto web1 = Join(world.web1, invite);
  EXPECT_FALSE(list.Members(world.machines).contains(Enrol(world.web2, Must(InviteSecret::Generate()))))
      << "it came by another";
  EXPECT_TRUE(list.Members(world.machines).contains(web1)) << "it came by that invitation";
  auto targets = list.EpochTargets(world.machines, world.Upper(), 1'700'000'000);
  ASSERT_EQ(targets.size(), 2U);
  EXPECT_EQ(targets[0].recipient, (Recipient{RecipientKind::kMachine, web1, 0}));
  EXPECT_EQ(targets[1].recipient, (Recipient{RecipientKind::kInvitation, at, 0}));
  EXPECT_EQ(list.EpochTargets(world.machines, world.Upper(), 1'700'003'600).size(), 1U) << "it has expired";
  auto epoch =
      NextEpoch(number, {{targets[0].recipient, targets[0].key}, {targets[1].recipient, targets[1].key}});
  ASSERT_TRUE(Start(epoch));
  ASSERT_TRUE(world.Add(list, world.owner, GroupInvitationRemove{at, web1}));
  EXPECT_FALSE(world.Add(list, world.owner, GroupInvitationRemove{at, web1}));
  EXPECT_TRUE(Must(list.EpochIsDue(Group(number)))) << "who holds it has the key";
  EXPECT_EQ(list.EpochTargets(world.machines, world.Upper(), 1'700'000'000).size(), 1U)
      << "who came by it stays";
  ASSERT_TRUE(world.Add(list, world.owner, GroupMachinesRemove{{web1}}));
  EXPECT_TRUE(list.Members(world.machines).empty());
}

TEST_F(GroupsTest, NoKeyIsSealedToAnInvitationThatLetsNobodyIn) {
  ASSERT_TRUE(world.Add(world.vault, world.owner, VaultOwnerAdd{world.second.identity()}));
  const auto invite = Must(InviteSecret::Generate());
  const std::uint64_t at = world.machines.next_sequence();
  ASSERT_TRUE(world.Add(world.machines, world.second, InvitationStand{StandingOf(invite)}));
  const auto seal = invite.unseal_key().seal_key();
  const GroupInvitationAdd leads{at, invite.id(), seal, 1'700'086'400, 1, {}};
  const auto targets = [&](const GroupInvitationAdd& one) {
    GroupList tried = list;
    EXPECT_TRUE(world.Add(tried, world.owner, one));
    return tried.EpochTargets(world.machines, world.Upper(), 1'700'000'000).size();
  };
  EXPECT_EQ(targets(leads), 1U);
  EXPECT_EQ(targets({at, invite.id(), world.web2.identity().seal, 1'700'086'400, 1, {}}), 0U)
      << "another key";
  EXPECT_EQ(targets({at + 1, invite.id(), seal, 1'700'086'400, 1, {}}), 0U) << "another number";
  EXPECT_EQ(targets({at, std::string(32, 'b'), seal, 1'700'086'400, 1, {}}), 0U) << "none that is known";
  ASSERT_TRUE(world.Add(list, world.owner, leads));
  EXPECT_EQ(list.EpochTargets(world.machines, world.Upper(), 1'700'086'400).size(), 0U) << "it has expired";
  // Its issuer is removed, and nobody has withdrawn it: an interrupted removal, or a vault that hides the
  // withdrawal.
  ASSERT_TRUE(world.Add(world.machines, world.owner, Vouch{}));
  ASSERT_TRUE(world.Add(world.vault, world.owner, VaultOwnerRemove{world.second.Id()}));
  EXPECT_FALSE(world.machines.standing().at(invite.id()).withdrawn);
  EXPECT_EQ(list.EpochTargets(world.machines, world.Upper(), 1'700'000'000).size(), 0U)
      << "by whom nobody is let in any more";
}

TEST_F(GroupsTest, NoKeyIsSealedToAMachineThatTheVaultsListNamesAsRemoved) {
  const auto web1 = Enrol(world.web1, Must(InviteSecret::Generate()));
  ASSERT_TRUE(AddMachine(world.web1, web1));
  ASSERT_EQ(list.EpochTargets(world.machines, world.Upper(), 1'700'000'000).size(), 1U);
  ASSERT_TRUE(world.Add(world.vault, world.owner, IdentityRemove{world.web1.Id(), "web-1"}));
  EXPECT_EQ(list.EpochTargets(world.machines, world.Upper(), 1'700'000'000).size(), 0U)
      << "though the list of machines is shown as it was before";
}

TEST_F(GroupsTest, NoKeyIsSealedToAnInvitationThatIsUsedUp) {
  const auto invite = Must(InviteSecret::Generate());
  const std::uint64_t at = Stand(invite);
  ASSERT_TRUE(world.Add(list, world.owner,
                        GroupInvitationAdd{at, invite.id(), invite.unseal_key().seal_key(), 0, 1, {}}));
  Join(world.web1, invite);
  EXPECT_EQ(list.EpochTargets(world.machines, world.Upper(), 1'700'000'000).size(), 2U);
  Join(world.web2, invite);
  const auto targets = list.EpochTargets(world.machines, world.Upper(), 1'700'000'000);
  ASSERT_EQ(targets.size(), 2U);
  for (const auto& target : targets) EXPECT_EQ(target.recipient.kind, RecipientKind::kMachine);
}

TEST_F(GroupsTest, WhoComesAfterAnInvitationEndedIsNotInIt) {
  const auto invite = Must(InviteSecret::Generate());
  const std::uint64_t at = Stand(invite);
  ASSERT_TRUE(world.Add(list, world.owner,
                        GroupInvitationAdd{at, invite.id(), invite.unseal_key().seal_key(), 0, 1, {}}));
  ASSERT_TRUE(world.Add(list, world.owner, GroupInvitationRemove{at, at}));
  EXPECT_FALSE(list.Members(world.machines).contains(Join(world.web1, invite)));
}

TEST_F(GroupsTest, TheKeyIsOpenedByWhomItIsSealedToAlone) {
  const Recipient machine{RecipientKind::kMachine, 3, 0};
  const auto made = Must(MakeGroupEpoch({{machine, world.web1.identity().seal}, Environment()}, 1, nullptr));
  ASSERT_EQ(made.copies.size(), 2U);
  EXPECT_EQ(made.copies[1].recipient, machine);
  EXPECT_EQ(made.epoch.copies_root, GroupCopiesRoot(made.copies));
  EXPECT_TRUE(OpenEpochCopy(world.web1.unseal_key(), made.copies[1].sealed, made.epoch));
  EXPECT_TRUE(OpenEpochCopy(world.environment_key, made.copies[0].sealed, made.epoch));
  EXPECT_FALSE(OpenEpochCopy(world.web2.unseal_key(), made.copies[1].sealed, made.epoch));
  const auto other = Must(MakeGroupEpoch({{machine, world.web1.identity().seal}}, 2, &made.key));
  EXPECT_EQ(OpenEpochCopy(world.web1.unseal_key(), other.copies[0].sealed, made.epoch).error().code,
            Code::kIntegrity)
      << "another epoch's key under this one's name";
  auto swapped = made.copies;
  swapped[0].recipient.epoch += 1;
  EXPECT_NE(GroupCopiesRoot(swapped), made.epoch.copies_root);
}

TEST_F(GroupsTest, AMachineTakesTheGrantToAGroupByItsProof) {
  ASSERT_TRUE(world.AddTo(world.secret, world.owner, GrantAdd{world.GrantTo(world.web1, 3)}));
  ASSERT_TRUE(world.AddTo(world.secret, world.owner, GrantAdd{GrantOf(number)}));
  const SecretList::GrantKey key_of_group{GranteeKind::kGroup, number};
  const auto& standing = world.secret.grants().at(key_of_group);
  const auto proof = *world.secret.ProveGrant(key_of_group);
  SecretList view = SecretList::Partial(7, world.secret.next_sequence() - 1);
  ASSERT_TRUE(view.Receive(world.secret.At(view.first_sequence()), world.Upper()));
  const auto grant = view.VerifyGroupGrant(*standing.statement, proof, world.Upper());
  ASSERT_TRUE(grant);
  EXPECT_EQ(grant->grantee.name, "web");
  EXPECT_FALSE(view.VerifyGrant(*standing.statement, proof, world.web1.identity(), world.Upper()))
      << "it is no grant to the machine itself";
  const SecretList::GrantKey key_of_machine{GranteeKind::kMachine, 3};
  EXPECT_FALSE(view.VerifyGroupGrant(*world.secret.grants().at(key_of_machine).statement,
                                     *world.secret.ProveGrant(key_of_machine), world.Upper()));
  ASSERT_TRUE(world.Add(world.environment, world.owner, GroupDelete{number}));
  EXPECT_FALSE(view.VerifyGroupGrant(*standing.statement, proof, world.Upper())) << "the group is gone";
}

}  // namespace
}  // namespace grantfs::testing

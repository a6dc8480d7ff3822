#include "support/direct_vault.h"

namespace grantfs::testing {
namespace {

struct EnrolmentTest : ::testing::Test, ClaimedVault {
  EnrolmentTest() : invite(world.Invite("web-1", direct.clock().WallSeconds() + 3600)) {}
  Enrolment Made(const PrivateIdentity& who) {
    return Must(MakeEnrolment(world.vault.vault_id(), invite, who));
  }
  std::optional<Vault::Key> Key() { return vault().FindKey("invite:" + invite.id()); }
  api::EnrolmentProgress State() { return Must(vault().EnrolmentState(direct.Caller(invite))).state; }
  PrivateIdentity machine = NewIdentity("web-1", IdentityKind::kMachine);
  InviteSecret invite;
};

TEST_F(EnrolmentTest, GoesFromNothingOverPendingToApproved) {
  EXPECT_EQ(State(), api::EnrolmentProgress::kNone);
  EXPECT_EQ(Must(direct.Enrol(invite, {Made(machine)})).state, api::EnrolmentProgress::kPending);
  EXPECT_EQ(Must(direct.Enrol(invite, {Made(machine)})).state, api::EnrolmentProgress::kPending);
  EXPECT_EQ(State(), api::EnrolmentProgress::kPending);
  const auto waiting = Must(vault().ListEnrolments(direct.Caller(world.owner)));
  ASSERT_EQ(waiting.enrolments.size(), 1U);
  EXPECT_EQ(waiting.enrolments[0].identity.Id(), machine.Id());
  EXPECT_FALSE(vault().FindKey(machine.Id().Hex())) << "nobody has approved it";
  Must(world.Approve(waiting.enrolments[0]));
  EXPECT_TRUE(vault().FindKey(machine.Id().Hex()));
  EXPECT_EQ(State(), api::EnrolmentProgress::kApproved);
  EXPECT_EQ(Must(direct.Enrol(invite, {Made(machine)})).state, api::EnrolmentProgress::kApproved);
  EXPECT_TRUE(Must(vault().ListEnrolments(direct.Caller(world.owner))).enrolments.empty());
}

TEST_F(EnrolmentTest, AnotherKeyOnTheSameInvitationIsAConflict) {
  Must(direct.Enrol(invite, {Made(machine)}));
  const auto second = direct.Enrol(invite, {Made(NewIdentity("web-1", IdentityKind::kMachine))});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::kConflict);
}

TEST_F(EnrolmentTest, MustMatchItsInvitation) {
  EXPECT_EQ(direct.Enrol(invite, {Made(NewIdentity("web-2", IdentityKind::kMachine))}).error().code,
            Code::kIntegrity);
  const InviteSecret strange = Must(InviteSecret::Generate());
  Enrolment other = Must(MakeEnrolment(world.vault.vault_id(), strange, machine));
  EXPECT_EQ(direct.Enrol(invite, {other}).error().code, Code::kIntegrity);
}

TEST_F(EnrolmentTest, AnInvitationIsGoneWhenItExpiresUnlessSomebodyCameInTime) {
  const InviteSecret late = world.Invite("web-2", direct.clock().WallSeconds() + 100);
  Must(direct.Enrol(invite, {Made(machine)}));
  direct.clock().Pass(3601);
  EXPECT_TRUE(vault().FindKey("invite:" + late.id())->gone);
  EXPECT_FALSE(Key()->gone) << "it waits for its approval";
  EXPECT_EQ(State(), api::EnrolmentProgress::kPending);
}

TEST_F(EnrolmentTest, AUsedInvitationAnswersForAnHourAndIsGone) {
  Must(direct.Enrol(invite, {Made(machine)}));
  direct.clock().Pass(10);
  Must(world.Approve(Made(machine)));
  direct.clock().Pass(3500);
  EXPECT_FALSE(Key()->gone);
  direct.clock().Pass(101);
  EXPECT_TRUE(Key()->gone);
}

TEST_F(EnrolmentTest, AWithdrawnInvitationIsGone) {
  Must(direct.Enrol(invite, {Made(machine)}));
  Must(world.Send(world.owner,
                  VaultWorld::One(world.Next(world.machines, world.owner, InvitationWithdraw{invite.id()}),
                                  world.owner)));
  EXPECT_TRUE(Key()->gone);
  EXPECT_TRUE(Must(vault().ListEnrolments(direct.Caller(world.owner))).enrolments.empty());
}

TEST_F(EnrolmentTest, APersonIsLetInByBothListsAtOnce) {
  const InviteSecret line = Must(InviteSecret::Generate());
  const Invitation invitation{line.id(),
                              IdentityKind::kAgent,
                              "ci",
                              line.signing_key().verify_key(),
                              line.unseal_key().seal_key(),
                              direct.clock().WallSeconds() + 3600};
  Must(world.Send(
      world.owner,
      VaultWorld::One(world.Next(world.machines, world.owner, InvitationCreate{invitation}), world.owner)));
  const PrivateIdentity ci = NewIdentity("ci", IdentityKind::kAgent);
  const Enrolment enrolment = Must(MakeEnrolment(world.vault.vault_id(), line, ci));
  Must(direct.Enrol(line, {enrolment}));
  const auto approval =
      VaultWorld::One(world.Next(world.machines, world.owner, MachineApprove{enrolment}), world.owner);
  const auto alone = world.Send(world.owner, approval);
  ASSERT_FALSE(alone) << "its invitation would be used, and it would be nobody";
  EXPECT_EQ(alone.error().code, Code::kInvalid);
  auto both = VaultWorld::One(world.Next(world.vault, world.owner, IdentityAdd{ci.identity()}), world.owner);
  both.appends.push_back(approval.appends[0]);
  Must(world.Send(world.owner, both));
  const auto key = vault().FindKey(ci.Id().Hex());
  ASSERT_TRUE(key);
  EXPECT_TRUE(key->caller.IsPerson());
  EXPECT_EQ(key->caller.machine, 0u);
  EXPECT_EQ(vault().ListSecrets(direct.Caller(ci), {"shop/prod", "", 10}).error().code, Code::kNotFound)
      << "it has no role";
  Must(world.Send(
      world.owner,
      VaultWorld::One(world.Next(world.vault, world.owner, IdentityRemove{ci.Id(), "ci"}), world.owner)));
  EXPECT_FALSE(vault().FindKey(ci.Id().Hex()));
}

struct JoinTest : ::testing::Test, ClaimedVault {
  JoinTest() { Stand(2, direct.clock().WallSeconds() + 3600, 0); }
  void Stand(std::uint32_t uses, std::int64_t expires, std::int64_t lives) {
    const StandingInvitation invitation{
        invite.id(), "web-*", uses, invite.signing_key().verify_key(), invite.unseal_key().seal_key(),
        expires,     lives};
    Must(world.Send(
        world.owner,
        VaultWorld::One(world.Next(world.machines, world.owner, InvitationStand{invitation}), world.owner)));
  }
  static PrivateIdentity Machine(const std::string& name) {
    return NewIdentity(name, IdentityKind::kMachine);
  }
  /// As the machine makes it, behind the head that the vault names.
  std::string Statement(const PrivateIdentity& who, std::int64_t off = 0) {
    auto said = world.Next(world.machines, who,
                           MachineJoin{Must(MakeEnrolment(world.vault.vault_id(), invite, who)), 0});
    const Head head = Must(direct.Join(invite, {})).head;
    said.sequence = head.sequence + 1;
    said.previous = head.hash;
    said.time = direct.clock().WallSeconds() + off;
    return Must(SignedStatement::Sign(said, who.signing_key())).envelope();
  }
  std::optional<Vault::Key> Key() { return vault().FindKey("invite:" + invite.id()); }
  InviteSecret invite = Must(InviteSecret::Generate());
};

TEST_F(JoinTest, AMachineLetsItselfInAndTheLostAnswerIsGivenAgain) {
  const auto web1 = Machine("web-1");
  const std::string statement = Statement(web1);
  EXPECT_FALSE(vault().FindKey(web1.Id().Hex()));
  EXPECT_EQ(Must(direct.Join(invite, {statement})).state, api::EnrolmentProgress::kApproved);
  EXPECT_TRUE(vault().FindKey(web1.Id().Hex()));
  EXPECT_EQ(Must(direct.Join(invite, {statement})).state, api::EnrolmentProgress::kApproved);
}

TEST_F(JoinTest, WhoComesBehindAnotherIsToldTheNewHead) {
  const auto web1 = Machine("web-1"), web2 = Machine("web-2");
  const std::string first = Statement(web1), second = Statement(web2);
  Must(direct.Join(invite, {first}));
  const auto told = Must(direct.Join(invite, {second}));
  EXPECT_EQ(told.state, api::EnrolmentProgress::kPending);
  EXPECT_EQ(told.head, Must(direct.Join(invite, {})).head);
  EXPECT_FALSE(vault().FindKey(web2.Id().Hex()));
  EXPECT_EQ(Must(direct.Join(invite, {Statement(web2)})).state, api::EnrolmentProgress::kApproved);
  EXPECT_TRUE(Key()->gone) << "two of two";
  EXPECT_EQ(direct.Join(invite, {Statement(Machine("web-3"))}).error().code, Code::kExpired);
}

TEST_F(JoinTest, WhatDoesNotFitIsRefused) {
  const auto refused = [&](const std::string& statement) {
    return direct.Join(invite, {statement}).error().code;
  };
  EXPECT_EQ(refused(Statement(Machine("db-1"))), Code::kDenied);
  EXPECT_EQ(refused(Statement(NewIdentity("web-1"))), Code::kDenied) << "a person";
  EXPECT_EQ(refused(Statement(Machine("web-1"), 301)), Code::kDenied) << "a clock that is ahead";
  EXPECT_EQ(refused(Statement(Machine("web-1"), -301)), Code::kDenied);
  const auto owners = world.Next(world.machines, world.owner, Vouch{});
  EXPECT_EQ(refused(Must(SignedStatement::Sign(owners, world.owner.signing_key())).envelope()), Code::kDenied)
      << "an owner's statement, by one who holds an invitation";
  const InviteSecret other = world.Invite("web-7", direct.clock().WallSeconds() + 3600);
  EXPECT_EQ(direct.Join(other, {Statement(Machine("web-1"))}).error().code, Code::kNotFound)
      << "by an invitation of another kind";
  Must(direct.Join(invite, {Statement(Machine("web-1"))}));
  EXPECT_EQ(refused(Statement(Machine("web-1"))), Code::kDenied) << "the name is taken";
}

TEST_F(JoinTest, ItIsGoneWhenItHasExpired) {
  EXPECT_FALSE(Key()->gone);
  direct.clock().Pass(3600);
  EXPECT_TRUE(Key()->gone);
  EXPECT_EQ(direct.Join(invite, {Statement(Machine("web-1"))}).error().code, Code::kExpired)
      << "authenticated a moment before";
}

TEST_F(EnrolmentTest, OwnersOfEnvironmentsSeeTheMachinesTheyGrantTo) {
  const PrivateIdentity bob = NewIdentity("bob"), rita = NewIdentity("rita");
  Must(world.AddMember("shop/prod", bob, Role::kOwner));
  Must(world.AddMember("shop/prod", rita, Role::kReader));
  EXPECT_TRUE(vault().ReadList(direct.Caller(bob), {ListId::Machines(), 0, 10}));
  EXPECT_EQ(vault().ReadList(direct.Caller(rita), {ListId::Machines(), 0, 10}).error().code, Code::kDenied);
}

TEST_F(EnrolmentTest, ListsAreForOwnersOfTheVault) {
  const PrivateIdentity bob = NewIdentity("bob");
  Must(world.AddMember("shop/prod", bob, Role::kOwner));
  EXPECT_EQ(vault().ListEnrolments(direct.Caller(bob)).error().code, Code::kDenied);
}

}  // namespace
}  // namespace grantfs::testing

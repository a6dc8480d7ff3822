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

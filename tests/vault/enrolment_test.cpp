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

TEST_F(EnrolmentTest, ListsAreForOwnersOfTheVault) {
  const PrivateIdentity bob = NewIdentity("bob");
  Must(world.AddMember("shop/prod", bob, Role::kOwner));
  EXPECT_EQ(vault().ListEnrolments(direct.Caller(bob)).error().code, Code::kDenied);
}

}  // namespace
}  // namespace grantfs::testing

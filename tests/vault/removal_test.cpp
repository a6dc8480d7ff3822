#include "grantfs/api/problem.h"
#include "support/direct_vault.h"

// Who leaves, and what becomes of what he signed.

namespace grantfs::testing {
namespace {

struct RemovalTest : ::testing::Test, ClaimedVault {
  RemovalTest() {
    Must(world.AddMember("shop/prod", bob, Role::kWriter));
    machine = world.EnrolMachine("web-1");
    Must(world.Publish("shop/prod", "a", "one"));
    Must(world.GrantTo(machine, "shop/prod", "a"));
    Must(world.Publish("shop/prod", "a", "bobs", &bob));
  }
  PrivateIdentity bob = NewIdentity("bob");
  VaultWorld::Machine machine;
};

TEST_F(RemovalTest, TheRecordsNameWhoLosesWhat) {
  const auto about = [this](const char* type) {
    const auto records = direct.Audit(type);
    if (records.empty()) return std::string("no record");
    const Json body = Must(ParseJson(*records[0].body));
    const Json* name = body.Find(body.Find("about") != nullptr ? "about" : "object");
    return name->AsString();
  };
  Must(world.Revoke(machine, "shop/prod", "a"));
  EXPECT_EQ(about("grant.revoke"), "web-1");
  Must(world.RemoveMachine(machine));
  EXPECT_EQ(about("machine.remove"), "web-1");
}

TEST_F(RemovalTest, WaitsForAVouchAndFreezesTheLeaver) {
  const auto removal = world.Removal("shop/prod", bob.Id());
  const auto refused = direct.Append(world.owner, removal);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kConflict);
  EXPECT_EQ(refused.error().subject, "secret/" + std::to_string(NumberOf("a")) + "#3");

  auto& secret = world.secret("shop/prod", "a");
  const auto more = VaultWorld::One(world.NextOf(secret, bob, world.StageVersion(secret, "more", bob)), bob);
  const auto frozen = direct.Append(bob, more);
  ASSERT_FALSE(frozen) << "he outran the removal";
  EXPECT_STREQ(frozen.error().where, api::kWhereFrozen);

  auto vouched = VaultWorld::One(world.NextOf(secret, world.owner, Vouch{}), world.owner);
  vouched.appends.push_back(removal.appends[0]);
  Must(world.Send(world.owner, vouched));
  EXPECT_FALSE(direct.vault().FindKey(bob.Id().Hex()));
  EXPECT_EQ(Must(direct.Read(machine.key, NumberOf("a"), "x")).version, 2U) << "what was vouched for stays";
}

TEST_F(RemovalTest, NobodyIsFrozenElsewhereByOneWhoRemovesHimHere) {
  Must(world.AddEnvironment("shop/test"));
  Must(world.AddMember("shop/test", bob, Role::kWriter));
  ASSERT_FALSE(direct.Append(world.owner, world.Removal("shop/prod", bob.Id())));
  EXPECT_STREQ(world.Publish("shop/prod", "a", "more", &bob).error().where, api::kWhereFrozen);
  Must(world.Publish("shop/test", "b", "goes on", &bob));
}

TEST_F(RemovalTest, TheFreezeEnds) {
  ASSERT_FALSE(direct.Append(world.owner, world.Removal("shop/prod", bob.Id())));
  direct.clock().Pass(61);
  Must(world.Publish("shop/prod", "a", "again", &bob));
}

TEST_F(RemovalTest, NobodyIsFrozenByOneWhoMayNotRemove) {
  const PrivateIdentity eve = NewIdentity("eve");
  Must(world.AddMember("shop/prod", eve, Role::kWriter));
  const Statement removal = world.Next(world.environment("shop/prod").list, eve, MemberRemove{bob.Id(), {}});
  EXPECT_EQ(direct.Append(eve, VaultWorld::One(removal, eve)).error().code, Code::kDenied);
  Must(world.Publish("shop/prod", "a", "still here", &bob));
}

TEST_F(RemovalTest, AReplacedKeyIsNobodyAndWaitsForAVouchOfWhatItSigned) {
  const PrivateIdentity cy = NewIdentity("cy"), now = NewIdentity("cy");
  const auto by = [&](const PrivateIdentity& who, const SignedList& list, Act act) {
    return VaultWorld::One(world.Next(list, who, std::move(act)), who);
  };
  Must(world.Send(world.owner, by(world.owner, world.vault, VaultOwnerAdd{cy.identity()})));
  const InviteSecret line = Must(InviteSecret::Generate());
  const Invitation invitation{line.id(),
                              IdentityKind::kMachine,
                              "web-2",
                              line.signing_key().verify_key(),
                              line.unseal_key().seal_key(),
                              direct.clock().WallSeconds() + 3600};
  Must(world.Send(cy, by(cy, world.machines, InvitationCreate{invitation})));
  auto replacement = by(world.owner, world.vault, IdentityReplace{cy.Id(), now.identity()});
  const auto refused = direct.Append(world.owner, replacement);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kConflict);
  EXPECT_EQ(refused.error().subject, "machines#" + std::to_string(world.machines.head()->sequence));
  const auto frozen = direct.Append(cy, by(cy, world.machines, InvitationWithdraw{line.id()}));
  ASSERT_FALSE(frozen) << "he outran it";
  EXPECT_STREQ(frozen.error().where, api::kWhereFrozen);
  replacement.appends.push_back(by(world.owner, world.machines, Vouch{}).appends[0]);
  Must(world.Send(world.owner, replacement));
  EXPECT_FALSE(direct.vault().FindKey(cy.Id().Hex()));
  EXPECT_EQ(direct.Append(cy, by(cy, world.machines, Vouch{})).error().code, Code::kNotFound);
  EXPECT_TRUE(direct.vault().FindKey(now.Id().Hex()));
  Must(world.Send(now, by(now, world.machines, InvitationWithdraw{line.id()})));
  EXPECT_EQ(direct.Audit("identity.replace").size(), 1u);
}

TEST_F(RemovalTest, AVoidTakesBackTheLeaversVersion) {
  auto request = world.Removal("shop/prod", bob.Id());
  world.Take(request);
  auto& secret = world.secret("shop/prod", "a");
  const Void back{3, *secret.list.HashAt(3)};
  const auto voided = VaultWorld::One(world.NextOf(secret, world.owner, back), world.owner);
  request.appends.push_back(voided.appends[0]);
  Must(direct.Append(world.owner, request));
  world.Take(voided);
  EXPECT_EQ(Must(direct.Read(machine.key, NumberOf("a"), "x")).version, 1U);
  EXPECT_EQ(direct.Read(machine.key, NumberOf("a"), "y", 2).error().code, Code::kConflict);
  secret.data_keys.erase(2);
  Must(world.Publish("shop/prod", "a", "anew"));  // version 3: no number is used twice
  EXPECT_EQ(
      Must(world.Open(machine, "shop/prod", "a", 3, Must(direct.Read(machine.key, NumberOf("a"), "z")).sealed,
                      Must(direct.Read(machine.key, NumberOf("a"), "z")).ciphertext)),
      "anew");
}

TEST_F(RemovalTest, AnotherRoleWaitsForAVouchAndFreezesTheMember) {
  const auto change = VaultWorld::One(world.Next(world.environment("shop/prod").list, world.owner,
                                                 MemberChange{bob.Id(), Role::kAuditor, "", {}, {}}),
                                      world.owner);
  const auto refused = direct.Append(world.owner, change);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().subject, "secret/" + std::to_string(NumberOf("a")) + "#3");
  auto& secret = world.secret("shop/prod", "a");
  const auto more = VaultWorld::One(world.NextOf(secret, bob, world.StageVersion(secret, "more", bob)), bob);
  const auto frozen = direct.Append(bob, more);
  ASSERT_FALSE(frozen) << "he outran it";
  EXPECT_STREQ(frozen.error().where, api::kWhereFrozen);
  auto vouched = VaultWorld::One(world.NextOf(secret, world.owner, Vouch{}), world.owner);
  vouched.appends.push_back(change.appends[0]);
  Must(world.Send(world.owner, vouched));
  EXPECT_TRUE(direct.vault().FindKey(bob.Id().Hex())) << "he is a member still";
  EXPECT_EQ(Must(direct.Read(machine.key, NumberOf("a"), "x")).version, 2U);
  const auto records = direct.Audit("member.change");
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(Must(ParseJson(*records[0].body)).Find("about")->AsString(), "bob");
}

TEST_F(RemovalTest, WhoBecomesAReaderNeedsACopySentAhead) {
  auto& environment = world.environment("shop/prod");
  const EpochCopy copy{bob.Id(), Must(Seal(bob.identity().seal, environment.keys.back().private_bytes()))};
  auto& secret = world.secret("shop/prod", "a");
  Must(world.Send(world.owner, VaultWorld::One(world.NextOf(secret, world.owner, Vouch{}), world.owner)));
  const auto change =
      VaultWorld::One(world.Next(environment.list, world.owner,
                                 MemberChange{bob.Id(), Role::kReader, "", Blake2b256({copy.sealed}), {}}),
                      world.owner);
  EXPECT_EQ(direct.Append(world.owner, change).error().code, Code::kConflict);
  Must(direct.Stage(world.owner,
                    api::StageEpochRequest{"shop/prod", environment.list.newest_epoch().number, {copy}}));
  Must(world.Send(world.owner, change));
  const auto copies = Must(Must(direct.store().Read())->EpochCopies("shop/prod", bob.Id()));
  EXPECT_EQ(copies.size(), 1u);
}

TEST_F(RemovalTest, OfAnOwnerStartsAnEpochWithoutHim) {
  const PrivateIdentity cid = NewIdentity("cid");
  Must(world.AddMember("shop/prod", cid, Role::kOwner));
  Must(world.Send(world.owner, world.Removal("shop/prod", cid.Id())));
  EXPECT_FALSE(direct.vault().FindKey(cid.Id().Hex()));
  const auto copies = Must(Must(direct.store().Read())->EpochCopies("shop/prod", cid.Id()));
  for (const StoredEpochCopy& copy : copies) EXPECT_EQ(copy.epoch, 1U);
  Must(world.Publish("shop/prod", "a", "later"));
}

TEST_F(RemovalTest, OfAMachineEndsAuthenticationAndDelivery) {
  const VaultCaller caller = direct.Caller(machine.key);
  Must(world.RemoveMachine(machine));
  EXPECT_FALSE(direct.vault().FindKey(machine.key.Id().Hex()));
  api::ReadRequest request;
  request.secret = NumberOf("a");
  request.open = "x";
  const auto late =
      Wait<api::ReadResponse>([&](auto done) { direct.vault().MachineRead(caller, request, done); });
  ASSERT_FALSE(late) << "a request that was authenticated before the removal was answered after it";
  EXPECT_EQ(late.error().code, Code::kNotFound);
  Must(world.Publish("shop/prod", "a", "without it"));
}

TEST_F(RemovalTest, OfAVaultOwnerWaitsForHisSuccessorInTheMachinesList) {
  const PrivateIdentity cid = NewIdentity("cid");
  Must(world.Send(
      world.owner,
      VaultWorld::One(world.Next(world.vault, world.owner, VaultOwnerAdd{cid.identity()}), world.owner)));
  const InviteSecret secret = Must(InviteSecret::Generate());
  const InvitationCreate invite{{secret.id(), IdentityKind::kMachine, "web-9",
                                 secret.signing_key().verify_key(), secret.unseal_key().seal_key(),
                                 4'000'000'000}};
  Must(world.Send(cid, VaultWorld::One(world.Next(world.machines, cid, invite), cid)));
  const auto removal =
      VaultWorld::One(world.Next(world.vault, world.owner, VaultOwnerRemove{cid.Id()}), world.owner);
  const auto refused = direct.Append(world.owner, removal);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().subject.substr(0, 9), "machines#");
  auto vouched = VaultWorld::One(world.Next(world.machines, world.owner, Vouch{}), world.owner);
  vouched.appends.push_back(removal.appends[0]);
  Must(world.Send(world.owner, vouched));
}

}  // namespace
}  // namespace grantfs::testing

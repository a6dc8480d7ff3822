// What a machine verifies of a secret that it sees only from the last statement that set its grants.

#include "grantfs/trust/names.h"
#include "world.h"

namespace grantfs::testing {
namespace {

class MachineViewTest : public ::testing::Test {
 protected:
  MachineViewTest() {
    EXPECT_TRUE(world.AddTo(world.secret, world.owner, GrantAdd{world.GrantTo(world.web2, 4)}));
    EXPECT_TRUE(world.AddTo(world.secret, world.owner, GrantAdd{world.GrantTo(world.web1, 3)}));
    granted_at = world.secret.next_sequence() - 1;
    EXPECT_TRUE(world.AddTo(world.secret, world.second, world.VersionOf(world.secret)));
  }

  SecretList View(std::uint64_t from) {
    SecretList view = SecretList::Partial(7, from);
    for (std::uint64_t i = from; i < world.secret.next_sequence(); ++i) {
      const Status received = view.Receive(world.secret.At(i), world.Upper());
      EXPECT_TRUE(received) << Describe(received.error());
    }
    return view;
  }
  SecretList::GrantProof Proof(std::uint64_t number) {
    return *world.secret.ProveGrant({GranteeKind::kMachine, number});
  }

  World world;
  std::uint64_t granted_at = 0;
};

TEST_F(MachineViewTest, SeesItsGrantAndTheCurrentVersion) {
  const SecretList view = View(granted_at);
  ASSERT_TRUE(view.CheckStanding(world.Upper()));
  EXPECT_EQ(view.state(), world.secret.state());
  const auto grant =
      view.VerifyGrant(*world.secret.At(granted_at), Proof(3), world.web1.identity(), world.Upper());
  ASSERT_TRUE(grant) << Describe(grant.error());
  EXPECT_EQ(grant->mode, 0400u);
  const auto version = view.VerifyVersion("current", *world.secret.At(4), world.Upper());
  ASSERT_TRUE(version) << Describe(version.error());
  EXPECT_EQ(version->version, 2u);
  EXPECT_EQ(version->path, "db-password");
}

TEST_F(MachineViewTest, RefusesAnOlderVersionUnderTheLabel) {
  EXPECT_EQ(View(granted_at).VerifyVersion("current", *world.secret.At(1), world.Upper()).error().code,
            Code::kIntegrity);
  EXPECT_TRUE(View(granted_at).VerifyVersion("previous", *world.secret.At(1), world.Upper()));
}

TEST_F(MachineViewTest, RefusesAnothersGrantAndAForgedProof) {
  const SecretList view = View(granted_at);
  const auto& mine = *world.secret.At(granted_at);
  EXPECT_FALSE(
      view.VerifyGrant(*world.secret.At(granted_at - 1), Proof(4), world.web1.identity(), world.Upper()));
  EXPECT_FALSE(view.VerifyGrant(mine, Proof(4), world.web1.identity(), world.Upper()));
  auto proof = Proof(3);
  proof.path[0].bytes[0] ^= 1;
  EXPECT_FALSE(view.VerifyGrant(mine, proof, world.web1.identity(), world.Upper()));
  EXPECT_FALSE(view.VerifyGrant(mine, {0, 1, {}}, world.web1.identity(), world.Upper()));
}

TEST_F(MachineViewTest, ARevokedGrantDoesNotComeBack) {
  const auto old_proof = Proof(3);
  const auto grant = world.secret.At(granted_at);
  ASSERT_TRUE(world.AddTo(world.secret, world.owner, GrantRevoke{GranteeKind::kMachine, 3}));
  const SecretList view = View(world.secret.next_sequence() - 1);
  EXPECT_EQ(view.VerifyGrant(*grant, old_proof, world.web1.identity(), world.Upper()).error().code,
            Code::kIntegrity);
  EXPECT_FALSE(world.secret.ProveGrant({GranteeKind::kMachine, 3}).has_value());
}

TEST_F(MachineViewTest, AGrantByOneWhoWasNoOwnerIsRefused) {
  const auto stranger = MakeIdentity("mallory");
  Statement forged = world.NextOf(world.secret, stranger, GrantAdd{world.GrantTo(world.web1, 3)});
  forged.sequence = 0;
  const auto made = world.Sign(forged, stranger);
  EXPECT_FALSE(View(granted_at).VerifyGrant(*made, Proof(3), world.web1.identity(), world.Upper()));
}

TEST_F(MachineViewTest, MustBeginWhereAnOwnerSetTheGrants) {
  SecretList view = SecretList::Partial(7, 4);
  ASSERT_TRUE(view.Receive(world.secret.At(4), world.Upper()));
  EXPECT_FALSE(view.CheckStanding(world.Upper())) << "a version does not set the grants";
}

TEST_F(MachineViewTest, ACreationDoesNotBringGrantsOfItsOwn) {
  const auto writer = MakeIdentity("deploy", IdentityKind::kAgent);
  ASSERT_TRUE(world.Add(world.environment, world.owner, MemberAdd{writer.identity(), Role::kWriter, "", {}}));
  SecretList fork(7);
  Statement forged =
      world.NextOf(fork, writer, SecretCreate{7, "shop/prod", "db-password", SecretType::kValue, "", ""});
  forged.state->grants = world.secret.state().grants;
  for (const std::uint64_t first : {0, 3}) {
    forged.sequence = first;
    SecretList view = SecretList::Partial(7, first);
    ASSERT_TRUE(view.Receive(world.Sign(forged, writer), world.Upper()));
    EXPECT_FALSE(view.CheckStanding(world.Upper())) << "a writer cannot grant by creating";
  }
}

TEST_F(MachineViewTest, HoldsAWriterToHisPrefixAndToTheNextNumber) {
  const auto writer = MakeIdentity("deploy", IdentityKind::kAgent);
  ASSERT_TRUE(
      world.Add(world.environment, world.owner, MemberAdd{writer.identity(), Role::kWriter, "tls/", {}}));
  ASSERT_TRUE(world.AddTo(world.secret, world.owner, GrantAdd{world.GrantTo(world.web1, 3)}));
  const SecretList view = View(5);
  ASSERT_TRUE(view.CheckStanding(world.Upper()));
  EXPECT_EQ(view.state(), world.secret.state());
  // He may publish tls/*, and this is another secret.
  const auto elsewhere = world.MadeOf(world.secret, writer, world.VersionOf(world.secret, "tls/server.key"));
  SecretList misled = view;
  ASSERT_TRUE(misled.Receive(elsewhere, world.Upper()));
  EXPECT_FALSE(misled.CheckStanding(world.Upper()));
  EXPECT_FALSE(misled.VerifyVersion("current", *elsewhere, world.Upper()));
  for (const std::uint32_t number : {1u, 2u, 4u, kMaxVersion}) {
    VersionPublish again = world.VersionOf(world.secret);
    again.version = number;
    SecretList repeated = view;
    ASSERT_TRUE(repeated.Receive(world.MadeOf(world.secret, world.second, again), world.Upper()));
    EXPECT_FALSE(repeated.CheckStanding(world.Upper())) << number;
  }
}

TEST_F(MachineViewTest, FollowsFromTheHeadThatItRemembers) {
  SecretList view = View(granted_at);
  ASSERT_TRUE(world.AddTo(world.secret, world.owner, world.VersionOf(world.secret)));
  ASSERT_TRUE(world.AddTo(world.secret, world.owner, GrantRevoke{GranteeKind::kMachine, 4}));
  ASSERT_TRUE(view.Receive(world.secret.At(5), world.Upper()));
  ASSERT_TRUE(view.Receive(world.secret.At(6), world.Upper()));
  ASSERT_TRUE(view.CheckStanding(world.Upper()));
  EXPECT_TRUE(view.VerifyGrant(*world.secret.At(granted_at), Proof(3), world.web1.identity(), world.Upper()));
  EXPECT_EQ(view.Receive(world.secret.At(5), world.Upper()).error().code, Code::kIntegrity)
      << "a broken link";
}

TEST_F(MachineViewTest, SealTargetsAreEnvironmentAndStandingGrantees) {
  EXPECT_EQ(world.secret.SealTargets(1'700'000'000, world.Upper()).size(), 3u);
  ASSERT_TRUE(world.Add(world.vault, world.owner, IdentityRemove{world.web2.Id(), "web-2"}));
  const auto targets = world.secret.SealTargets(1'700'000'000, world.Upper());
  ASSERT_EQ(targets.size(), 2u) << "nobody seals to a removed machine";
  EXPECT_EQ(targets[0].recipient, (Recipient{RecipientKind::kEnvironment, 1, 1}));
  EXPECT_EQ(targets[1].recipient, (Recipient{RecipientKind::kMachine, 3, 0}));
}

}  // namespace
}  // namespace grantfs::testing

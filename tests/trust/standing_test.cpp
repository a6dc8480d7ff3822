// Who may append, and which statements count once somebody has left (contrib/FORMATS.md, "Who counts").

#include "world.h"

namespace grantfs::testing {
namespace {

class StandingTest : public ::testing::Test {
 protected:
  World world;
};

TEST_F(StandingTest, TheWorldStands) {
  EXPECT_TRUE(world.vault.CheckStanding({}));
  EXPECT_TRUE(world.environment.CheckStanding(world.Upper()));
  EXPECT_TRUE(world.environment.CheckGenesis(world.vault));
  EXPECT_TRUE(world.secret.CheckStanding(world.Upper()));
  ASSERT_NE(world.secret.Current(), nullptr);
  EXPECT_EQ(world.secret.Current()->publish.version, 1u);
}

TEST_F(StandingTest, AStrangerAppendsNothing) {
  const auto stranger = MakeIdentity("mallory");
  EXPECT_EQ(world.AddTo(world.secret, stranger, world.VersionOf(world.secret)).error().code, Code::kDenied);
  EXPECT_EQ(world.Add(world.environment, stranger, Vouch{}).error().code, Code::kDenied);
  EXPECT_EQ(world.Add(world.vault, stranger, PinsSet{{Hash{}}}).error().code, Code::kDenied);
  EXPECT_EQ(world.Add(world.machines, stranger, MachineRemove{}).error().code, Code::kDenied);
}

TEST_F(StandingTest, AVaultOwnerHasNoRightOverAnEnvironmentOfOthers) {
  const auto other = MakeIdentity("carol");
  ASSERT_TRUE(world.Add(world.vault, world.owner, VaultOwnerAdd{other.identity()}));
  EXPECT_EQ(world.AddTo(world.secret, other, world.VersionOf(world.secret)).error().code, Code::kDenied);
  EXPECT_EQ(world.Add(world.environment, other, Vouch{}).error().code, Code::kDenied);
}

TEST_F(StandingTest, AStalePreviousHashIsAConflict) {
  const auto early = world.MadeOf(world.secret, world.second, world.VersionOf(world.secret));
  ASSERT_TRUE(world.AddTo(world.secret, world.owner, world.VersionOf(world.secret)));
  EXPECT_EQ(world.secret.Append(early, world.Upper()).error().code, Code::kConflict);
}

TEST_F(StandingTest, EveryByteOfAnEnvelopeIsCovered) {
  const auto good = world.MadeOf(world.secret, world.owner, world.VersionOf(world.secret));
  const std::string& text = good->envelope();
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string altered = text;
    altered[i] = altered[i] == 'A' ? 'B' : 'A';
    const auto parsed = SignedStatement::Parse(altered);
    if (!parsed) continue;
    SecretList list = world.secret;
    EXPECT_FALSE(list.Append(std::make_shared<const SignedStatement>(*parsed), world.Upper()))
        << "byte " << i;
  }
}

TEST_F(StandingTest, ALeaversActNeedsASuccessor) {
  ASSERT_TRUE(world.AddTo(world.secret, world.second, world.VersionOf(world.secret)));
  ASSERT_TRUE(world.secret.CheckStanding(world.Upper()));
  ASSERT_TRUE(world.Remove(world.second));
  EXPECT_EQ(world.secret.FirstUncounted(world.Upper()), 2u);
  EXPECT_EQ(world.secret.CheckStanding(world.Upper()).error().code, Code::kIntegrity);
  EXPECT_EQ(world.AddTo(world.secret, world.owner, world.VersionOf(world.secret)).error().code,
            Code::kIntegrity)
      << "nothing but a vouch or a void follows a tail that does not count";
  ASSERT_TRUE(world.AddTo(world.secret, world.owner, Vouch{}));
  EXPECT_TRUE(world.secret.CheckStanding(world.Upper()));
  EXPECT_EQ(world.secret.Current()->publish.version, 2u) << "a vouch keeps what it follows";
}

TEST_F(StandingTest, AVoidTakesBackTheTailAndIsFinal) {
  const auto before = world.secret.state();
  ASSERT_TRUE(world.AddTo(world.secret, world.second, world.VersionOf(world.secret)));
  ASSERT_TRUE(world.AddTo(world.secret, world.second, GrantAdd{world.GrantTo(world.web2, 9)}));
  ASSERT_TRUE(world.Remove(world.second));
  ASSERT_TRUE(world.AddTo(world.secret, world.owner, Void{2, *world.secret.HashAt(2)}));
  EXPECT_TRUE(world.secret.CheckStanding(world.Upper()));
  EXPECT_EQ(world.secret.state().labels, before.labels);
  EXPECT_EQ(world.secret.state().grants, before.grants);
  EXPECT_TRUE(world.secret.grants().empty());
  Hash copy;
  copy.bytes[0] = 1;
  ASSERT_TRUE(
      world.Add(world.environment, world.owner, MemberAdd{world.second.identity(), Role::kOwner, "", copy}));
  EXPECT_EQ(world.secret.Current()->publish.version, 1u) << "re-adding somebody revives nothing";
  EXPECT_TRUE(world.secret.IsVoided(2));
}

TEST_F(StandingTest, AVoidReachesNeitherTooFarNorTooShort) {
  ASSERT_TRUE(world.AddTo(world.secret, world.second, world.VersionOf(world.secret)));
  ASSERT_TRUE(world.AddTo(world.secret, world.second, world.VersionOf(world.secret)));
  EXPECT_FALSE(world.AddTo(world.secret, world.owner, Void{2, *world.secret.HashAt(2)}))
      << "those statements count";
  ASSERT_TRUE(world.Remove(world.second));
  EXPECT_FALSE(world.AddTo(world.secret, world.owner, Void{1, *world.secret.HashAt(1)}));
  EXPECT_FALSE(world.AddTo(world.secret, world.owner, Void{3, *world.secret.HashAt(3)}));
  EXPECT_FALSE(world.AddTo(world.secret, world.owner, Void{2, *world.secret.HashAt(1)}));
  EXPECT_TRUE(world.AddTo(world.secret, world.owner, Void{2, *world.secret.HashAt(2)}));
}

TEST_F(StandingTest, TheRemovedCannotSignOverOldHeads) {
  ASSERT_TRUE(world.AddTo(world.secret, world.second, world.VersionOf(world.secret)));
  Statement late = world.NextOf(world.secret, world.second,
                                world.VersionOf(world.secret));  // names heads before the removal
  const auto forged = world.Sign(late, world.second);
  ASSERT_TRUE(world.Remove(world.second));
  SecretList served = world.secret;
  ASSERT_TRUE(served.Receive(forged, world.Upper()));
  EXPECT_EQ(served.CheckStanding(world.Upper()).error().code, Code::kIntegrity);

  // After an owner's vouch over the newer head, the old one can no longer be named at all.
  ASSERT_TRUE(world.AddTo(world.secret, world.owner, Vouch{}));
  late.sequence = world.secret.next_sequence();
  late.previous = world.secret.head()->hash;
  SecretList later = world.secret;
  ASSERT_TRUE(later.Receive(world.Sign(late, world.second), world.Upper()));
  EXPECT_EQ(later.FirstUncounted(world.Upper()), late.sequence);
  EXPECT_EQ(later.Append(world.MadeOf(later, world.owner, Vouch{}), world.Upper()).error().code,
            Code::kDenied)
      << "no vouch blesses what never could stand";
  EXPECT_TRUE(world.AddTo(later, world.owner, Void{late.sequence, *later.HashAt(late.sequence)}));
  EXPECT_TRUE(later.CheckStanding(world.Upper()));
}

TEST_F(StandingTest, TheRemovedCannotReturnThroughTheirOwnEnvironmentList) {
  ASSERT_TRUE(world.Remove(world.second));
  EnvironmentList served = world.environment;
  Hash copy;
  copy.bytes[0] = 1;
  const auto friend_of = MakeIdentity("eve");
  ASSERT_TRUE(served.Receive(
      world.Made(served, world.second, MemberAdd{friend_of.identity(), Role::kOwner, "", copy}),
      world.Upper()));
  EXPECT_FALSE(served.CheckStanding(world.Upper()));
  EXPECT_FALSE(served.RoleOf(friend_of.Id()).has_value());
}

TEST_F(StandingTest, RecoveryRemovesAnOwnerAndVouchesAndDoesNothingElse) {
  EXPECT_FALSE(world.AddTo(world.secret, world.recovery, world.VersionOf(world.secret)));
  EXPECT_FALSE(world.AddTo(world.secret, world.recovery, GrantAdd{world.GrantTo(world.web1, 3)}));
  ASSERT_TRUE(world.AddTo(world.secret, world.second, world.VersionOf(world.secret)));
  ASSERT_TRUE(world.Add(world.environment, world.recovery,
                        MemberRemove{world.second.Id(), world.EpochAfterRemoving(world.second.Id()).epoch}));
  ASSERT_FALSE(world.secret.CheckStanding(world.Upper()));
  ASSERT_TRUE(world.AddTo(world.secret, world.recovery, Vouch{}));
  EXPECT_TRUE(world.secret.CheckStanding(world.Upper()));
}

TEST_F(StandingTest, AForkIsSeen) {
  EnvironmentList fork = world.environment;
  World other;
  const auto made_here = world.MadeOf(world.secret, world.owner, world.VersionOf(world.secret));
  ASSERT_TRUE(world.Add(fork, world.owner, Vouch{}));
  ASSERT_TRUE(world.Add(world.environment, world.second, Vouch{}));
  Statement over_fork = world.NextOf(world.secret, world.owner, world.VersionOf(world.secret));
  over_fork.heads.environment = fork.head();
  EXPECT_EQ(world.secret.Append(world.Sign(over_fork, world.owner), world.Upper()).error().code,
            Code::kIntegrity);
  EXPECT_FALSE(SecretList(7).Receive(other.secret.At(0), world.Upper())) << "another vault's statement";
}

TEST_F(StandingTest, ANewerHeadAboveAsksToReadAgain) {
  EnvironmentList newer = world.environment;
  ASSERT_TRUE(world.Add(newer, world.owner, Vouch{}));
  Statement ahead = world.NextOf(world.secret, world.owner, world.VersionOf(world.secret));
  ahead.heads.environment = newer.head();
  EXPECT_EQ(world.secret.Append(world.Sign(ahead, world.owner), world.Upper()).error().code, Code::kConflict);
}

TEST_F(StandingTest, AWriterPublishesWithinThePrefixAndGrantsNothing) {
  const auto writer = MakeIdentity("deploy", IdentityKind::kAgent);
  ASSERT_TRUE(
      world.Add(world.environment, world.owner, MemberAdd{writer.identity(), Role::kWriter, "tls/", {}}));
  EXPECT_FALSE(world.AddTo(world.secret, writer, world.VersionOf(world.secret)));
  SecretList key(8);
  ASSERT_TRUE(
      world.AddTo(key, writer, SecretCreate{8, "shop/prod", "tls/server.key", SecretType::kValue, "", ""}));
  ASSERT_TRUE(world.AddTo(key, writer, world.VersionOf(key, "tls/server.key")));
  EXPECT_FALSE(world.AddTo(key, writer, GrantAdd{world.GrantTo(world.web1, 3)}));
}

TEST_F(StandingTest, AnAgentIsNeverOwnerOrReader) {
  const auto agent = MakeIdentity("ci", IdentityKind::kAgent);
  Hash copy;
  copy.bytes[0] = 1;
  EXPECT_FALSE(
      world.Add(world.environment, world.owner, MemberAdd{agent.identity(), Role::kOwner, "", copy}));
  EXPECT_FALSE(
      world.Add(world.environment, world.owner, MemberAdd{agent.identity(), Role::kReader, "", copy}));
  EXPECT_FALSE(
      world.Add(world.environment, world.owner, MemberAdd{world.web1.identity(), Role::kAuditor, "", {}}));
}

TEST_F(StandingTest, AClaimedStateMustFollowFromTheList) {
  Statement lie = world.NextOf(world.secret, world.owner, world.VersionOf(world.secret));
  lie.state->grants.bytes[0] ^= 1;
  EXPECT_FALSE(world.secret.Append(world.Sign(lie, world.owner), world.Upper()));
  lie = world.NextOf(world.secret, world.owner, world.VersionOf(world.secret));
  lie.state->labels["previous"] = Hash{};
  EXPECT_FALSE(world.secret.Append(world.Sign(lie, world.owner), world.Upper()));
  EXPECT_EQ(world.secret.next_sequence(), 2u);
}

TEST_F(StandingTest, AConflictSaysThatTheListsAreToBeReadAgain) {
  const auto says = [](const Status& status) {
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code, Code::kConflict);
    EXPECT_NE(Describe(status.error()).find("read the list"), std::string::npos) << Describe(status.error());
  };
  const auto late = world.MadeOf(world.secret, world.owner, Vouch{});
  Statement forked = world.NextOf(world.secret, world.owner, Vouch{});
  forked.previous.bytes[0] ^= 1;
  says(world.secret.Append(world.Sign(forked, world.owner), world.Upper()));
  Statement ahead = world.NextOf(world.secret, world.owner, Vouch{});
  ++ahead.heads.vault->sequence;
  says(world.secret.Append(world.Sign(ahead, world.owner), world.Upper()));
  EXPECT_TRUE(world.AddTo(world.secret, world.owner, world.VersionOf(world.secret)));
  says(world.secret.Append(late, world.Upper()));
}

}  // namespace
}  // namespace grantfs::testing

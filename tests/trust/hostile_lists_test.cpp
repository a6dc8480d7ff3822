// What a vault may serve with the help of some who have, or had, a key: no list is brought down by it.

#include "world.h"

namespace grantfs::testing {
namespace {

class HostileListsTest : public ::testing::Test {
 protected:
  World world;
  PrivateIdentity mallory = MakeIdentity("mallory");
  PrivateIdentity other = MakeIdentity("recovery");
};

// A version stood by an epoch that the environment's list takes back later. What was loaded before is asked
// to void something of its own then.
TEST_F(HostileListsTest, AVoidInAListThatStoodByWhatIsTakenBackAboveIt) {
  const std::uint64_t started = world.environment.next_sequence();
  ASSERT_TRUE(world.Add(world.environment, world.recovery, EpochStart{world.EpochAfterRemoving({}).epoch}));
  const std::uint64_t version = world.secret.next_sequence();
  ASSERT_TRUE(world.AddTo(world.secret, world.owner, world.VersionOf(world.secret)));
  ASSERT_TRUE(world.Add(world.vault, world.owner, RecoveryReplace{other.identity()}));
  ASSERT_TRUE(world.Add(world.environment, world.owner, Void{started, *world.environment.HashAt(started)}));
  ASSERT_EQ(world.environment.newest_epoch().number, 1U);
  Statement forged = world.Next(world.secret, world.second, Vouch{});
  forged.signer = mallory.Id();
  forged.state = world.secret.state();
  const std::uint64_t tail = forged.sequence;
  ASSERT_TRUE(world.secret.Receive(world.Sign(forged, mallory), world.Upper()));
  Statement taken_back = world.Next(world.secret, world.owner, Void{tail, *world.secret.HashAt(tail)});
  taken_back.state = world.secret.state();
  ASSERT_TRUE(world.secret.Receive(world.Sign(taken_back, world.owner), world.Upper()));
  EXPECT_EQ(world.secret.FirstUncounted(world.Upper()), version) << "and that is what is to be voided";
  Statement whole = world.Next(world.secret, world.owner, Void{version, *world.secret.HashAt(version)});
  whole.state = Must(world.secret.StateAfter(whole.act, world.Upper()));
  const Status voided = world.secret.Append(world.Sign(whole, world.owner), world.Upper());
  EXPECT_TRUE(voided) << Describe(voided.error());
  EXPECT_FALSE(world.secret.FirstUncounted(world.Upper()));
}

}  // namespace
}  // namespace grantfs::testing

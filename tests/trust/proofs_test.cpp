// Statements that a machine is shown apart from the list: each must be of this list and vault, in its place,
// signed, over the heads that were, by one who had the right.

#include "grantfs/crypto/merkle.h"
#include "world.h"

namespace grantfs::testing {
namespace {

class ProofsTest : public ::testing::Test {
 protected:
  ProofsTest() {
    EXPECT_TRUE(
        world.Add(world.environment, world.owner, MemberAdd{writer.identity(), Role::kWriter, "", {}}));
    EXPECT_TRUE(world.AddTo(world.secret, world.owner, world.VersionOf(world.secret)));           // 2
    EXPECT_TRUE(world.AddTo(world.secret, world.owner, GrantAdd{world.GrantTo(world.web1, 3)}));  // 3
    EXPECT_TRUE(world.AddTo(world.secret, world.owner, GrantAdd{world.GrantTo(world.web2, 4)}));  // 4
    view = View(4);
  }
  SecretList View(std::uint64_t from) {
    SecretList list = SecretList::Partial(7, from);
    for (std::uint64_t i = from; i < world.secret.next_sequence(); ++i)
      EXPECT_TRUE(list.Receive(world.secret.At(i), world.Upper()));
    EXPECT_TRUE(list.CheckStanding(world.Upper()));
    return list;
  }
  /// A copy of a statement that the view does not hold, altered and signed again by who it says.
  SignedList::StatementPtr Altered(std::uint64_t sequence, const std::function<void(Statement&)>& alter,
                                   const PrivateIdentity* signer = nullptr) {
    Statement said = world.secret.At(sequence)->statement();
    said.signer = (signer == nullptr ? world.owner : *signer).Id();
    alter(said);
    return world.Sign(said, signer == nullptr ? world.owner : *signer);
  }
  /// Neither as a version nor as a grant.
  void ExpectRefused(const std::function<void(Statement&)>& alter, const std::string& why,
                     const PrivateIdentity* signer = nullptr) {
    Says(view.VerifyOldVersion(*Altered(2, alter, signer), world.Upper()), why);
    Says(VerifyGrant(*Altered(3, alter, signer)), why);
  }
  Result<Grant> VerifyGrant(const SignedStatement& grant) {
    return view.VerifyGrant(grant, *world.secret.ProveGrant({GranteeKind::kMachine, 3}),
                            world.web1.identity(), world.Upper());
  }
  template <typename T>
  static void Says(const Result<T>& result, const std::string& why) {
    ASSERT_FALSE(result) << why;
    EXPECT_EQ(result.error().code, Code::kIntegrity);
    EXPECT_NE(Describe(result.error()).find(why), std::string::npos) << Describe(result.error());
  }

  World world;
  PrivateIdentity writer = MakeIdentity("deploy", IdentityKind::kAgent);
  SecretList view{7};
};

TEST_F(ProofsTest, WhatIsInTheListIsTaken) {
  EXPECT_TRUE(view.VerifyOldVersion(*world.secret.At(1), world.Upper()));
  EXPECT_TRUE(view.VerifyOldVersion(*world.secret.At(2), world.Upper()));
  EXPECT_TRUE(VerifyGrant(*world.secret.At(3)));
}

TEST_F(ProofsTest, OfAnotherListOrVault) {
  ExpectRefused([](Statement& said) { said.list = ListId::Secret(8); }, "another list");
  ExpectRefused([](Statement& said) { said.vault.bytes[0] ^= 1; }, "another list");
}

TEST_F(ProofsTest, NotInItsPlace) {
  ExpectRefused([&](Statement& said) { said.sequence = view.next_sequence(); }, "newer than its list");
  ExpectRefused([](Statement& said) { said.sequence = 4; }, "not the one that the list has");
}

TEST_F(ProofsTest, OverAnotherHistory) {
  ExpectRefused([](Statement& said) { said.heads.environment->hash.bytes[0] ^= 1; }, "fork");
  ExpectRefused([](Statement& said) { said.heads.vault->hash.bytes[0] ^= 1; }, "fork");
  ExpectRefused([](Statement& said) { said.heads.vault->sequence += 1000; }, "fork");
}

TEST_F(ProofsTest, NotSignedByWhomItNames) {
  Statement said = world.secret.At(2)->statement();
  Says(view.VerifyOldVersion(*world.Sign(said, writer), world.Upper()), "signature");
  said = world.secret.At(3)->statement();
  Says(VerifyGrant(*world.Sign(said, writer)), "signature");
  const auto stranger = MakeIdentity("mallory");
  ExpectRefused([](Statement&) {}, "signature", &stranger);
}

TEST_F(ProofsTest, ByOneWithoutTheRight) {
  // The same grant as the owner's, so that its leaf is the one under the root.
  Says(VerifyGrant(*Altered(
           3, [](Statement&) {}, &writer)),
       "did not hold the role");
  EXPECT_TRUE(view.VerifyOldVersion(*Altered(
                                        2, [](Statement&) {}, &writer),
                                    world.Upper()));
  const auto before = world.environment.head();
  ASSERT_TRUE(world.Add(world.environment, world.owner, MemberRemove{writer.Id(), {}}));
  const auto gone = [&](Statement& said) { said.heads.environment = world.environment.head(); };
  Says(view.VerifyOldVersion(*Altered(2, gone, &writer), world.Upper()), "did not hold the role");
  const auto was = [&](Statement& said) { said.heads.environment = before; };
  EXPECT_TRUE(view.VerifyOldVersion(*Altered(2, was, &writer), world.Upper())) << "by the heads it names";
}

TEST_F(ProofsTest, AGrantMadeAgainIsNotTheOneBefore) {
  ASSERT_TRUE(world.AddTo(world.secret, world.owner, GrantRevoke{GranteeKind::kMachine, 3}));   // 5
  ASSERT_TRUE(world.AddTo(world.secret, world.owner, GrantAdd{world.GrantTo(world.web1, 3)}));  // 6
  view = View(6);
  Says(VerifyGrant(*world.secret.At(3)), "revoked, replaced or never made");
  EXPECT_TRUE(VerifyGrant(*world.secret.At(6)));
}

TEST_F(ProofsTest, AGrantWithOtherTermsInItsPlace) {
  // By one who was an owner at the heads that it names, and is none now.
  ASSERT_TRUE(world.Remove(world.second));
  EXPECT_TRUE(VerifyGrant(*Altered(
      3, [](Statement&) {}, &world.second)))
      << "the very same terms";
  for (const auto& alter : std::vector<std::function<void(Grant&)>>{
           [](Grant& grant) { grant.mode = 0444; }, [](Grant& grant) { grant.label = "previous"; },
           [](Grant& grant) { grant.owner = "app"; }, [](Grant& grant) { grant.expires = 2'000'000'000; },
           [](Grant& grant) { grant.conditions = {"user=app"}; },
           [](Grant& grant) { grant.grantee.number = 4; }}) {
    const auto made = Altered(
        3, [&](Statement& said) { alter(std::get<GrantAdd>(said.act).grant); }, &world.second);
    Says(VerifyGrant(*made), "revoked, replaced or never made");
  }
}

TEST_F(ProofsTest, AVersionThatIsDueAtAnotherTimeInItsPlace) {
  ASSERT_TRUE(world.AddTo(world.secret, world.owner, [&] {
    VersionPublish version = world.VersionOf(world.secret);
    version.rotate_after = 90 * 86400;
    return version;
  }()));  // 5
  const SecretList shown = View(4);
  const auto due = shown.VerifyVersion("current", *world.secret.At(5), world.Upper());
  ASSERT_TRUE(due) << Describe(due.error());
  EXPECT_EQ(due->rotate_after, 90 * 86400);
  for (const std::int64_t other : {0, 1, 91 * 86400}) {
    const auto made = Altered(
        5, [&](Statement& said) { std::get<VersionPublish>(said.act).rotate_after = other; }, &writer);
    EXPECT_FALSE(shown.VerifyVersion("current", *made, world.Upper())) << other;
  }
}

TEST_F(ProofsTest, AVoidedVersionIsNone) {
  ASSERT_TRUE(world.AddTo(world.secret, world.second, world.VersionOf(world.secret)));
  ASSERT_TRUE(world.Remove(world.second));
  ASSERT_TRUE(world.AddTo(world.secret, world.owner, Void{5, *world.secret.HashAt(5)}));
  Says(View(4).VerifyOldVersion(*world.secret.At(5), world.Upper()), "not the one that the list has");
}

TEST_F(ProofsTest, AnotherKindOfActOrAnotherSecretsVersion) {
  Says(view.VerifyOldVersion(*world.secret.At(3), world.Upper()), "publishes no version");
  Says(VerifyGrant(*world.secret.At(2)), "not a grant");
  const auto renamed = Altered(2, [](Statement& said) { std::get<VersionPublish>(said.act).path = "other"; });
  Says(view.VerifyOldVersion(*renamed, world.Upper()), "another secret");
  const auto moved =
      Altered(2, [](Statement& said) { std::get<VersionPublish>(said.act).environment = "shop/test"; });
  Says(view.VerifyOldVersion(*moved, world.Upper()), "another secret");
}

// An owner errs, or helps: what he signed under the root is still none of this machine's.
TEST_F(ProofsTest, AGrantOfThisMachinesIdToAnotherKeyOrToAGroup) {
  const Grant mine = world.GrantTo(world.web1, 3);
  Grant other_key = mine;
  other_key.grantee.seal = world.web2.identity().seal;
  Grant group = mine;
  group.grantee.kind = GranteeKind::kGroup;
  group.grantee.seal = {};
  Grant other_id = mine;
  other_id.grantee.id = world.web2.Id();
  for (const auto& [grant, good] :
       {std::pair{mine, true}, {other_key, false}, {group, false}, {other_id, false}}) {
    Statement said = world.Next(world.secret, world.owner, GrantAdd{grant});
    said.state = world.secret.state();
    const Hash leaf = GrantLeaf(grant, said.sequence);
    said.state->grants = MerkleRoot(std::vector<Hash>{leaf});
    const auto made = world.Sign(said, world.owner);
    SecretList begun = SecretList::Partial(7, said.sequence);
    ASSERT_TRUE(begun.Receive(made, world.Upper()));
    ASSERT_TRUE(begun.CheckStanding(world.Upper()));
    const auto verified = begun.VerifyGrant(*made, {0, 1, {}}, world.web1.identity(), world.Upper());
    EXPECT_EQ(verified.has_value(), good);
    if (!good) Says(verified, "for another machine");
  }
}

}  // namespace
}  // namespace grantfs::testing

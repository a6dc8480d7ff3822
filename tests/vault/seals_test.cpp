#include "support/direct_vault.h"

// What must have been sent ahead, and what follows from statements.

namespace grantfs::testing {
namespace {

struct SealsTest : ::testing::Test, ClaimedVault {
  Result<api::AppendResponse> Append(const Statement& statement) {
    return direct.Append(world.owner, VaultWorld::One(statement, world.owner));
  }
  std::string WhyRefused(const Result<api::AppendResponse>& answer, Code code) {
    if (answer) return "was accepted";
    return answer.error().code == code ? answer.error().where : Describe(answer.error());
  }
};

TEST_F(SealsTest, AVersionNeedsItsCiphertext) {
  Must(world.Publish("shop/prod", "a", "one"));
  auto& secret = world.secret("shop/prod", "a");
  VersionPublish version = world.StageVersion(secret, "two", world.owner);
  VersionPublish other = version;
  other.ciphertext.bytes[0] ^= 1;
  EXPECT_EQ(WhyRefused(Append(world.NextOf(secret, world.owner, other)), Code::kConflict),
            "the version's ciphertext was not sent ahead");
  other = version;
  other.size = 17;
  EXPECT_EQ(WhyRefused(Append(world.NextOf(secret, world.owner, other)), Code::kInvalid),
            "the ciphertext has another size than the statement says");
  Must(Append(world.NextOf(secret, world.owner, version)));
}

TEST_F(SealsTest, AVersionNeedsACopyForEveryGrantee) {
  const auto one = world.EnrolMachine("web-1");
  const auto two = world.EnrolMachine("web-2");
  Must(world.Publish("shop/prod", "a", "one"));
  Must(world.GrantTo(one, "shop/prod", "a"));
  auto& secret = world.secret("shop/prod", "a");
  const VersionPublish version = world.StageVersion(secret, "two", world.owner);  // sealed to web-1 alone
  Must(world.GrantTo(two, "shop/prod", "a", {}));
  const Statement statement = world.NextOf(secret, world.owner, version);
  EXPECT_EQ(WhyRefused(Append(statement), Code::kConflict), "a copy of its data key was not sent ahead");
  EXPECT_EQ(Must(direct.Read(one.key, NumberOf("a"), "x")).version, 1U) << "the refused version was kept";
}

TEST_F(SealsTest, AGrantNeedsACopyOfEveryVersionKept) {
  const auto machine = world.EnrolMachine("web-1");
  Must(world.Publish("shop/prod", "a", "one"));
  Must(world.Publish("shop/prod", "a", "two"));
  auto& secret = world.secret("shop/prod", "a");
  const Statement grant = world.NextOf(secret, world.owner, GrantAdd{world.GrantFor(machine)});
  EXPECT_EQ(WhyRefused(Append(grant), Code::kConflict), "a copy of its data key was not sent ahead");
  secret.data_keys.erase(1);
  Must(world.StageGrantCopies(secret, machine.identity(), machine.number));
  EXPECT_EQ(WhyRefused(Append(grant), Code::kConflict), "a copy of its data key was not sent ahead");
  EXPECT_EQ(direct.Read(machine.key, NumberOf("a"), "x").error().code, Code::kNotFound);
}

TEST_F(SealsTest, AGrantNamesTheMachinesOwnKeys) {
  const auto machine = world.EnrolMachine("web-1");
  const auto other = world.EnrolMachine("web-2");
  Must(world.Publish("shop/prod", "a", "one"));
  const auto grant = [&](auto change) { return world.GrantTo(machine, "shop/prod", "a", change); };
  EXPECT_EQ(WhyRefused(grant([&](Grant& g) { g.grantee.seal = other.identity().seal; }), Code::kInvalid),
            "a machine is not as its approval says");
  EXPECT_EQ(WhyRefused(grant([&](Grant& g) { g.grantee.number = other.number; }), Code::kInvalid),
            "a machine is not as its approval says");
  EXPECT_EQ(WhyRefused(grant([&](Grant& g) { g.grantee.number = 4711; }), Code::kConflict),
            "this names no machine of this vault, or one that was removed");
  Must(grant([](Grant&) {}));
}

TEST_F(SealsTest, AnEpochIsSealedToAllWhoMayReadAndNobodyElse) {
  auto& environment = world.environment("shop/prod");
  const auto start = [&](const std::vector<Identity>& recipients) {
    const NewEpoch epoch =
        Must(MakeEpoch(recipients, &environment.list.newest_epoch(), &environment.keys.back()));
    world.StageEpoch("shop/prod", epoch);
    return Append(world.Next(environment.list, world.owner, EpochStart{epoch.epoch}));
  };
  const Identity owner = world.owner.identity();
  const Identity recovery = world.recovery.identity();
  const char* const kWhy =
      "an epoch's key is sealed to owners, readers and recovery, to each and to nobody else; its copies were "
      "not "
      "sent ahead, or are others";
  EXPECT_EQ(WhyRefused(start({owner}), Code::kConflict), kWhy);
  EXPECT_EQ(WhyRefused(start({owner, recovery, NewIdentity("eve").identity()}), Code::kConflict), kWhy);
  Must(start({owner, recovery}));  // what was abandoned before does not stand in the way
  const auto copies = Must(direct.vault().EpochCopies(direct.Caller(world.owner), {"shop/prod"}));
  ASSERT_EQ(copies.copies.size(), 2U);
}

TEST_F(SealsTest, AnEpochWhoseCopiesExpiredIsRefused) {
  const auto& environment = world.environment("shop/prod");
  const NewEpoch epoch = Must(MakeEpoch({world.owner.identity(), world.recovery.identity()},
                                        &environment.list.newest_epoch(), &environment.keys.back()));
  world.StageEpoch("shop/prod", epoch);
  direct.clock().Pass(kStagedSeconds + 1);
  const auto start = Append(world.Next(environment.list, world.owner, EpochStart{epoch.epoch}));
  ASSERT_FALSE(start);
  EXPECT_EQ(start.error().code, Code::kConflict);
}

TEST_F(SealsTest, ANewReaderNeedsHisCopy) {
  const PrivateIdentity bob = NewIdentity("bob");
  MemberAdd add{bob.identity(), Role::kReader, "", {}};
  add.copy.bytes[0] = 7;
  const auto& list = world.environment("shop/prod").list;
  EXPECT_EQ(WhyRefused(Append(world.Next(list, world.owner, add)), Code::kConflict),
            "the new member's copy of the environment's key was not sent ahead");
  Must(world.AddMember("shop/prod", bob, Role::kReader));
  const auto copies = Must(direct.vault().EpochCopies(direct.Caller(bob), {"shop/prod"}));
  ASSERT_EQ(copies.copies.size(), 1U);
  EXPECT_TRUE(OpenEpochCopy(bob.unseal_key(), copies.copies[0].sealed, list.newest_epoch()));
}

TEST_F(SealsTest, ASecretNeedsAReservedNumberAndAFreeName) {
  Must(world.Publish("shop/prod", "tls/key", "one"));
  const auto create = [&](std::uint64_t number, const std::string& path) {
    VaultWorld::Secret secret{"shop/prod", SecretList(number), {}};
    const SecretCreate act{number, "shop/prod", path, SecretType::kValue, "", ""};
    return Append(world.NextOf(secret, world.owner, act));
  };
  EXPECT_EQ(WhyRefused(create(4711, "b"), Code::kConflict), "the secret's number was not reserved");
  const std::uint64_t free = Must(direct.Reserve(world.owner, {"shop/prod", 3})).first;
  const char* const kBoth = "a name cannot be both a secret and the beginning of others";
  EXPECT_EQ(WhyRefused(create(free, "tls"), Code::kConflict), kBoth);
  EXPECT_EQ(WhyRefused(create(free, "tls/key/more"), Code::kConflict), kBoth);
  EXPECT_EQ(WhyRefused(create(free, "tls/key"), Code::kConflict), "a secret of this name exists already");
  Must(create(free, "tls/key.pem"));
  Must(create(free + 1, "tls.key"));
}

TEST_F(SealsTest, StagedThingsAreTheirSignersOwn) {
  const PrivateIdentity bob = NewIdentity("bob");
  Must(world.AddMember("shop/prod", bob, Role::kWriter));
  Must(world.Publish("shop/prod", "a", "one"));
  auto& secret = world.secret("shop/prod", "a");
  const VersionPublish version = world.StageVersion(secret, "two", bob);
  EXPECT_EQ(WhyRefused(Append(world.NextOf(secret, world.owner, version)), Code::kConflict),
            "the version's ciphertext was not sent ahead");
  Must(world.Send(bob, VaultWorld::One(world.NextOf(secret, bob, version), bob)));
}

TEST_F(SealsTest, WhoMayNotPublishStagesNothing) {
  const PrivateIdentity bob = NewIdentity("bob");
  const PrivateIdentity eve = NewIdentity("eve");
  Must(world.AddMember("shop/prod", bob, Role::kOperator));
  Must(world.AddEnvironment("shop/test"));
  Must(world.AddMember("shop/test", eve, Role::kWriter));
  Must(world.Publish("shop/prod", "a", "one"));
  const api::StageCiphertextRequest request{NumberOf("a"), 2, {}, Bytes(64)};
  EXPECT_EQ(direct.Stage(bob, request).error().code, Code::kDenied);
  EXPECT_EQ(direct.Stage(eve, request).error().code, Code::kNotFound);
  EXPECT_EQ(direct.Stage(eve, api::StageCiphertextRequest{4711, 1, {}, Bytes(64)}).error().code,
            Code::kNotFound);
  EXPECT_EQ(direct.Stage(bob, api::StageEpochRequest{"shop/prod", 2, {}}).error().code, Code::kDenied);
}

}  // namespace
}  // namespace grantfs::testing

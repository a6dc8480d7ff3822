#include <future>
#include <thread>
#include <vector>

#include "support/direct_vault.h"

namespace grantfs::testing {
namespace {

struct AppendTest : ::testing::Test, ClaimedVault {
  Code Refused(const Result<api::AppendResponse>& answer) {
    if (answer) ADD_FAILURE() << "was accepted";
    return answer ? Code::kIo : answer.error().code;
  }
  Result<api::AppendResponse> Append(const Statement& statement, const PrivateIdentity& signer) {
    return direct.Append(signer, VaultWorld::One(statement, signer));
  }
  Head HeadOf(const std::string& list) { return *Must(Must(direct.store().Read())->FindHead(list)); }
};

TEST_F(AppendTest, AReopenedVaultGoesOnWhereItWas) {
  const auto machine = world.EnrolMachine("web-1");
  Must(world.Publish("shop/prod", "db-password", "one"));
  Must(world.GrantTo(machine, "shop/prod", "db-password"));
  Must(direct.Reopen());
  Must(world.Publish("shop/prod", "db-password", "two"));
  EXPECT_EQ(Must(direct.Read(machine.key, NumberOf("db-password"), "a")).version, 2U);
}

TEST_F(AppendTest, AStatementComesInOnceAndIsAnsweredAgain) {
  Must(world.Publish("shop/prod", "a", "one"));
  auto& secret = world.secret("shop/prod", "a");
  const auto request = VaultWorld::One(
      world.NextOf(secret, world.owner, world.StageVersion(secret, "two", world.owner)), world.owner);
  const auto first = Must(direct.Append(world.owner, request));
  const auto again = Must(direct.Append(world.owner, request));
  EXPECT_EQ(again.change, first.change);
  ASSERT_EQ(again.heads.size(), 1U);
  EXPECT_EQ(again.heads[0].head, first.heads[0].head);
  EXPECT_EQ(HeadOf(secret.list.id().Text()).sequence, 2U);
}

TEST_F(AppendTest, AStaleStatementIsAConflict) {
  Must(world.Publish("shop/prod", "a", "one"));
  auto& secret = world.secret("shop/prod", "a");
  const Statement stale = world.NextOf(secret, world.owner, world.StageVersion(secret, "two", world.owner));
  Must(world.Publish("shop/prod", "a", "other"));
  EXPECT_EQ(Refused(Append(stale, world.owner)), Code::kConflict);
}

TEST_F(AppendTest, OfTwoRacingAppendsOneWins) {
  const PrivateIdentity members[] = {NewIdentity("bob"), NewIdentity("cid"), NewIdentity("dan"),
                                     NewIdentity("eve")};
  auto& environment = world.environment("shop/prod");
  std::atomic<int> won{0};
  std::atomic<int> conflicts{0};
  std::vector<std::thread> threads;
  for (const PrivateIdentity& member : members) {
    const auto request = VaultWorld::One(
        world.Next(environment.list, world.owner, MemberAdd{member.identity(), Role::kWriter, "", {}}),
        world.owner);
    threads.emplace_back([this, request, &won, &conflicts] {
      const auto answer = direct.Append(world.owner, request);
      won += answer.has_value();
      conflicts += !answer && answer.error().code == Code::kConflict;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(won, 1);
  EXPECT_EQ(conflicts, 3);
  EXPECT_EQ(HeadOf("environment/shop/prod").sequence, 1U);
}

TEST_F(AppendTest, NothingOfAnAppendStandsUnlessAllDoes) {
  NewEpoch epoch = Must(MakeEpoch({world.owner.identity(), world.recovery.identity()}, nullptr, nullptr));
  Must(direct.Stage(world.owner, api::StageEpochRequest{"shop/test", 1, epoch.copies}));
  EnvironmentList list("shop/test");
  const Statement create =
      world.Next(list, world.owner, EnvironmentCreate{"shop/test", world.owner.identity(), epoch.epoch});
  EXPECT_EQ(Refused(Append(create, world.owner)), Code::kNotFound) << "the vault's list does not name it";
  Hash other;
  other.bytes[0] = 1;
  auto request = VaultWorld::One(create, world.owner);
  request.appends.push_back(
      VaultWorld::One(world.Next(world.vault, world.owner, EnvironmentAdd{"shop/test", other}), world.owner)
          .appends[0]);
  EXPECT_EQ(Refused(direct.Append(world.owner, request)), Code::kIntegrity) << "another genesis";
  EXPECT_FALSE(Must(Must(direct.store().Read())->FindHead("environment/shop/test")));
  EXPECT_EQ(HeadOf("vault").sequence, 1U);
  Must(world.AddEnvironment("shop/test"));
}

TEST_F(AppendTest, AFailingDiskChangesNothingInMemoryEither) {
  Must(world.Publish("shop/prod", "a", "one"));
  direct.store().Break(Error{Code::kNoSpace, "the disk is full"});
  auto& environment = world.environment("shop/prod");
  const PrivateIdentity bob = NewIdentity("bob");
  const auto request = VaultWorld::One(
      world.Next(environment.list, world.owner, MemberAdd{bob.identity(), Role::kWriter, "", {}}),
      world.owner);
  EXPECT_EQ(Refused(direct.Append(world.owner, request)), Code::kNoSpace);
  EXPECT_FALSE(direct.vault().FindKey(bob.Id().Hex())) << "memory went ahead of the disk";
  direct.store().Break(std::nullopt);
  Must(world.Send(world.owner, request));
  EXPECT_TRUE(direct.vault().FindKey(bob.Id().Hex()));
}

TEST_F(AppendTest, OneAppendsOnlyWhatOneSigned) {
  const PrivateIdentity bob = NewIdentity("bob");
  Must(world.AddMember("shop/prod", bob, Role::kWriter));
  const Statement statement = world.Next(world.environment("shop/prod").list, world.owner,
                                         MemberAdd{NewIdentity("cid").identity(), Role::kWriter, "", {}});
  EXPECT_EQ(Refused(direct.Append(bob, VaultWorld::One(statement, world.owner))), Code::kDenied);
}

TEST_F(AppendTest, AStrangerLearnsNothingAndAMemberThatHeMayNot) {
  const PrivateIdentity bob = NewIdentity("bob");
  const PrivateIdentity eve = NewIdentity("eve");
  Must(world.AddEnvironment("shop/test"));
  Must(world.AddMember("shop/prod", bob, Role::kWriter));
  Must(world.AddMember("shop/test", eve, Role::kWriter));
  Must(world.Publish("shop/prod", "a", "one"));
  const Act act = MemberAdd{NewIdentity("cid").identity(), Role::kWriter, "", {}};
  const auto& list = world.environment("shop/prod").list;
  EXPECT_EQ(Refused(Append(world.Next(list, bob, act), bob)), Code::kDenied);
  EXPECT_EQ(Refused(Append(world.Next(list, eve, act), eve)), Code::kNotFound);
  auto& secret = world.secret("shop/prod", "a");
  EXPECT_EQ(Refused(Append(world.NextOf(secret, eve, Vouch{}), eve)), Code::kNotFound);
  EXPECT_EQ(Refused(Append(world.NextOf(secret, bob, Vouch{}), bob)), Code::kDenied);
  EXPECT_EQ(Refused(Append(world.Next(world.machines, bob, MachineRemove{bob.Id()}), bob)), Code::kDenied)
      << "reading that list is denied to him too: that it is there is no secret";
  const auto creation = [&](const PrivateIdentity& who) {
    const std::uint64_t number = Must(direct.Reserve(world.owner, {"shop/prod", 1})).first;
    const VaultWorld::Secret made{"shop/prod", SecretList(number), {}};
    const SecretCreate create{number, "shop/prod", "new", SecretType::kValue, "", ""};
    return Refused(Append(world.NextOf(made, who, create), who));
  };
  const PrivateIdentity rita = NewIdentity("rita");
  Must(world.AddMember("shop/prod", rita, Role::kReader));
  EXPECT_EQ(creation(rita), Code::kDenied);
  EXPECT_EQ(creation(eve), Code::kNotFound);
}

TEST_F(AppendTest, AMachineAppendsNothing) {
  const auto machine = world.EnrolMachine("web-1");
  EXPECT_EQ(Refused(Append(world.Next(world.vault, machine.key, Vouch{}), machine.key)), Code::kNotFound);
}

TEST_F(AppendTest, AnAppendOfManyListsIsOneChange) {
  const auto before = Must(Must(direct.store().Read())->CurrentChange());
  Must(world.AddEnvironment("shop/test"));
  EXPECT_EQ(Must(Must(direct.store().Read())->CurrentChange()), before + 1);
  EXPECT_EQ(direct.Audit("environment.create").size(), 2U);
}

/// While one append waits for the disk.
struct WaitingAppendsTest : AppendTest {
  using Answer = std::future<Result<api::AppendResponse>>;
  Answer Ask(const PrivateIdentity& who, const api::AppendRequest& request) {
    const auto promise = std::make_shared<std::promise<Result<api::AppendResponse>>>();
    vault().Append(direct.Caller(who), request,
                   [promise](auto answer) { promise->set_value(std::move(answer)); });
    return promise->get_future();
  }
  /// The next statement of a secret, which is taken into the world's list at once.
  api::AppendRequest Vouching(const std::string& path) {
    const auto request =
        VaultWorld::One(world.NextOf(world.secret("shop/prod", path), world.owner, Vouch{}), world.owner);
    world.Take(request);
    return request;
  }
  /// An append that waits until it is let go.
  Answer Hold(const api::AppendRequest& request) {
    direct.store().Overtake([this](StoreWriter&) {
      held.set_value();
      gate.get_future().wait();
      return Status();
    });
    Answer answer = Ask(world.owner, request);
    held.get_future().wait();
    return answer;
  }
  std::promise<void> held, gate;
};

TEST_F(WaitingAppendsTest, OneWhoAsksForMuchAtOnceIsRefusedAndOthersAreNot) {
  const PrivateIdentity bob = NewIdentity("bob");
  Must(world.AddMember("shop/prod", bob, Role::kWriter));
  Must(world.Publish("shop/prod", "a", "one"));
  Must(world.Publish("shop/prod", "b", "one", &bob));
  const auto published =
      VaultWorld::One(world.NextOf(world.secret("shop/prod", "b"), bob,
                                   world.StageVersion(world.secret("shop/prod", "b"), "two", bob)),
                      bob);
  Answer first = Hold(Vouching("a"));
  std::vector<Answer> more;
  for (int i = 0; i < 40; ++i) more.push_back(Ask(world.owner, Vouching("a")));
  Answer others = Ask(bob, published);
  gate.set_value();
  int refused = 0;
  for (Answer& answer : more) {
    const auto said = answer.get();
    refused += !said && said.error().code == Code::kThrottled;
  }
  EXPECT_GE(refused, 20);
  EXPECT_LE(refused, 30) << "an honest client may ask for some";
  Must(first.get());
  Must(others.get());
}

TEST_F(WaitingAppendsTest, AListThatWentOnWhileItsAppendWaitedIsVerifiedFromThere) {
  direct.cached_statements = 1;
  Must(direct.Reopen());
  for (const char* path : {"a", "b"}) Must(world.Publish("shop/prod", path, "one"));
  Answer first = Hold(Vouching("b"));
  Answer of_a = Ask(world.owner, Vouching("a"));
  Answer of_b = Ask(world.owner, Vouching("b"));
  Answer last = Ask(world.owner, Vouching("a"));  // behind what this one has not seen
  gate.set_value();
  for (Answer* one : {&first, &of_a, &of_b, &last}) Must(one->get());
  EXPECT_EQ(HeadOf(world.secret("shop/prod", "a").list.id().Text()),
            *world.secret("shop/prod", "a").list.head());
  Must(world.Publish("shop/prod", "a", "two"));
}

}  // namespace
}  // namespace grantfs::testing

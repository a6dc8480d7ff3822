#include <functional>
#include <future>
#include <set>

#include "grantfs/trust/sealing.h"
#include "support/direct_vault.h"
#include "support/eventually.h"

// Grants by prefix of more than one job of the store looks at.

namespace grantfs::testing {
namespace {

/// More than two jobs look at, and so that the last is no full one.
constexpr int kMany = 230;

struct PrefixTest : ::testing::Test, ClaimedVault {
  PrefixTest() {
    direct.append_turn = std::chrono::milliseconds(0);  // one job at a time
    Must(direct.Reopen());
    machine = world.EnrolMachine("web-1");
    MakeGroup();
  }

  EnvironmentList& environment() { return world.environment("shop/prod").list; }
  const EnvironmentGroups::Group& group() { return *environment().groups().Find(web); }
  Result<api::AppendResponse> Send(const Statement& statement) {
    return world.Send(world.owner, VaultWorld::One(statement, world.owner));
  }
  void Stage(std::uint32_t epoch, const std::vector<GroupCopy>& copies) {
    Must(Wait<api::Nothing>([&](auto done) {
      vault().StageGroup(direct.Caller(world.owner), api::StageGroupRequest{"shop/prod", web, epoch, copies},
                         done);
    }));
  }
  void MakeGroup() {
    web = environment().next_sequence();
    GroupList begun("shop/prod", web);
    const auto begin = VaultWorld::One(
        world.Next(begun, world.owner, GroupListCreate{"shop/prod", web, "web"}), world.owner);
    const Hash genesis = Must(SignedStatement::Parse(begin.appends[0].statements[0])).hash();
    const Epoch& newest = environment().newest_epoch();
    const Recipient above{RecipientKind::kEnvironment, world.vault.environments().at("shop/prod").number,
                          newest.number};
    auto epoch = Must(MakeGroupEpoch({{above, newest.key}}, 1, nullptr));
    Stage(1, epoch.copies);
    auto request =
        VaultWorld::One(world.Next(environment(), world.owner,
                                   GroupCreate{"web", genesis, {epoch.epoch, newest.number, 0, genesis}}),
                        world.owner);
    request.appends.push_back(begin.appends[0]);
    Must(world.Send(world.owner, request));
    const Identity who = machine.identity();
    const auto copies =
        Must(SealGroupKey(epoch.key, {{{RecipientKind::kMachine, machine.number, 0}, who.seal}}));
    Stage(1, copies);
    const Grantee named{GranteeKind::kMachine, machine.number, who.Id(), who.name, who.seal, who.not_after};
    Must(Send(world.Next(*world.groups.at(ListId::Group("shop/prod", web)), world.owner,
                         GroupMachinesAdd{1, {named}, GroupCopiesRoot(copies)})));
  }
  static std::string PathOf(int number) { return "many/" + std::to_string(1000 + number); }
  void MakeMany(int count = kMany) {
    for (int i = 0; i < count; ++i) Must(world.Publish("shop/prod", PathOf(i), "one"));
  }
  void Seal(const std::string& path) {
    const VaultWorld::Secret& secret = world.secret("shop/prod", path);
    for (const auto& [version, key] : secret.data_keys) {
      const api::SealedCopy copy{group().recipient(), Must(SealDataKey(group().seal(), key))};
      Must(direct.Stage(world.owner,
                        api::StageCopiesRequest{secret.list.id().number,
                                                version,
                                                secret.list.versions().at(version).publish.commitment,
                                                {copy}}));
    }
  }
  void SealMany() {
    for (int i = 0; i < kMany; ++i) Seal(PathOf(i));
  }
  Statement Granting(const std::string& prefix = "many/") {
    PrefixGrant act{prefix, {}};
    act.grant.grantee = group().AsGrantee();
    return world.Next(environment(), world.owner, act);
  }
  std::uint64_t Jobs() { return direct.store().Figures().jobs; }
  std::size_t CopiesOf(const std::string& path) {
    const auto reader = Must(direct.store().Read());
    return Must(reader->CopiesFor(NumberOf(path), RecipientKind::kGroup, web, 0, 10)).size();
  }
  std::string ReadBy(const std::string& path) {
    const auto read = direct.Read(machine.key, NumberOf(path), "open-" + std::to_string(++opens_));
    return read ? "yes" : CodeName(read.error().code);
  }
  std::vector<std::uint64_t> Listed(std::size_t limit) {
    std::vector<std::uint64_t> numbers;
    api::GrantsRequest request;
    request.limit = limit;
    for (bool more = true; more;) {
      const auto page = Must(vault().MachineGrants(direct.Caller(machine.key), request));
      for (const auto& one : page.grants) numbers.push_back(request.after = one.secret);
      more = page.more;
      if (more && page.grants.empty()) ADD_FAILURE() << "a page that leads nowhere";
      if (page.grants.empty()) break;
    }
    return numbers;
  }

  VaultWorld::Machine machine;
  std::uint64_t web = 0;
  int opens_ = 0;
};

TEST_F(PrefixTest, ManySecretsAreLookedAtInSeveralJobs) {
  MakeMany();
  SealMany();
  EXPECT_EQ(ReadBy(PathOf(7)), "not-found");
  const std::uint64_t before = Jobs();
  Must(Send(Granting()));
  EXPECT_GE(Jobs() - before, 4U) << "all of it was looked at in one";
  for (const int one : {0, 99, 100, 101, kMany - 1}) EXPECT_EQ(ReadBy(PathOf(one)), "yes") << one;
}

TEST_F(PrefixTest, OneCopyThatIsMissingRefusesTheGrant) {
  constexpr int kMissing = 150;
  MakeMany();
  for (int i = 0; i < kMany; ++i)
    if (i != kMissing) Seal(PathOf(i));
  const auto refused = Send(Granting());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kConflict);
  EXPECT_EQ(refused.error().subject, "shop/prod/" + PathOf(kMissing));
  EXPECT_EQ(ReadBy(PathOf(7)), "not-found") << "by a grant that is not there";
  Seal(PathOf(kMissing));
  Must(Send(Granting()));
  EXPECT_EQ(ReadBy(PathOf(0)), "yes");
  EXPECT_EQ(ReadBy(PathOf(kMissing)), "yes");
}

TEST_F(PrefixTest, OthersAppendBetweenTheJobsAndWhatTheyChangeIsLookedAtAgain) {
  MakeMany();
  SealMany();
  // Looked at by the first job, and published anew before the second: without a copy for the group.
  VaultWorld::Secret& first = world.secret("shop/prod", PathOf(0));
  const auto publish = VaultWorld::One(
      world.NextOf(first, world.owner, world.StageVersion(first, "two", world.owner)), world.owner);
  std::promise<Result<api::AppendResponse>> published;
  direct.store().Overtake([&](StoreWriter&) {
    vault().Append(direct.Caller(world.owner), publish,
                   [&](Result<api::AppendResponse> answer) { published.set_value(std::move(answer)); });
    return Status();
  });
  const auto refused = Send(Granting());
  Must(published.get_future().get());
  ASSERT_FALSE(refused) << "what was published meanwhile has no copy for the group";
  EXPECT_EQ(refused.error().code, Code::kConflict);
  EXPECT_EQ(refused.error().subject, "shop/prod/" + PathOf(0));
  world.Take(publish);
  Seal(PathOf(0));
  Must(Send(Granting()));
  EXPECT_EQ(ReadBy(PathOf(0)), "yes");
}

TEST_F(PrefixTest, ARevocationIsThereAtOnceAndItsCopiesGoAfterIt) {
  MakeMany();
  Must(world.Publish("shop/prod", "other", "one"));
  SealMany();
  Seal("other");
  Must(Send(Granting()));
  Must(Send(Granting("")));
  Must(Send(world.Next(environment(), world.owner, PrefixRevoke{"", web})));
  ASSERT_TRUE(Eventually([&] { return CopiesOf("other") == 0; }));
  EXPECT_EQ(CopiesOf(PathOf(3)), 1U) << "another prefix covers it";
  EXPECT_EQ(ReadBy(PathOf(3)), "yes");
  EXPECT_EQ(ReadBy("other"), "not-found");
  Must(Send(world.Next(environment(), world.owner, PrefixRevoke{"many/", web})));
  EXPECT_EQ(ReadBy(PathOf(kMany - 1)), "not-found");
  EXPECT_TRUE(Eventually([&] { return CopiesOf(PathOf(kMany - 1)) == 0 && CopiesOf(PathOf(0)) == 0; }));
}

TEST_F(PrefixTest, AGrantThatComesWhileCopiesAreTakenAwayIsWhole) {
  MakeMany();
  SealMany();
  Must(Send(Granting()));
  SealMany();  // for the next one
  Must(Send(world.Next(environment(), world.owner, PrefixRevoke{"many/", web})));
  const auto again = Send(Granting());
  // What was taken away behind its back it has either seen missing, or put there anew.
  for (int i = 0; i < kMany; ++i) {
    ASSERT_EQ(ReadBy(PathOf(i)), again ? "yes" : "not-found") << i;
    direct.clock().Pass(2);  // a machine does not read hundreds of secrets in a minute
  }
}

TEST_F(PrefixTest, WhatIsSentAnewTakesThePlaceOfWhatIsInUseOnceItIsGranted) {
  MakeMany();
  SealMany();
  Must(Send(Granting()));
  const auto sealed = [&](int one) {
    const auto reader = Must(direct.store().Read());
    return Must(reader->CopiesFor(NumberOf(PathOf(one)), RecipientKind::kGroup, web, 0, 10)).at(0).sealed;
  };
  const Bytes before = sealed(5), last = sealed(kMany - 1);
  SealMany();
  EXPECT_EQ(sealed(5), before) << "by nobody's statement";
  Must(Send(Granting()));
  EXPECT_TRUE(Eventually([&] { return sealed(5) != before && sealed(kMany - 1) != last; }));
  EXPECT_EQ(ReadBy(PathOf(5)), "yes");
}

TEST_F(PrefixTest, AMachinesPagesHaveEachSecretOnceInOrder) {
  std::set<std::uint64_t> granted;
  for (int i = 0; i < 12; ++i) {
    const std::string path = (i % 3 == 0 ? "own/" : i % 3 == 1 ? "many/" : "none/") + std::to_string(i);
    Must(world.Publish("shop/prod", path, "one"));
    Must(world.Publish("shop/prod", "group/" + path, "one"));
    if (i % 3 == 2) continue;
    granted.insert(NumberOf(path));
    if (i % 3 == 0) Must(world.GrantTo(machine, "shop/prod", path));
    if (i % 2 == 0) {
      VaultWorld::Secret& one = world.secret("shop/prod", "group/" + path);
      Seal("group/" + path);
      GrantAdd add;
      add.grant.grantee = group().AsGrantee();
      Must(Send(world.NextOf(one, world.owner, add)));
      granted.insert(one.list.id().number);
    }
    if (i == 1) Must(world.GrantTo(machine, "shop/prod", path));  // and by the prefix
    Seal(path);
  }
  Must(Send(Granting()));
  for (const std::size_t limit : {1UL, 2UL, 3UL, 200UL})
    EXPECT_EQ(Listed(limit), std::vector<std::uint64_t>(granted.begin(), granted.end())) << limit;
}

}  // namespace
}  // namespace grantfs::testing

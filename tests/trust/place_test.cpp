// Where a statement may stand: its list, its vault, its sequence, and the acts that each kind of list takes.

#include "grantfs/trust/group_list.h"
#include "world.h"

namespace grantfs::testing {
namespace {

class PlaceTest : public ::testing::Test {
 protected:
  /// Neither a client that makes it nor one that is served it takes it.
  template <typename List>
  void ExpectRefused(const List& list, const SignedList::StatementPtr& made, const std::string& why) {
    List appended = list;
    const Status status = appended.Append(made, world.Upper());
    ASSERT_FALSE(status) << why;
    EXPECT_NE(Describe(status.error()).find(why), std::string::npos) << Describe(status.error());
    List served = list;
    EXPECT_EQ(served.Receive(made, world.Upper()).error().code, Code::kIntegrity) << why;
    EXPECT_EQ(served.next_sequence(), list.next_sequence());
  }
  /// It links, and does not count.
  template <typename List>
  void ExpectSenseless(const List& list, const SignedList::StatementPtr& made) {
    List appended = list;
    const Status status = appended.Append(made, world.Upper());
    ASSERT_FALSE(status) << ActName(made->statement().act);
    EXPECT_EQ(status.error().code, Code::kInvalid) << Describe(status.error());
    List served = list;
    ASSERT_TRUE(served.Receive(made, world.Upper()));
    EXPECT_EQ(served.FirstUncounted(world.Upper()), list.next_sequence());
  }

  World world;
};

bool IsOf(ListKind kind, const Act& act) {
  const std::string name = ActName(act);
  const auto any = [&](std::initializer_list<const char*> beginnings) {
    return std::any_of(beginnings.begin(), beginnings.end(),
                       [&](const char* beginning) { return name.starts_with(beginning); });
  };
  if (any({"vouch", "void", "restore"})) return true;
  switch (kind) {
    case ListKind::kVault:
      return any({"vault", "identity.", "environment.add", "pins.", "recovery.", "level."});
    case ListKind::kMachines:
      return any({"machine", "invitation."});
    case ListKind::kEnvironment:
      return any({"environment.create", "member.", "epoch.", "rules.", "group.", "group-epoch.", "prefix."});
    case ListKind::kSecret:
      return any({"secret.", "version.", "grant."});
    case ListKind::kGroup:
      return any({"group-list.", "group-machines.", "group-invitation."});
  }
  return false;
}

TEST_F(PlaceTest, EachListTakesItsOwnActsOnly) {
  const std::vector<Act> acts = world.EveryAct();
  ASSERT_EQ(acts.size(), std::variant_size_v<Act>);
  for (const Act& act : acts) {
    if (!IsOf(ListKind::kVault, act)) ExpectSenseless(world.vault, world.Made(world.vault, world.owner, act));
    if (!IsOf(ListKind::kMachines, act))
      ExpectSenseless(world.machines, world.Made(world.machines, world.owner, act));
    if (!IsOf(ListKind::kEnvironment, act))
      ExpectSenseless(world.environment, world.Made(world.environment, world.owner, act));
    if (!IsOf(ListKind::kGroup, act)) {
      GroupList group("shop/prod", 4);
      ASSERT_TRUE(world.Add(group, world.owner, GroupListCreate{"shop/prod", 4, "web"}));
      ExpectSenseless(group, world.Made(group, world.owner, act));
    }
    if (IsOf(ListKind::kSecret, act)) continue;
    Statement said = world.Next(world.secret, world.owner, act);
    said.state = world.secret.state();
    ExpectSenseless(world.secret, world.Sign(said, world.owner));
  }
}

TEST_F(PlaceTest, AListBeginsWithItsCreationAndOnlyThere) {
  const std::vector<Act> acts = world.EveryAct();
  for (const Act& act : acts) {
    const std::string name = ActName(act);
    if (name == "vault.create") ExpectSenseless(world.vault, world.Made(world.vault, world.owner, act));
    if (name == "machines.create")
      ExpectSenseless(world.machines, world.Made(world.machines, world.owner, act));
    if (name == "environment.create")
      ExpectSenseless(world.environment, world.Made(world.environment, world.owner, act));
    if (IsOf(ListKind::kMachines, act) && name != "machines.create") {
      MachinesList empty;
      EXPECT_FALSE(empty.Append(world.Made(empty, world.owner, act), world.Upper())) << name;
    }
    if (IsOf(ListKind::kEnvironment, act) && name != "environment.create") {
      EnvironmentList empty("shop/prod");
      EXPECT_FALSE(empty.Append(world.Made(empty, world.owner, act), world.Upper())) << name;
    }
    if (IsOf(ListKind::kGroup, act) && name != "group-list.create") {
      GroupList empty("shop/prod", 4);
      EXPECT_FALSE(empty.Append(world.Made(empty, world.owner, act), world.Upper())) << name;
    }
  }
}

TEST_F(PlaceTest, AStatementOfAnotherListIsRefused) {
  Statement vouch = world.NextOf(world.secret, world.owner, Vouch{});
  vouch.list = ListId::Secret(8);
  ExpectRefused(world.secret, world.Sign(vouch, world.owner), "another list");
  vouch = world.Next(world.environment, world.owner, Vouch{});
  vouch.list = ListId::Environment("shop/test");
  ExpectRefused(world.environment, world.Sign(vouch, world.owner), "another list");
  // A machine's view begins with no statement before it: only its own words say where it belongs.
  SecretList other(8);
  ASSERT_TRUE(world.AddTo(other, world.owner,
                          SecretCreate{8, "shop/prod", "db-password", SecretType::kValue, "", ""}));
  ASSERT_TRUE(world.AddTo(other, world.owner, GrantAdd{world.GrantTo(world.web1, 3)}));
  SecretList view = SecretList::Partial(7, 1);
  EXPECT_EQ(view.Receive(other.At(1), world.Upper()).error().code, Code::kIntegrity);
}

TEST_F(PlaceTest, AStatementStandsAtItsSequence) {
  for (const int off : {-1, 1, 1000}) {
    Statement vouch = world.NextOf(world.secret, world.owner, Vouch{});
    vouch.sequence = vouch.sequence + static_cast<std::uint64_t>(off);
    ExpectRefused(world.secret, world.Sign(vouch, world.owner), "not the next");
    // By the sequence a member's tenure is judged.
    vouch = world.Next(world.environment, world.owner, Vouch{});
    vouch.sequence = vouch.sequence + static_cast<std::uint64_t>(off);
    ExpectRefused(world.environment, world.Sign(vouch, world.owner), "not the next");
  }
  ASSERT_TRUE(world.AddTo(world.secret, world.owner, GrantAdd{world.GrantTo(world.web1, 3)}));
  SecretList view = SecretList::Partial(7, 3);
  EXPECT_EQ(view.Receive(world.secret.At(2), world.Upper()).error().code, Code::kIntegrity);
}

TEST_F(PlaceTest, AStatementOfAnotherVaultIsRefused) {
  const World other;
  Statement vouch = world.NextOf(world.secret, world.owner, Vouch{});
  vouch.vault = other.vault.vault_id();
  ExpectRefused(world.secret, world.Sign(vouch, world.owner), "another vault");
  vouch = world.Next(world.vault, world.owner, Vouch{});
  vouch.vault = Hash{};
  ExpectRefused(world.vault, world.Sign(vouch, world.owner), "another vault");
  Statement create = world.Next(
      VaultList(), world.owner,
      VaultCreate{world.owner.identity(), world.recovery.identity(), {Hash{}}, "vault.test/log", {}, kFormatLevel});
  ExpectRefused(VaultList(), world.Sign(create, world.owner), "another vault");
  create.vault = Hash{};
  EXPECT_TRUE(VaultList().Append(world.Sign(create, world.owner), {}));
}

TEST_F(PlaceTest, NothingNewOverAnOldEpochOrToARemovedMachine) {
  const auto before = world.MadeOf(world.secret, world.owner, world.VersionOf(world.secret));
  ASSERT_TRUE(world.Remove(world.second));
  EXPECT_EQ(world.secret.Append(before, world.Upper()).error().code, Code::kConflict)
      << "the one who left could open it";
  ASSERT_TRUE(world.Add(world.vault, world.owner, IdentityRemove{world.web1.Id(), "web-1"}));
  EXPECT_EQ(world.AddTo(world.secret, world.owner, GrantAdd{world.GrantTo(world.web1, 3)}).error().code,
            Code::kInvalid);
  EXPECT_TRUE(world.AddTo(world.secret, world.owner, GrantAdd{world.GrantTo(world.web2, 4)}));
}

}  // namespace
}  // namespace grantfs::testing

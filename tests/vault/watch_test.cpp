#include "grantfs/api/watch.h"

#include "support/direct_vault.h"
#include "support/eventually.h"

namespace grantfs::testing {
namespace {

class KeptLines final : public WatchSink {
 public:
  bool Send(const std::string& line) override {
    const std::lock_guard lock(mutex_);
    if (ended_) return false;
    lines_.push_back(Must(api::WatchLine::Parse(std::string_view(line).substr(0, line.size() - 1))));
    return true;
  }
  void Close() override { End(); }
  void End() {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  bool ended() const {
    const std::lock_guard lock(mutex_);
    return ended_;
  }
  std::vector<api::WatchLine> Of(api::WatchKind kind) const {
    const std::lock_guard lock(mutex_);
    std::vector<api::WatchLine> found;
    for (const auto& line : lines_) {
      if (line.kind == kind) found.push_back(line);
    }
    return found;
  }
  /// "grant 3", "environment shop/prod"; "vault and" where the next is of the same change.
  std::vector<std::string> Changes() const {
    std::vector<std::string> found;
    for (const auto& line : Of(api::WatchKind::kChange)) {
      std::string text = api::ChangeKindName(line.what);
      if (line.secret != 0) text += " " + std::to_string(line.secret);
      if (line.secret == 0 && !line.environment.empty()) text += " " + line.environment;
      if (line.more) text += " and";
      found.push_back(std::move(text));
    }
    return found;
  }

 private:
  mutable std::mutex mutex_;
  bool ended_ = false;
  std::vector<api::WatchLine> lines_;
};

struct WatchTest : ::testing::Test, ClaimedVault {
  WatchTest() {
    machine = world.EnrolMachine("web-1");
    other = world.EnrolMachine("web-2");
    Must(world.Publish("shop/prod", "a", "one"));
    Must(world.GrantTo(machine, "shop/prod", "a"));
    number = std::to_string(NumberOf("a"));
  }
  std::shared_ptr<KeptLines> Watch(const PrivateIdentity& who) {
    auto lines = std::make_shared<KeptLines>();
    Must(direct.vault().Watch(direct.Caller(who), lines));
    return lines;
  }
  Result<api::PresenceResponse> Presence(std::uint64_t change, int wait_ms) {
    const api::PresenceRequest request{machine.key.Id(), change, wait_ms};
    return Wait<api::PresenceResponse>(
        [&](auto done) { direct.vault().Presence(direct.Caller(world.owner), request, done); });
  }
  using Changes = std::vector<std::string>;
  VaultWorld::Machine machine;
  VaultWorld::Machine other;
  std::string number;
};

TEST_F(WatchTest, AMachineHearsWhatConcernsIt) {
  const auto heard = Watch(machine.key);
  const auto nothing = Watch(other.key);
  Must(world.Publish("shop/prod", "a", "two"));
  Must(world.AddMember("shop/prod", NewIdentity("bob"), Role::kWriter));
  Must(world.Revoke(machine, "shop/prod", "a"));
  Must(world.Publish("shop/prod", "a", "three"));
  EXPECT_EQ(heard->Changes(), (Changes{"version " + number, "environment shop/prod", "revoke " + number}));
  EXPECT_EQ(nothing->Changes(), Changes{});
}

TEST_F(WatchTest, AMachineHearsOfALabelThatMovesAndOfADeletion) {
  Must(world.Publish("shop/prod", "a", "two"));
  const auto heard = Watch(machine.key), nothing = Watch(other.key);
  auto& secret = world.secret("shop/prod", "a");
  for (const Act& act : std::vector<Act>{LabelMove{1, secret.list.versions().at(1).statement->hash()},
                                         SecretDelete{}, SecretUndelete{}, SecretDestroy{}})
    Must(world.Send(world.owner, VaultWorld::One(world.NextOf(secret, world.owner, act), world.owner)));
  EXPECT_EQ(heard->Changes(),
            (Changes{"version " + number, "version " + number, "version " + number, "revoke " + number}));
  EXPECT_EQ(nothing->Changes(), Changes{});
}

TEST_F(WatchTest, AFreezeIsToldToWhomItConcerns) {
  const PrivateIdentity bob = NewIdentity("bob");
  Must(world.AddMember("shop/prod", bob, Role::kWriter));
  const auto heard = Watch(machine.key), nothing = Watch(other.key), member = Watch(bob),
             owner = Watch(world.owner);
  const FrozenObject environment{FrozenKind::kEnvironment, "shop/prod"};
  const FrozenObject itself{FrozenKind::kMachine, machine.key.Id().Hex()};
  const auto change = [&](auto function, const FrozenObject& object) {
    return Must(Wait<api::FreezeResponse>([&](auto done) {
      (vault().*function)(direct.Caller(world.owner), {{object}, ""}, done);
    }));
  };
  change(&Vault::SetFreezes, environment);
  change(&Vault::SetFreezes, environment);  // nothing has changed
  change(&Vault::LiftFreezes, environment);
  const auto last = change(&Vault::SetFreezes, itself);
  EXPECT_EQ(heard->Changes(), (Changes{"freeze shop/prod", "freeze shop/prod", "freeze"}));
  EXPECT_EQ(heard->Of(api::WatchKind::kChange).back().change, last.change);
  EXPECT_EQ(nothing->Changes(), Changes{});
  EXPECT_EQ(member->Changes(), (Changes{"freeze shop/prod", "freeze shop/prod"}));
  EXPECT_EQ(owner->Changes(), (Changes{"freeze shop/prod", "freeze shop/prod", "freeze"}));
}

TEST_F(WatchTest, AMachineHearsOfAnEnvironmentThatItsFirstGrantBringsIt) {
  const auto heard = Watch(other.key);
  Must(world.GrantTo(other, "shop/prod", "a"));
  Must(world.AddMember("shop/prod", NewIdentity("bob"), Role::kWriter));
  EXPECT_EQ(heard->Changes(), (Changes{"grant " + number, "environment shop/prod"}));
}

TEST_F(WatchTest, AMemberHearsOfHisEnvironmentsAndAnOwnerOfMachines) {
  const PrivateIdentity bob = NewIdentity("bob");
  Must(world.AddEnvironment("shop/test"));
  Must(world.AddMember("shop/test", bob, Role::kWriter));
  const auto member = Watch(bob);
  const auto owner = Watch(world.owner);
  Must(world.Publish("shop/prod", "a", "two"));
  world.Invite("web-3", 4'000'000'000);
  Must(world.AddEnvironment("shop/more"));
  EXPECT_EQ(member->Changes(), Changes{"vault"});
  EXPECT_EQ(owner->Changes(),
            (Changes{"version " + number, "machine", "environment shop/more and", "vault"}));
}

TEST_F(WatchTest, BeginsWithTheHeadsAndThenBeats) {
  const auto heard = Watch(machine.key);
  const auto hello = heard->Of(api::WatchKind::kHello);
  ASSERT_EQ(hello.size(), 1U);
  EXPECT_EQ(hello[0].vault_head, *world.vault.head());
  EXPECT_EQ(hello[0].change, Must(Must(direct.store().Read())->CurrentChange()));
  EXPECT_TRUE(Eventually([&] { return heard->Of(api::WatchKind::kBeat).size() >= 2; }));
  EXPECT_EQ(heard->Of(api::WatchKind::kBeat)[0].change, hello[0].change);
}

TEST_F(WatchTest, APresenceWaitEndsWithTheAcknowledgement) {
  const auto heard = Watch(machine.key);
  const auto change = Must(world.Publish("shop/prod", "a", "two")).change;
  EXPECT_EQ(Must(Presence(change, 0)).acknowledged, 0U);
  std::promise<api::PresenceResponse> answer;
  const api::PresenceRequest request{machine.key.Id(), change, api::kMaxPresenceWaitMs};
  direct.vault().Presence(direct.Caller(world.owner), request,
                          [&](Result<api::PresenceResponse> told) { answer.set_value(Must(told)); });
  Must(direct.vault().Acknowledge(direct.Caller(machine.key), {change}));
  const auto told = answer.get_future().get();
  EXPECT_TRUE(told.online);
  EXPECT_EQ(told.acknowledged, change);
  Must(direct.vault().Acknowledge(direct.Caller(machine.key), {change + 100}));
  EXPECT_EQ(Must(Presence(change + 100, 0)).acknowledged, change) << "what has not happened was not followed";
}

TEST_F(WatchTest, APresenceWaitEndsWithTheStreamAndWithItsTime) {
  EXPECT_FALSE(Must(Presence(1, api::kMaxPresenceWaitMs)).online) << "it never listened";
  const auto heard = Watch(machine.key);
  EXPECT_TRUE(Must(Presence(1000, 30)).online);
  std::promise<api::PresenceResponse> answer;
  const api::PresenceRequest request{machine.key.Id(), 1000, api::kMaxPresenceWaitMs};
  direct.vault().Presence(direct.Caller(world.owner), request,
                          [&](Result<api::PresenceResponse> told) { answer.set_value(Must(told)); });
  heard->End();
  EXPECT_FALSE(answer.get_future().get().online);
}

TEST_F(WatchTest, PresenceIsForOwners) {
  const PrivateIdentity bob = NewIdentity("bob");
  Must(world.AddMember("shop/prod", bob, Role::kWriter));
  const auto ask = [&](const PrivateIdentity& who, const Hash& machine_id) {
    return Wait<api::PresenceResponse>([&](auto done) {
      direct.vault().Presence(direct.Caller(who), {machine_id, 0, 0}, done);
    });
  };
  EXPECT_EQ(ask(bob, machine.key.Id()).error().code, Code::kDenied);
  EXPECT_EQ(ask(world.owner, bob.Id()).error().code, Code::kNotFound);
}

TEST_F(WatchTest, ARemovedMachinesStreamEndsAtOnce) {
  const auto heard = Watch(machine.key);
  const auto stays = Watch(other.key);
  Must(world.RemoveMachine(machine));
  EXPECT_TRUE(heard->ended());
  EXPECT_FALSE(stays->ended());
}

TEST_F(WatchTest, OneIdentityHasABoundedNumberOfStreams) {
  std::vector<std::shared_ptr<KeptLines>> streams;
  for (std::size_t i = 0; i < VaultOptions().max_watches_of_one; ++i) streams.push_back(Watch(machine.key));
  const auto more = direct.vault().Watch(direct.Caller(machine.key), std::make_shared<KeptLines>());
  ASSERT_FALSE(more);
  EXPECT_EQ(more.error().code, Code::kThrottled);
  streams[0]->End();
  EXPECT_TRUE(Eventually([&] {
    return direct.vault().Watch(direct.Caller(machine.key), std::make_shared<KeptLines>()).has_value();
  })) << "an ended stream is let go of with the next beat";
}

TEST_F(WatchTest, StreamsEndWithTheVault) {
  const auto heard = Watch(machine.key);
  direct.Close();
  EXPECT_TRUE(heard->ended());
}

}  // namespace
}  // namespace grantfs::testing

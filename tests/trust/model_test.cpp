// Random acts of owners, writers, recovery, those who left and those who never were, against the rule said
// again (rule.h): what counts, what the state is, what a client that begins anew and a machine make of it.

#include <random>

#include "rule.h"
#include "world.h"

namespace grantfs::testing {
namespace {

constexpr unsigned kModelRuns = 45;
constexpr int kModelSteps = 40;

struct Person {
  const PrivateIdentity* key;
  Role role;
  std::string prefix;
};

/// One world and its people for all runs: keys are dear.
struct Stage {
  Stage() {
    for (const auto& [key, prefix] : {std::pair{&dan, ""}, {&eve, "db/"}, {&fay, "tls/"}}) {
      EXPECT_TRUE(
          world.Add(world.environment, world.owner, MemberAdd{key->identity(), Role::kWriter, prefix, {}}));
    }
    world.secret = SecretList(7);
    const SecretCreate create{7, "shop/prod", "db/password", SecretType::kValue, "", ""};
    EXPECT_TRUE(world.AddTo(world.secret, world.owner, create));
    EXPECT_TRUE(world.AddTo(world.secret, eve, world.VersionOf(world.secret, "db/password")));
    vault = world.vault;
    environment = world.environment;
    secret = world.secret;
  }
  World world;
  PrivateIdentity carol = MakeIdentity("carol");
  PrivateIdentity rita = MakeIdentity("rita");
  PrivateIdentity dan = MakeIdentity("dan", IdentityKind::kAgent);
  PrivateIdentity eve = MakeIdentity("eve", IdentityKind::kAgent);
  PrivateIdentity fay = MakeIdentity("fay", IdentityKind::kAgent);
  PrivateIdentity mallory = MakeIdentity("mallory");
  const std::vector<Person> people{{&world.owner, Role::kOwner, ""}, {&world.second, Role::kOwner, ""},
                                   {&carol, Role::kOwner, ""},       {&rita, Role::kReader, ""},
                                   {&dan, Role::kWriter, ""},        {&eve, Role::kWriter, "db/"},
                                   {&fay, Role::kWriter, "tls/"}};
  VaultList vault;  ///< as they begin, like the two below
  EnvironmentList environment{"shop/prod"};
  SecretList secret{7};
};

class ModelPlay {
 public:
  ModelPlay(Stage& stage, unsigned seed) : stage_(stage), world_(stage.world), random_(seed), rule_(past_) {
    world_.vault = stage.vault;
    world_.environment = stage.environment;
    world_.secret = stage.secret;
    past_.recovery = world_.recovery.Id();
    std::map<Hash, Rule::Member> members;
    for (std::uint64_t i = 0; i < world_.environment.next_sequence(); ++i) {
      const Person& one = stage.people[std::vector<std::size_t>{0, 1, 4, 5, 6}.at(i)];
      members[one.key->Id()] = {one.role, one.prefix};
      past_.members.push_back(members);
      past_.epochs.push_back(1);
    }
    for (std::uint64_t i = 0; i < 2; ++i) rule_.Take(world_.secret.At(i));
  }

  void Step() {
    if (Chance(6)) GrowVault();
    if (Chance(25)) return ChangeMembers();
    if (Chance(50)) return ActHonestly();
    ActAtWill();
  }

  void CheckList() {
    EXPECT_EQ(world_.secret.FirstUncounted(world_.Upper()), rule_.FirstUncounted());
    EXPECT_EQ(world_.secret.next_sequence(), rule_.size());
    EXPECT_TRUE(world_.secret.state() == rule_.State());
    for (std::uint64_t i = 0; i < rule_.size(); ++i)
      EXPECT_EQ(world_.secret.IsVoided(i), rule_.IsVoided(i)) << i;
  }

  /// A client that receives the same statements today thinks the same of them.
  void CheckAgain() {
    SecretList again(7);
    for (std::uint64_t i = 0; i < rule_.size(); ++i)
      ASSERT_TRUE(again.Receive(world_.secret.At(i), world_.Upper()));
    EXPECT_EQ(again.FirstUncounted(world_.Upper()), rule_.FirstUncounted());
    EXPECT_TRUE(again.state() == rule_.State());
  }

  /// A machine's view from every statement on.
  void CheckViews() {
    for (std::uint64_t first = 1; first < rule_.size(); ++first) CheckView(first);
  }

  void CheckEnvelopes() {
    for (int i = 0; i < 2; ++i) CheckEnvelope(*world_.secret.At(Below(rule_.size())));
  }

 private:
  std::uint64_t Below(std::uint64_t bound) { return random_() % bound; }
  bool Chance(unsigned percent) { return Below(100) < percent; }
  bool IsPresent(const Person& one) const { return past_.members.back().contains(one.key->Id()); }

  template <typename Wanted>
  const Person* Pick(Wanted wanted) {
    std::vector<const Person*> fit;
    for (const Person& one : stage_.people) {
      if (wanted(one)) fit.push_back(&one);
    }
    return fit.empty() ? nullptr : fit[Below(fit.size())];
  }
  const Person* PickOwner(const Person* other_than = nullptr) {
    return Pick(
        [&](const Person& one) { return &one != other_than && one.role == Role::kOwner && IsPresent(one); });
  }

  void GrowVault() { ASSERT_TRUE(world_.Add(world_.vault, world_.owner, PinsSet{{Hash{}}})); }

  Epoch NextEpoch() {
    Epoch epoch;
    epoch.number = past_.epochs.back() + 1;
    epoch.copies = 1;
    epoch.previous = Bytes(81);
    return epoch;
  }

  void ChangeEnvironment(const PrivateIdentity& signer, Act act, std::map<Hash, Rule::Member> members,
                         std::uint32_t epoch) {
    const Status added = world_.Add(world_.environment, signer, std::move(act));
    ASSERT_TRUE(added) << Describe(added.error());
    past_.members.push_back(std::move(members));
    past_.epochs.push_back(epoch);
    EXPECT_TRUE(world_.environment.CheckStanding(world_.Upper()));
  }

  void ChangeMembers() {
    auto members = past_.members.back();
    const Person* whom = Pick([](const Person&) { return true; });
    const Person* owner = PickOwner(whom);
    const bool by_recovery = whom->role == Role::kOwner && (owner == nullptr || Chance(20));
    if (owner == nullptr && !by_recovery) return;
    const PrivateIdentity& signer = by_recovery ? world_.recovery : *owner->key;
    const Hash id = whom->key->Id();
    const bool holds_key = whom->role == Role::kOwner || whom->role == Role::kReader;
    if (Chance(20)) {
      const Epoch epoch = NextEpoch();
      return ChangeEnvironment(signer, EpochStart{epoch}, members, epoch.number);
    }
    if (members.erase(id) != 0) {
      MemberRemove remove{id, {}};
      if (holds_key) remove.epoch = NextEpoch();
      return ChangeEnvironment(signer, remove, members, past_.epochs.back() + (holds_key ? 1 : 0));
    }
    Hash copy;
    if (holds_key) copy.bytes[0] = 1;
    members[id] = {whom->role, whom->prefix};
    ChangeEnvironment(signer, MemberAdd{whom->key->identity(), whom->role, whom->prefix, copy}, members,
                      past_.epochs.back());
  }

  VersionPublish NextVersion(std::uint64_t environment) {
    VersionPublish version = world_.VersionOf(world_.secret, "db/password");
    version.epoch = past_.epochs.at(environment);
    if (Chance(20)) version.label = "next";
    if (Chance(30)) version.rotate_after = static_cast<std::int64_t>(1 + Below(100'000));
    return version;
  }

  /// As one does who sees all and means well: nothing but a vouch or a void while there is a bad tail.
  void ActHonestly() {
    const auto bad = rule_.FirstUncounted();
    const Person* one = Pick([&](const Person& who) {
      const bool writes = !bad && who.role == Role::kWriter && who.prefix != "tls/";
      return IsPresent(who) && (who.role == Role::kOwner || writes);
    });
    if (bad && Chance(30)) one = nullptr;  // then recovery does
    const PrivateIdentity& signer = one == nullptr ? world_.recovery : *one->key;
    Act act = Vouch{};
    if (one != nullptr && !bad) act = NextVersion(past_.now());
    if (one != nullptr && !bad && one->role == Role::kOwner && Chance(50))
      act = GrantAdd{world_.GrantTo(world_.web1, 1 + Below(4))};
    const auto move = AnyMove();
    const auto* current = world_.secret.Current();
    const bool elsewhere = move && (current == nullptr || move->statement != current->statement->hash());
    if (one != nullptr && !bad && elsewhere && Chance(15)) act = *move;
    if (one != nullptr && !bad && world_.secret.state().deleted) {
      if (one->role != Role::kOwner) return;
      act = SecretUndelete{};
    }
    if (bad && *bad != 0 && Chance(70)) act = Void{*bad, *world_.secret.HashAt(*bad)};
    const auto made = world_.MadeOf(world_.secret, signer, act);
    const bool good = rule_.CouldStand(*made);
    const Status added = world_.secret.Append(made, world_.Upper());
    EXPECT_EQ(added.has_value(), good) << (added ? "" : Describe(added.error()));
    if (!added) return;
    rule_.Take(made);
    EXPECT_FALSE(rule_.FirstUncounted()) << "an honest act leaves a list that counts";
  }

  std::optional<LabelMove> AnyMove() {
    const auto& versions = world_.secret.versions();
    if (versions.empty()) return std::nullopt;
    const auto at = std::next(versions.begin(), static_cast<std::ptrdiff_t>(Below(versions.size())));
    return LabelMove{at->first, at->second.statement->hash()};
  }

  Act AnyAct(std::uint64_t environment) {
    const auto kind = Below(100);
    if (kind < 8) return Chance(50) ? Act(SecretDelete{}) : Act(SecretUndelete{});
    if (kind < 16) {
      LabelMove move = AnyMove().value_or(LabelMove{1, Hash{}});
      if (Chance(10)) move.version = static_cast<std::uint32_t>(1 + Below(5));
      if (Chance(10)) move.statement.bytes[0] ^= 1;
      return move;
    }
    if (kind < 40) {
      VersionPublish version = NextVersion(environment);
      if (Chance(10)) version.version = static_cast<std::uint32_t>(1 + Below(5));
      if (Chance(10)) version.path = "tls/server.key";
      if (Chance(10)) version.epoch = static_cast<std::uint32_t>(1 + Below(past_.epochs.back() + 1));
      return version;
    }
    if (kind < 60) return GrantAdd{world_.GrantTo(world_.web1, 1 + Below(4))};
    if (kind < 72) return GrantRevoke{GranteeKind::kMachine, 1 + Below(4)};
    if (kind < 82) return Vouch{};
    if (kind < 84) return SecretCreate{7, "shop/prod", "db/password", SecretType::kValue, "", ""};
    const std::uint64_t bad = rule_.FirstUncounted().value_or(0);
    const std::uint64_t from = bad == 0 || Chance(40) ? 1 + Below(rule_.size()) : bad;
    return Void{from, world_.secret.HashAt(from).value_or(Hash{})};
  }

  void Lie(SecretState& state) {
    switch (Below(5)) {
      case 0:
        state.grants.bytes[0] ^= 1;
        return;
      case 1:
        state.labels.erase("previous");
        return;
      case 3:
        state.deleted = !state.deleted;
        return;
      case 2:
        state.path = "tls/server.key";
        return;
      default:
        ++state.version;
    }
  }

  /// Anybody, over any heads that there were, whatever he likes; the vault takes it all.
  void ActAtWill() {
    const Person* one = Pick([](const Person&) { return true; });
    const PrivateIdentity& signer = Chance(5) ? stage_.mallory : Chance(5) ? world_.recovery : *one->key;
    Statement said = world_.Next(world_.secret, signer, Vouch{});
    if (Chance(60)) {
      said.heads.environment->sequence = Below(past_.members.size());
      said.heads.environment->hash = *world_.environment.HashAt(said.heads.environment->sequence);
    }
    if (Chance(10)) {
      said.heads.vault->sequence = Below(world_.vault.next_sequence());
      said.heads.vault->hash = *world_.vault.HashAt(said.heads.vault->sequence);
    }
    said.act = AnyAct(said.heads.environment->sequence);
    const auto after = world_.secret.StateAfter(said.act, world_.Upper());
    said.state = after ? *after : rule_.State();
    if (Chance(12)) Lie(*said.state);
    const bool forged = Chance(6);
    const auto made = world_.Sign(said, forged ? stage_.mallory : signer);
    if (forged && signer.Id() != stage_.mallory.Id() && rule_.HasRight(said)) {
      EXPECT_EQ(world_.secret.Receive(made, world_.Upper()).error().code, Code::kIntegrity);
      return;
    }
    const Status received = world_.secret.Receive(made, world_.Upper());
    ASSERT_TRUE(received) << Describe(received.error());
    rule_.Take(made);
  }

  void CheckView(std::uint64_t first) {
    SecretList view = SecretList::Partial(7, first);
    Rule rule(past_, first);
    for (std::uint64_t i = first; i < rule_.size(); ++i) {
      const auto statement = world_.secret.At(i);
      // A forgery that had no right in the list may have one for who does not see what was before it.
      if (!view.Receive(statement, world_.Upper())) return;
      rule.Take(statement);
      if (i == first && rule.FirstUncounted() == first && !rule.HasRight(statement->statement())) break;
    }
    const auto bad = rule.FirstUncounted();
    EXPECT_EQ(view.FirstUncounted(world_.Upper()), bad) << "from " << first;
    if (bad) return;
    EXPECT_TRUE(view.state() == rule.State()) << "from " << first;
    EXPECT_FALSE(rule_.IsVoided(first));
    if (rule_.FirstUncounted()) return;
    EXPECT_TRUE(view.state() == world_.secret.state()) << "from " << first;
  }

  void CheckEnvelope(const SignedStatement& statement) {
    const Statement& said = statement.statement();
    const auto same = Must(SignedStatement::Parse(statement.envelope()));
    EXPECT_EQ(same.hash(), statement.hash());
    EXPECT_EQ(ActToJson(same.statement().act), ActToJson(said.act));
    EXPECT_EQ(same.statement().heads, said.heads);
    EXPECT_EQ(same.statement().state, said.state);
    const auto* signer = world_.environment.FindIdentity(said.signer);
    if (signer == nullptr || !statement.VerifySignature(signer->sign)) return;
    for (int i = 0; i < 3; ++i) {
      std::string altered = statement.envelope();
      const std::size_t at = Below(altered.size());
      if (Chance(60)) {
        altered[at] = static_cast<char>(Below(128));
      } else if (Chance(50)) {
        altered.erase(at, 1 + Below(4));
      } else {
        altered.insert(at, altered.substr(Below(altered.size()), 1 + Below(40)));
      }
      const auto parsed = SignedStatement::Parse(altered);
      const bool accepted = parsed && parsed->VerifySignature(signer->sign);
      EXPECT_TRUE(!accepted || parsed->hash() == statement.hash()) << altered;
    }
  }

  Stage& stage_;
  World& world_;
  std::mt19937 random_;
  Rule::Past past_;
  Rule rule_;
};

TEST(ModelTest, WhatCountsIsWhatTheRuleSays) {
  Stage stage;
  for (unsigned seed = 0; seed < kModelRuns && !::testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    ModelPlay play(stage, seed);
    for (int step = 0; step < kModelSteps && !::testing::Test::HasFailure(); ++step) {
      play.Step();
      play.CheckList();
    }
    play.CheckAgain();
    play.CheckViews();
    play.CheckEnvelopes();
  }
}

}  // namespace
}  // namespace grantfs::testing

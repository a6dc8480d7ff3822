// Random acts in an environment's own list, by members, those who left, recovery and strangers, against who
// may do what said again as plainly as can be.

#include <random>

#include "world.h"

namespace grantfs::testing {
namespace {

constexpr unsigned kEnvironmentRuns = 120;
constexpr int kEnvironmentSteps = 40;

struct Member {
  Role role = Role::kOwner;
  std::string prefix;
  bool present = false;
};

bool HoldsKey(Role role) { return role == Role::kOwner || role == Role::kReader; }

/// Who is a member, by what could stand so far. A void takes back only what never could, and so changes
/// nothing.
class Book {
 public:
  explicit Book(const World& world) : recovery_(world.recovery.Id()) {
    members_[world.owner.Id()] = {Role::kOwner, "", true};
    members_[world.second.Id()] = {Role::kOwner, "", true};
    entries_ = {{true, false}, {true, false}};
    newest_head_ = world.environment.At(1)->statement().heads.vault->sequence;
  }
  const Member* Find(const Hash& id) const {
    const auto at = members_.find(id);
    return at == members_.end() || !at->second.present ? nullptr : &at->second;
  }
  std::uint32_t epochs() const { return epochs_; }
  std::optional<std::uint64_t> FirstUncounted() const {
    for (std::uint64_t i = 0; i < entries_.size(); ++i) {
      if (!entries_[i].stands && !entries_[i].voided) return i;
    }
    return std::nullopt;
  }

  bool HasRight(const Statement& said) const {
    if (said.heads.vault->sequence < newest_head_) return false;
    const Member* signer = Find(said.signer);
    if (signer != nullptr && signer->role == Role::kOwner) return true;
    if (said.signer != recovery_) return false;
    const auto* add = std::get_if<MemberAdd>(&said.act);
    return add != nullptr ? add->role == Role::kOwner : !std::holds_alternative<EnvironmentCreate>(said.act);
  }
  void Take(const SignedStatement& statement, bool right_hash) {
    const Statement& said = statement.statement();
    const auto* act = std::get_if<Void>(&said.act);
    const bool stands = HasRight(said) && (act != nullptr ? right_hash && FirstUncounted() == act->from
                                                          : !FirstUncounted() && MakesSense(said));
    if (stands && act != nullptr) {
      for (std::uint64_t i = act->from; i < entries_.size(); ++i) entries_[i].voided = true;
    }
    if (stands) Follow(said);
    if (stands) newest_head_ = said.heads.vault->sequence;
    entries_.push_back({stands, false});
  }

 private:
  struct Entry {
    bool stands = false;
    bool voided = false;
  };
  bool IsNext(const Epoch& epoch) const { return epoch.number == epochs_ + 1 && !epoch.previous.empty(); }
  bool CanAdd(const MemberAdd& add) const {
    const auto known = members_.find(add.member.Id());
    const bool as_before =
        known == members_.end() ||
        (!known->second.present && known->second.role == add.role && known->second.prefix == add.prefix);
    const bool kind = add.member.kind == IdentityKind::kUser ||
                      (add.member.kind == IdentityKind::kAgent && !HoldsKey(add.role));
    const bool prefix = add.prefix.empty() || (add.role == Role::kWriter && add.prefix == "tls/");
    return as_before && kind && prefix && add.member.Id() != recovery_ &&
           HoldsKey(add.role) == (add.copy != Hash{});
  }
  bool MakesSense(const Statement& said) const {
    if (const auto* add = std::get_if<MemberAdd>(&said.act)) return CanAdd(*add);
    if (const auto* start = std::get_if<EpochStart>(&said.act)) return IsNext(start->epoch);
    if (const auto* remove = std::get_if<MemberRemove>(&said.act)) {
      const Member* whom = Find(remove->id);
      return whom != nullptr && remove->id != said.signer &&
             (said.signer != recovery_ || whom->role == Role::kOwner) &&
             HoldsKey(whom->role) == remove->epoch.has_value() && (!remove->epoch || IsNext(*remove->epoch));
    }
    return std::holds_alternative<Vouch>(said.act);
  }
  void Follow(const Statement& said) {
    if (const auto* add = std::get_if<MemberAdd>(&said.act))
      members_[add->member.Id()] = {add->role, add->prefix, true};
    if (std::holds_alternative<EpochStart>(said.act)) ++epochs_;
    if (const auto* remove = std::get_if<MemberRemove>(&said.act)) {
      members_[remove->id].present = false;
      epochs_ += remove->epoch ? 1 : 0;
    }
  }

  Hash recovery_;
  std::map<Hash, Member> members_;
  std::vector<Entry> entries_;
  std::uint32_t epochs_ = 1;
  std::uint64_t newest_head_ = 0;
};

/// One list from its beginning. The people are the same in all.
class EnvironmentPlay {
 public:
  EnvironmentPlay(World& world, const EnvironmentList& start,
                  const std::vector<const PrivateIdentity*>& people, unsigned seed)
      : world_(world), people_(people), random_(seed), book_(world) {
    world_.environment = start;
  }

  void Step() {
    const PrivateIdentity& signer = Chance(75) ? AnOwner() : Anybody();
    Statement said = world_.Next(world_.environment, signer, AnyAct());
    if (Chance(8)) said.heads.vault = Head{0, *world_.vault.HashAt(0)};
    const auto* act = std::get_if<Void>(&said.act);
    const bool right_hash = act == nullptr || world_.environment.HashAt(act->from) == act->hash;
    const bool forged = Chance(5);
    const auto made = world_.Sign(said, forged ? stranger_ : signer);
    const bool refused = forged && book_.HasRight(said);
    EXPECT_EQ(world_.environment.Receive(made, world_.Upper()).has_value(), !refused);
    if (!refused) book_.Take(*made, right_hash);
    Check(world_.environment);
    roles_.resize(world_.environment.next_sequence());
    for (const auto* one : people_) roles_.back()[one->Id()] = world_.environment.RoleOf(one->Id());
    epochs_.resize(roles_.size(), book_.epochs());
  }

  void CheckAgain() {
    EnvironmentList again("shop/prod");
    for (std::uint64_t i = 0; i < world_.environment.next_sequence(); ++i)
      ASSERT_TRUE(again.Receive(world_.environment.At(i), world_.Upper()));
    Check(again);
    for (std::uint64_t i = 2; i < roles_.size(); ++i) {
      EXPECT_EQ(again.EpochAt(i), epochs_[i]);
      for (const auto& [id, role] : roles_[i]) EXPECT_EQ(again.RoleAt(id, i), role);
    }
  }

 private:
  std::uint64_t Below(std::uint64_t bound) { return random_() % bound; }
  bool Chance(unsigned percent) { return Below(100) < percent; }
  const PrivateIdentity& Anybody() { return *people_[Below(people_.size())]; }
  /// So that most of what is said can stand: behind one bad statement nothing is tried until it is voided.
  const PrivateIdentity& AnOwner() {
    for (int i = 0; i < 20; ++i) {
      const PrivateIdentity& one = Anybody();
      const Member* member = book_.Find(one.Id());
      if (member != nullptr && member->role == Role::kOwner) return one;
    }
    return world_.recovery;
  }

  Epoch AnyEpoch() {
    Epoch epoch;
    epoch.number = book_.epochs() + 1 + (Chance(6) ? 1 : 0);
    epoch.copies = 1;
    if (!Chance(4)) epoch.previous = Bytes(81);
    return epoch;
  }
  Act AnyAct() {
    const auto bad = book_.FirstUncounted();
    if (Chance(bad ? 50 : 4)) {
      const std::uint64_t from = bad && Chance(80) ? *bad : 1 + Below(world_.environment.next_sequence());
      return Void{from, Chance(95) ? world_.environment.HashAt(from).value_or(Hash{}) : Hash{}};
    }
    const PrivateIdentity& whom = Anybody();
    const Member* member = book_.Find(whom.Id());
    if (Chance(40)) {
      MemberRemove remove{whom.Id(), {}};
      if (Chance(94) == (member != nullptr && HoldsKey(member->role))) remove.epoch = AnyEpoch();
      return remove;
    }
    if (Chance(75)) {
      const Role role = Chance(60) ? Role::kOwner : kAllRoles[Below(5)];
      MemberAdd add{whom.identity(), role, role == Role::kWriter && Chance(50) ? "tls/" : "", {}};
      if (Chance(4)) add.prefix = "tls";
      if (Chance(95) == HoldsKey(role)) add.copy.bytes[0] = 1;
      return add;
    }
    if (Chance(10)) return EnvironmentCreate{"shop/prod", whom.identity(), AnyEpoch()};
    return Chance(50) ? Act(Vouch{}) : Act(EpochStart{AnyEpoch()});
  }

  void Check(const EnvironmentList& list) {
    EXPECT_EQ(list.FirstUncounted(world_.Upper()), book_.FirstUncounted());
    EXPECT_EQ(list.epochs().size(), book_.epochs());
    for (const auto* one : people_) {
      const Member* member = book_.Find(one->Id());
      EXPECT_EQ(list.RoleOf(one->Id()), member == nullptr ? std::nullopt : std::optional(member->role));
    }
  }

  World& world_;
  const std::vector<const PrivateIdentity*>& people_;
  std::mt19937 random_;
  Book book_;
  const PrivateIdentity stranger_ = MakeIdentity("mallory");
  std::vector<std::map<Hash, std::optional<Role>>> roles_;
  std::vector<std::uint32_t> epochs_;
};

TEST(EnvironmentModelTest, MembersAreWhoTheListMakesThem) {
  World world;
  const EnvironmentList start = world.environment;
  const auto carol = MakeIdentity("carol");
  const auto agent = MakeIdentity("ci", IdentityKind::kAgent);
  const std::vector<const PrivateIdentity*> people{&world.owner, &world.second, &world.recovery,
                                                   &carol,       &agent,        &world.web1};
  for (unsigned seed = 0; seed < kEnvironmentRuns && !::testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    EnvironmentPlay play(world, start, people, seed);
    for (int step = 0; step < kEnvironmentSteps && !::testing::Test::HasFailure(); ++step) play.Step();
    play.CheckAgain();
  }
}

}  // namespace
}  // namespace grantfs::testing

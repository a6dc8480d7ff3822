#pragma once

#include "grantfs/trust/consent.h"
#include "grantfs/trust/group_list.h"
#include "world.h"

namespace grantfs::testing {

inline constexpr std::int64_t kConsentTime = 1'700'000'000;

/// A world whose environment has the two-owner rule, and owners who sign by it.
class ConsentTest : public ::testing::Test {
 protected:
  ConsentTest() { TurnOn(); }

  void TurnOn() {
    ASSERT_TRUE(Agreed(world.environment, world.owner, world.second, RulesSet{true}));
    ASSERT_TRUE(world.environment.two_owners());
  }
  /// What `second` would sign now.
  Consent ConsentOf(const SignedList& list, const PrivateIdentity& second) const {
    Consent consent{second.Id(), kConsentTime, kConsentTime + 3600, *list.head(), {}};
    if (list.id().kind != ListKind::kEnvironment) consent.environment = world.environment.head();
    return consent;
  }
  Signature SignatureOf(const Consent& consent, const ListId& list, const Act& act,
                        const PrivateIdentity& second, const Hash* vault = nullptr) const {
    return second.signing_key().Sign(
        ConsentBytes(vault != nullptr ? *vault : world.vault.vault_id(), list, consent, act));
  }
  struct Agreement {
    Consent consent;
    Signature signature;
  };
  Agreement Agree(const SignedList& list, const PrivateIdentity& second, const Act& act) const {
    const Consent consent = ConsentOf(list, second);
    return {consent, SignatureOf(consent, list.id(), act, second)};
  }
  Result<SignedList::StatementPtr> Make(Statement statement, const PrivateIdentity& first,
                                        const Agreement& agreement) const {
    statement.consent = agreement.consent;
    auto made = SignedStatement::Sign(statement, first.signing_key(), &agreement.signature);
    if (!made) return made.error();
    return std::make_shared<const SignedStatement>(std::move(*made));
  }
  Status Append(SecretList& list, const PrivateIdentity& first, Act act, const Agreement& agreement) {
    auto made = Make(world.NextOf(list, first, std::move(act)), first, agreement);
    if (!made) return made.error();
    SecretList received = list;
    const bool counts = received.Receive(*made, world.Upper()) && received.CheckStanding(world.Upper());
    const Status appended = list.Append(*made, world.Upper());
    EXPECT_EQ(appended.has_value(), counts) << "what may not be appended is not used when it is served";
    return appended;
  }
  Status Agreed(SecretList& list, const PrivateIdentity& first, const PrivateIdentity& second, Act act) {
    const Agreement agreement = Agree(list, second, act);
    return Append(list, first, std::move(act), agreement);
  }
  Status Agreed(GroupList& list, const PrivateIdentity& first, Act act, const Agreement& agreement) {
    auto made = Make(world.Next(list, first, std::move(act)), first, agreement);
    if (!made) return made.error();
    GroupList received = list;
    const bool counts = received.Receive(*made, world.Upper()) && received.CheckStanding(world.Upper());
    const Status appended = list.Append(*made, world.Upper());
    EXPECT_EQ(appended.has_value(), counts);
    return appended;
  }
  Status Agreed(EnvironmentList& list, const PrivateIdentity& first, const PrivateIdentity& second, Act act) {
    const Agreement agreement = Agree(list, second, act);
    auto made = Make(world.Next(list, first, std::move(act)), first, agreement);
    if (!made) return made.error();
    return list.Append(*made, world.Upper());
  }
  GrantAdd Grant1() const { return {world.GrantTo(world.web1, 3)}; }
  Status Publish(const PrivateIdentity& who) {
    return world.AddTo(world.secret, who, world.VersionOf(world.secret));
  }
  PrivateIdentity AddMember(const char* name, Role role) {
    PrivateIdentity member = MakeIdentity(name);
    Hash copy;
    if (RoleAllows(role, Operation::kReadValue)) copy.bytes[0] = 1;
    const MemberAdd add{member.identity(), role, "", copy};
    const Status added = role == Role::kOwner ? Agreed(world.environment, world.owner, world.second, add)
                                              : world.Add(world.environment, world.owner, add);
    EXPECT_TRUE(added) << Describe(added.error());
    return member;
  }
  Result<Grant> AsMachine(std::uint64_t from) {
    SecretList view = SecretList::Partial(7, from);
    for (std::uint64_t i = from; i < world.secret.next_sequence(); ++i)
      EXPECT_TRUE(view.Receive(world.secret.At(i), world.Upper()));
    const auto& standing = world.secret.grants().at({GranteeKind::kMachine, 3});
    return view.VerifyGrant(*standing.statement, *world.secret.ProveGrant({GranteeKind::kMachine, 3}),
                            world.web1.identity(), world.Upper());
  }

  World world;
};

}  // namespace grantfs::testing

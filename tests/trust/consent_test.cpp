// The two-owner rule: what makes a second signature good, and that an old one revives nothing.

#include "consent_fixture.h"

namespace grantfs::testing {
namespace {

TEST_F(ConsentTest, NothingIsMadeOfASignatureThatHasEndedByTheStatementsOwnTime) {
  const auto ending_at = [&](std::int64_t end) {
    Consent consent = ConsentOf(world.secret, world.second);
    consent.expires = end;
    const Act act = Grant1();
    return Append(world.secret, world.owner, act,
                  {consent, SignatureOf(consent, world.secret.id(), act, world.second)});
  };
  const std::int64_t made = world.NextOf(world.secret, world.owner, Grant1()).time;
  EXPECT_EQ(ending_at(made).error().code, Code::kDenied);
  EXPECT_EQ(ending_at(made - 3600).error().code, Code::kDenied);
  EXPECT_TRUE(ending_at(made + 1));
}

TEST_F(ConsentTest, OneOwnersGrantIsRefusedAndTwoOwnersCounts) {
  const Status alone = world.AddTo(world.secret, world.owner, Grant1());
  ASSERT_FALSE(alone);
  EXPECT_EQ(alone.error().code, Code::kDenied);
  ASSERT_TRUE(Agreed(world.secret, world.owner, world.second, Grant1()));
  EXPECT_EQ(world.secret.SealTargets(kConsentTime, world.Upper()).size(), 2u);
  EXPECT_TRUE(AsMachine(world.secret.next_sequence() - 1));
  EXPECT_TRUE(world.AddTo(world.secret, world.owner, GrantRevoke{GranteeKind::kMachine, 3}))
      << "taking away needs one owner";
}

TEST_F(ConsentTest, ABusyWriterDoesNotVoidTheFirstSignature) {
  const PrivateIdentity writer = AddMember("wim", Role::kWriter);
  const Agreement agreement = Agree(world.secret, world.second, Grant1());
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(Publish(writer));
  ASSERT_TRUE(world.Add(world.environment, world.owner,
                        MemberAdd{MakeIdentity("aud").identity(), Role::kAuditor, "", {}}));
  ASSERT_TRUE(world.Add(world.vault, world.owner, PinsSet{{Hash{}}}));
  const Status appended = Append(world.secret, world.owner, Grant1(), agreement);
  EXPECT_TRUE(appended) << Describe(appended.error());
}

TEST_F(ConsentTest, OneOwnerIsNotTwo) {
  EXPECT_FALSE(Agreed(world.secret, world.owner, world.owner, Grant1())) << "the same key";
  const PrivateIdentity again = AddMember("ann", Role::kOwner);
  EXPECT_FALSE(Agreed(world.secret, world.owner, again, Grant1())) << "the same person's other key";
  EXPECT_TRUE(Agreed(world.secret, again, world.second, Grant1()));
}

TEST_F(ConsentTest, OnlyAnOwnerConsents) {
  const PrivateIdentity reader = AddMember("rita", Role::kReader);
  const PrivateIdentity writer = AddMember("wim", Role::kWriter);
  const PrivateIdentity operator_ = AddMember("ops", Role::kOperator);
  const PrivateIdentity stranger = MakeIdentity("eve");
  for (const PrivateIdentity* who : std::initializer_list<const PrivateIdentity*>{
           &reader, &writer, &operator_, &stranger, &world.recovery, &world.web1}) {
    SCOPED_TRACE(who->identity().name);
    const Status appended = Agreed(world.secret, world.owner, *who, Grant1());
    ASSERT_FALSE(appended);
    EXPECT_EQ(appended.error().code, Code::kDenied);
  }
  EXPECT_FALSE(Agreed(world.secret, operator_, world.second, Grant1())) << "nor does anybody else publish";
}

TEST_F(ConsentTest, TheSignatureIsOfThisActSecretEnvironmentAndVault) {
  const Agreement good = Agree(world.secret, world.second, Grant1());
  const auto refused = [&](const Agreement& agreement, Act act) {
    return !Append(world.secret, world.owner, std::move(act), agreement);
  };
  GrantAdd wider = Grant1();
  wider.grant.mode = 0444;
  EXPECT_TRUE(refused(good, wider)) << "another act";
  EXPECT_TRUE(refused(good, GrantAdd{world.GrantTo(world.web2, 4)})) << "another machine";
  EXPECT_TRUE(
      refused({good.consent, SignatureOf(good.consent, ListId::Secret(8), Grant1(), world.second)}, Grant1()))
      << "another secret";
  Hash other;
  other.bytes[0] = 9;
  EXPECT_TRUE(refused(
      {good.consent, SignatureOf(good.consent, ListId::Secret(7), Grant1(), world.second, &other)}, Grant1()))
      << "another vault";
  Agreement elsewhere = good;
  elsewhere.consent.environment->hash = other;
  elsewhere.signature = SignatureOf(elsewhere.consent, ListId::Secret(7), Grant1(), world.second);
  EXPECT_TRUE(refused(elsewhere, Grant1())) << "another environment's list";
  Agreement longer = good;
  longer.consent.expires += 1;
  EXPECT_TRUE(refused(longer, Grant1())) << "its end moved";
  Agreement forked = good;
  forked.consent.after.hash = other;
  forked.signature = SignatureOf(forked.consent, ListId::Secret(7), Grant1(), world.second);
  EXPECT_TRUE(refused(forked, Grant1())) << "another history";
  EXPECT_FALSE(refused(good, Grant1()));
}

TEST_F(ConsentTest, AnOldPairOfSignaturesRevivesNoRevokedGrant) {
  const Agreement agreement = Agree(world.secret, world.second, Grant1());
  const Agreement spare = Agree(world.secret, world.second, Grant1());
  ASSERT_TRUE(Append(world.secret, world.owner, Grant1(), agreement));
  EXPECT_FALSE(Append(world.secret, world.owner, Grant1(), spare)) << "one agreement, one grant";
  ASSERT_TRUE(world.AddTo(world.secret, world.second, GrantRevoke{GranteeKind::kMachine, 3}));
  for (const Agreement& old : {agreement, spare}) {
    const Status revived = Append(world.secret, world.owner, Grant1(), old);
    ASSERT_FALSE(revived);
    EXPECT_EQ(revived.error().code, Code::kDenied);
  }
  EXPECT_TRUE(Agreed(world.secret, world.owner, world.second, Grant1())) << "a new agreement";
}

TEST_F(ConsentTest, ARevocationOvertakesWhatWasAgreedBeforeAndAnothersDoesNot) {
  ASSERT_TRUE(Agreed(world.secret, world.owner, world.second, Grant1()));
  const GrantAdd other{world.GrantTo(world.web2, 4)};
  const Agreement one = Agree(world.secret, world.second, Grant1());
  const Agreement two = Agree(world.secret, world.second, other);
  ASSERT_TRUE(world.AddTo(world.secret, world.owner, GrantRevoke{GranteeKind::kMachine, 3}));
  EXPECT_FALSE(Append(world.secret, world.owner, Grant1(), one));
  EXPECT_TRUE(Append(world.secret, world.owner, other, two));
}

TEST_F(ConsentTest, WhoLeavesAndReturnsHasNotConsented) {
  const PrivateIdentity carol = AddMember("carol", Role::kOwner);
  const Agreement before = Agree(world.secret, carol, Grant1());
  ASSERT_TRUE(world.Remove(carol));
  EXPECT_FALSE(Append(world.secret, world.owner, Grant1(), before)) << "no owner any more";
  Hash copy;
  copy.bytes[0] = 1;
  ASSERT_TRUE(Agreed(world.environment, world.owner, world.second,
                     MemberAdd{carol.identity(), Role::kOwner, "", copy}));
  EXPECT_FALSE(Append(world.secret, world.owner, Grant1(), before)) << "returning revives nothing";
  EXPECT_TRUE(Agreed(world.secret, world.owner, carol, Grant1()));
}

TEST_F(ConsentTest, AGrantOutlivesItsSecondSignerAndNeedsASuccessorOnlyForItsFirst) {
  const PrivateIdentity carol = AddMember("carol", Role::kOwner);
  ASSERT_TRUE(Agreed(world.secret, world.owner, carol, Grant1()));
  ASSERT_TRUE(world.Remove(carol));
  EXPECT_TRUE(world.secret.CheckStanding(world.Upper()));
  EXPECT_TRUE(AsMachine(world.secret.next_sequence() - 1));
  ASSERT_TRUE(Agreed(world.secret, world.second, world.owner, Grant1()));
  ASSERT_TRUE(world.Remove(world.second));
  EXPECT_FALSE(world.secret.CheckStanding(world.Upper()));
  ASSERT_TRUE(world.AddTo(world.secret, world.owner, Vouch{}));
  EXPECT_TRUE(AsMachine(world.secret.next_sequence() - 2));
}

TEST_F(ConsentTest, AVouchGivesNoSecondSignature) {
  ASSERT_TRUE(world.secret.Receive(world.MadeOf(world.secret, world.owner, Grant1()), world.Upper()));
  EXPECT_FALSE(world.secret.CheckStanding(world.Upper()));
  EXPECT_FALSE(world.AddTo(world.secret, world.second, Vouch{}));
  const auto from = world.secret.next_sequence() - 1;
  EXPECT_TRUE(world.AddTo(world.secret, world.second, Void{from, *world.secret.HashAt(from)}));
  EXPECT_TRUE(world.secret.CheckStanding(world.Upper()));
}

TEST_F(ConsentTest, OneOwnerNeitherEndsTheRuleNorAddsAnOwner) {
  EXPECT_FALSE(world.Add(world.environment, world.owner, RulesSet{false}));
  Hash copy;
  copy.bytes[0] = 1;
  const PrivateIdentity carol = MakeIdentity("carol");
  const MemberAdd owner{carol.identity(), Role::kOwner, "", copy};
  EXPECT_FALSE(world.Add(world.environment, world.owner, owner));
  EXPECT_TRUE(world.Add(world.environment, world.owner,
                        MemberAdd{MakeIdentity("rita").identity(), Role::kReader, "", copy}));
  MemberAdd meant = owner;
  meant.copy.bytes[0] = 7;
  const Agreement agreement = Agree(world.environment, world.second, meant);
  const auto made = Make(world.Next(world.environment, world.owner, owner), world.owner, agreement);
  ASSERT_TRUE(made);
  EXPECT_TRUE(world.environment.Append(*made, world.Upper()))
      << "whoever publishes seals the environment's key";
  ASSERT_TRUE(Agreed(world.environment, world.second, carol, RulesSet{false}));
  EXPECT_TRUE(world.AddTo(world.secret, world.owner, Grant1()));
}

TEST_F(ConsentTest, RecoveryAddsAnOwnerWhereOneWasLost) {
  ASSERT_TRUE(world.Remove(world.second));
  Hash copy;
  copy.bytes[0] = 1;
  const PrivateIdentity carol = MakeIdentity("carol");
  EXPECT_FALSE(
      world.Add(world.environment, world.owner, MemberAdd{carol.identity(), Role::kOwner, "", copy}));
  EXPECT_TRUE(
      world.Add(world.environment, world.recovery, MemberAdd{carol.identity(), Role::kOwner, "", copy}));
  EXPECT_FALSE(world.Add(world.environment, world.recovery, RulesSet{false}));
  EXPECT_TRUE(Agreed(world.secret, world.owner, carol, Grant1()));
}

TEST_F(ConsentTest, AnOldHeadDoesNotEscapeTheNewestRule) {
  World fresh;
  world = std::move(fresh);
  const Statement old = world.NextOf(world.secret, world.owner, Grant1());
  TurnOn();
  const auto made = world.Sign(old, world.owner);
  EXPECT_FALSE(SecretList(world.secret).Append(made, world.Upper()));
  // A lying vault lets it in all the same: the list stands, and the grant reads nothing.
  ASSERT_TRUE(world.secret.Receive(made, world.Upper()));
  EXPECT_EQ(world.secret.SealTargets(kConsentTime, world.Upper()).size(), 1u);
  const auto machine = AsMachine(world.secret.next_sequence() - 1);
  ASSERT_FALSE(machine);
  EXPECT_EQ(machine.error().code, Code::kIntegrity);
  ASSERT_TRUE(Agreed(world.secret, world.second, world.owner, Grant1())) << "signed by two it is in force";
  EXPECT_EQ(world.secret.SealTargets(kConsentTime, world.Upper()).size(), 2u);
  EXPECT_TRUE(AsMachine(world.secret.next_sequence() - 1));
}

TEST_F(ConsentTest, AMachineRefusesWhatTwoDidNotSign) {
  // An owner and a vault in league: the root holds a grant whose second signature is over another's.
  const GrantAdd other{world.GrantTo(world.web2, 4)};
  Statement statement = world.NextOf(world.secret, world.owner, Grant1());
  const Consent consent = ConsentOf(world.secret, world.second);
  statement.consent = consent;
  const Signature forged = SignatureOf(consent, world.secret.id(), other, world.second);
  const auto made = std::make_shared<const SignedStatement>(
      Must(SignedStatement::Sign(statement, world.owner.signing_key(), &forged)));
  const Hash leaf = GrantLeaf(Grant1().grant, statement.sequence);
  ASSERT_EQ(statement.state->grants, leaf) << "the only grant";
  SecretList view = SecretList::Partial(7, statement.sequence);
  ASSERT_TRUE(view.Receive(made, world.Upper()));
  EXPECT_FALSE(view.CheckStanding(world.Upper()));
  EXPECT_FALSE(view.VerifyGrant(*made, {0, 1, {}}, world.web1.identity(), world.Upper()));
}

TEST_F(ConsentTest, ARestoredBackupEndsWhatWasAgreedBefore) {
  const Agreement agreement = Agree(world.secret, world.second, Grant1());
  Restore restore;
  restore.accepted = *world.secret.head();
  restore.version = world.secret.state().version;
  ASSERT_TRUE(world.AddTo(world.secret, world.owner, restore));
  EXPECT_FALSE(Append(world.secret, world.owner, Grant1(), agreement))
      << "it may have been used and revoked in what was lost";
  EXPECT_TRUE(Agreed(world.secret, world.owner, world.second, Grant1()));
}

TEST_F(ConsentTest, AnEnvelopeHasBothSignaturesOrNone) {
  const Agreement agreement = Agree(world.secret, world.second, Grant1());
  const auto made = Must(Make(world.NextOf(world.secret, world.owner, Grant1()), world.owner, agreement));
  EXPECT_EQ(Must(SignedStatement::Parse(made->envelope())).envelope(), made->envelope());
  EXPECT_EQ(Must(SignedStatement::Unpack(made->Packed())).envelope(), made->envelope());
  const Json json = Must(ParseJson(made->envelope()));
  const auto& both = json.Find("signatures")->Items();
  ASSERT_EQ(both.size(), 2u);
  const auto with = [&](Json signatures) {
    Json changed = json;
    changed.Set("signatures", std::move(signatures));
    return SignedStatement::Parse(changed.Dump()).has_value();
  };
  EXPECT_FALSE(with(Json::Array({both[0]}))) << "stripped";
  EXPECT_FALSE(with(Json::Array({both[1], both[0]}))) << "exchanged";
  EXPECT_FALSE(with(Json::Array({both[0], both[0]})));
  EXPECT_FALSE(with(Json::Array({both[0], both[1], both[1]})));
  EXPECT_FALSE(with(Json::Array()));
  Statement revoke = world.Next(world.secret, world.owner, GrantRevoke{GranteeKind::kMachine, 3});
  revoke.state = world.secret.state();
  EXPECT_FALSE(Make(revoke, world.owner, agreement)) << "no place for a second signature";
}

// A change of role has no place for the second signature: what would make an owner is refused, the rest goes
// on.
TEST_F(ConsentTest, NobodyBecomesAnOwnerByAChangeOfRole) {
  const auto carol = MakeIdentity("carol");
  Hash copy;
  copy.bytes[0] = 1;
  ASSERT_TRUE(
      world.Add(world.environment, world.owner, MemberAdd{carol.identity(), Role::kReader, "", copy}));
  const MemberChange up{carol.Id(), Role::kOwner, "", {}, {}};
  EXPECT_EQ(world.Add(world.environment, world.owner, up).error().code, Code::kDenied);
  EXPECT_FALSE(Agreed(world.environment, world.owner, world.second, up));
  EXPECT_EQ(world.environment.RoleOf(carol.Id()), Role::kReader);
  EXPECT_TRUE(world.Add(
      world.environment, world.owner,
      MemberChange{carol.Id(), Role::kAuditor, "", {}, world.EpochAfterRemoving(carol.Id()).epoch}));
}

}  // namespace
}  // namespace grantfs::testing

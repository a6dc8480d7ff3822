// What may be said in an environment's and in a secret's list, and by whom.

#include <set>

#include "world.h"

namespace grantfs::testing {
namespace {

class EnvironmentRulesTest : public ::testing::Test {
 protected:
  EnvironmentRulesTest() { copy.bytes[0] = 1; }
  EnvironmentCreate CreateFor(const PrivateIdentity& owner, const std::string& name = "shop/test") {
    return {name, owner.identity(),
            Must(MakeEpoch({owner.identity(), world.recovery.identity()}, nullptr, nullptr)).epoch};
  }
  Status Begin(const PrivateIdentity& signer, const EnvironmentCreate& create) {
    EnvironmentList list("shop/test");
    return world.Add(list, signer, create);
  }
  Status AddMember(const PrivateIdentity& who, Role role, const std::string& prefix) {
    const bool opens = role == Role::kOwner || role == Role::kReader;
    return world.Add(world.environment, world.owner,
                     MemberAdd{who.identity(), role, prefix, opens ? copy : Hash{}});
  }
  World world;
  PrivateIdentity carol = MakeIdentity("carol");
  PrivateIdentity agent = MakeIdentity("ci", IdentityKind::kAgent);
  Hash copy;
};

TEST_F(EnvironmentRulesTest, AVaultOwnerBeginsItInHisOwnName) {
  EXPECT_TRUE(Begin(world.owner, CreateFor(world.owner)));
  EXPECT_EQ(Begin(world.second, CreateFor(world.second)).error().code, Code::kDenied) << "no vault owner";
  EXPECT_EQ(Begin(world.owner, CreateFor(world.second)).error().code, Code::kDenied) << "for another";
  EXPECT_EQ(Begin(world.recovery, CreateFor(world.recovery)).error().code, Code::kDenied);
  EXPECT_EQ(Begin(world.owner, CreateFor(world.owner, "shop/other")).error().code, Code::kInvalid);
  auto second_epoch = CreateFor(world.owner);
  second_epoch.epoch.number = 2;
  EXPECT_EQ(Begin(world.owner, second_epoch).error().code, Code::kInvalid);
  auto led_back = CreateFor(world.owner);
  led_back.epoch.previous = Bytes(80);
  EXPECT_EQ(Begin(world.owner, led_back).error().code, Code::kInvalid);
}

TEST_F(EnvironmentRulesTest, AnAgentOwnsNone) {
  // The vault's list knows no agent as owner: only one that is both signs so.
  auto seed = Must(RandomKey());
  const auto user = Must(PrivateIdentity::FromSeed(seed, IdentityKind::kUser, "dual"));
  const auto dual = Must(PrivateIdentity::FromSeed(seed, IdentityKind::kAgent, "dual"));
  ASSERT_TRUE(world.Add(world.vault, world.owner, VaultOwnerAdd{user.identity()}));
  EXPECT_TRUE(Begin(user, CreateFor(user)));
  EXPECT_EQ(Begin(user, CreateFor(dual)).error().code, Code::kInvalid);
}

TEST_F(EnvironmentRulesTest, ItBeginsWithTheStatementThatTheVaultsListNames) {
  EXPECT_TRUE(world.environment.CheckGenesis(world.vault));
  EnvironmentList other("shop/prod");
  ASSERT_TRUE(world.Add(other, world.owner, CreateFor(world.owner, "shop/prod")));
  EXPECT_EQ(other.CheckGenesis(world.vault).error().code, Code::kIntegrity);
  EXPECT_EQ(EnvironmentList("shop/prod").CheckGenesis(world.vault).error().code, Code::kIntegrity);
  EnvironmentList unknown("shop/test");
  ASSERT_TRUE(world.Add(unknown, world.owner, CreateFor(world.owner)));
  EXPECT_EQ(unknown.CheckGenesis(world.vault).error().code, Code::kNotFound);
}

TEST_F(EnvironmentRulesTest, AnEpochIsForThosePresentWhoMayOpen) {
  const auto reader = MakeIdentity("rita");
  ASSERT_TRUE(AddMember(reader, Role::kReader, ""));
  ASSERT_TRUE(AddMember(carol, Role::kOperator, ""));
  ASSERT_TRUE(AddMember(agent, Role::kWriter, ""));
  const auto recipients = [&] {
    std::set<std::string> names;
    for (const Identity& one : world.environment.EpochRecipients(world.vault)) names.insert(one.name);
    return names;
  };
  EXPECT_EQ(recipients(), (std::set<std::string>{"ann", "bob", "recovery", "rita"}));
  ASSERT_TRUE(world.Add(world.vault, world.owner, IdentityRemove{reader.Id(), "rita"}));
  EXPECT_EQ(recipients(), (std::set<std::string>{"ann", "bob", "recovery"}));
  ASSERT_TRUE(world.Remove(world.second));
  EXPECT_EQ(recipients(), (std::set<std::string>{"ann", "recovery"}));
}

TEST_F(EnvironmentRulesTest, OnlyTheRemovalOfOneWhoMayOpenStartsAnEpoch) {
  ASSERT_TRUE(AddMember(agent, Role::kWriter, ""));
  const auto epoch = world.EpochAfterRemoving(agent.Id()).epoch;
  const auto remove = [&](const Hash& id, const std::optional<Epoch>& next) {
    const Status status = world.Add(world.environment, world.owner, MemberRemove{id, next});
    return status ? Code::kIo : status.error().code;
  };
  EXPECT_EQ(remove(agent.Id(), epoch), Code::kInvalid);
  EXPECT_EQ(remove(world.second.Id(), {}), Code::kInvalid) << "he could open what is published next";
  EXPECT_EQ(world.environment.newest_epoch().number, 1u);
  EXPECT_EQ(remove(agent.Id(), {}), Code::kIo) << "this is good";
  EXPECT_EQ(remove(world.second.Id(), world.EpochAfterRemoving(world.second.Id()).epoch), Code::kIo);
  EXPECT_EQ(world.environment.newest_epoch().number, 2u);
}

TEST_F(EnvironmentRulesTest, APrefixIsAWritersAndWholeComponents) {
  EXPECT_EQ(AddMember(carol, Role::kOwner, "tls/").error().code, Code::kInvalid);
  EXPECT_EQ(AddMember(carol, Role::kReader, "tls/").error().code, Code::kInvalid);
  for (const char* bad : {"tls", "/", "../", "tls//", "/tls/", "tls/../", "t\nls/"})
    EXPECT_EQ(AddMember(agent, Role::kWriter, bad).error().code, Code::kInvalid) << bad;
  EXPECT_TRUE(AddMember(agent, Role::kWriter, "tls/web/"));
}

class SecretRulesTest : public EnvironmentRulesTest {
 protected:
  Code Refused(SecretList& list, const PrivateIdentity& signer, const Act& act) {
    Statement said = world.Next(list, signer, act);
    const auto after = list.StateAfter(act, world.Upper());
    said.state = after ? *after : list.state();
    const std::uint64_t next = list.next_sequence();
    const Status status = list.Append(world.Sign(said, signer), world.Upper());
    EXPECT_FALSE(status) << "was to be refused: " << ActName(act);
    EXPECT_EQ(list.next_sequence(), next);
    return status ? Code::kIo : status.error().code;
  }
};

TEST_F(SecretRulesTest, ASecretIsCreatedUnderItsOwnNumberAndEnvironment) {
  const auto create = [](std::uint64_t number, const std::string& environment) {
    return SecretCreate{number, environment, "other", SecretType::kValue, "", ""};
  };
  SecretList list(8);
  EXPECT_EQ(Refused(list, world.owner, create(9, "shop/prod")), Code::kInvalid);
  EXPECT_EQ(Refused(list, world.owner, create(8, "shop/test")), Code::kInvalid);
  EXPECT_TRUE(world.AddTo(list, world.owner, create(8, "shop/prod")));
  EXPECT_EQ(Refused(list, world.owner, create(8, "shop/prod")), Code::kInvalid);
}

TEST_F(SecretRulesTest, AVersionNamesItsSecret) {
  VersionPublish elsewhere = world.VersionOf(world.secret);
  elsewhere.environment = "shop/test";
  EXPECT_EQ(Refused(world.secret, world.owner, elsewhere), Code::kInvalid);
  EXPECT_EQ(Refused(world.secret, world.owner, world.VersionOf(world.secret, "other")), Code::kInvalid);
}

TEST_F(SecretRulesTest, ATemplatesVersionsNameItsPartsAndAValuesHaveNone) {
  VersionPublish of_value = world.VersionOf(world.secret);
  of_value.parts = {"api-key"};
  EXPECT_EQ(Refused(world.secret, world.owner, of_value), Code::kInvalid);
  SecretList list(8);
  const SecretCreate create{8, "shop/prod", "app.env", SecretType::kTemplate, "", ""};
  ASSERT_TRUE(world.AddTo(list, world.owner, create));
  VersionPublish of_template = world.VersionOf(list, "app.env");
  EXPECT_EQ(Refused(list, world.owner, of_template), Code::kInvalid);
  of_template.parts = {"api-key", "db-password"};
  EXPECT_TRUE(world.AddTo(list, world.owner, of_template));
  EXPECT_EQ(list.Current()->publish.parts, of_template.parts);
}

TEST_F(SecretRulesTest, AGroupThatIsNotThereIsGrantedNothingAndWhatIsNotGrantedIsNotRevoked) {
  Grant group = world.GrantTo(world.web1, 3);
  group.grantee.kind = GranteeKind::kGroup;
  group.grantee.seal = {};
  EXPECT_EQ(Refused(world.secret, world.owner, GrantAdd{group}), Code::kInvalid);
  EXPECT_EQ(Refused(world.secret, world.owner, GrantRevoke{GranteeKind::kMachine, 3}), Code::kInvalid);
  EXPECT_EQ(world.secret.StateAfter(GrantRevoke{GranteeKind::kMachine, 3}, world.Upper()).error().code,
            Code::kNotFound);
}

TEST_F(SecretRulesTest, AWriterNeitherGrantsNorRevokesNorMends) {
  ASSERT_TRUE(AddMember(agent, Role::kWriter, ""));
  ASSERT_TRUE(world.AddTo(world.secret, world.owner, GrantAdd{world.GrantTo(world.web1, 3)}));
  EXPECT_EQ(Refused(world.secret, agent, GrantAdd{world.GrantTo(world.web2, 4)}), Code::kDenied);
  EXPECT_EQ(Refused(world.secret, agent, GrantRevoke{GranteeKind::kMachine, 3}), Code::kDenied);
  EXPECT_EQ(Refused(world.secret, agent, Vouch{}), Code::kDenied);
  EXPECT_EQ(Refused(world.secret, agent, Void{2, *world.secret.HashAt(2)}), Code::kDenied);
  EXPECT_TRUE(world.AddTo(world.secret, agent, world.VersionOf(world.secret)));
}

TEST_F(SecretRulesTest, OthersThanOwnersAndWritersPublishNothing) {
  const auto create = SecretCreate{8, "shop/prod", "other", SecretType::kValue, "", ""};
  for (const Role role : {Role::kReader, Role::kOperator, Role::kAuditor}) {
    const auto who = MakeIdentity(RoleName(role));
    ASSERT_TRUE(AddMember(who, role, ""));
    SecretList list(8);
    EXPECT_EQ(Refused(list, who, create), Code::kDenied);
    EXPECT_EQ(Refused(world.secret, who, world.VersionOf(world.secret)), Code::kDenied);
    EXPECT_EQ(Refused(world.secret, who, GrantAdd{world.GrantTo(world.web1, 3)}), Code::kDenied);
  }
}

TEST_F(SecretRulesTest, WhoseTimeIsOverIsNotSealedTo) {
  constexpr std::int64_t kThen = 1'700'000'000;
  Grant ends = world.GrantTo(world.web1, 3);
  ends.expires = kThen;
  Grant dies = world.GrantTo(world.web2, 4);
  dies.grantee.not_after = kThen;
  ASSERT_TRUE(world.AddTo(world.secret, world.owner, GrantAdd{ends}));
  ASSERT_TRUE(world.AddTo(world.secret, world.owner, GrantAdd{dies}));
  EXPECT_EQ(world.secret.SealTargets(kThen - 1, world.Upper()).size(), 3u);
  const auto targets = world.secret.SealTargets(kThen, world.Upper());
  ASSERT_EQ(targets.size(), 1u);
  EXPECT_EQ(targets[0].recipient.kind, RecipientKind::kEnvironment);
}

TEST_F(SecretRulesTest, AVoidThatLiesAboutTheStateChangesNothing) {
  ASSERT_TRUE(world.AddTo(world.secret, world.second, GrantAdd{world.GrantTo(world.web2, 9)}));
  const SecretState granted = world.secret.state();
  ASSERT_TRUE(world.Remove(world.second));
  // The grants of the one who left would live on under the root that the void claims.
  Statement lie = world.NextOf(world.secret, world.owner, Void{2, *world.secret.HashAt(2)});
  const SecretState honest = *lie.state;
  lie.state = granted;
  EXPECT_EQ(world.secret.Append(world.Sign(lie, world.owner), world.Upper()).error().code, Code::kInvalid);
  EXPECT_FALSE(world.secret.IsVoided(2));
  EXPECT_TRUE(world.secret.state() == granted);
  EXPECT_EQ(world.secret.FirstUncounted(world.Upper()), 2u);
  lie.state = honest;
  EXPECT_TRUE(world.secret.Append(world.Sign(lie, world.owner), world.Upper()));
  EXPECT_TRUE(world.secret.grants().empty());
}

TEST_F(SecretRulesTest, AnActWithALyingStateLeavesNoTrace) {
  ASSERT_TRUE(world.AddTo(world.secret, world.owner, GrantAdd{world.GrantTo(world.web1, 3)}));
  const SecretState before = world.secret.state();
  const Hash leaf = world.secret.grants().begin()->second.leaf;
  Grant wider = world.GrantTo(world.web1, 3);
  wider.mode = 0444;
  for (const Act& act :
       std::vector<Act>{world.VersionOf(world.secret), GrantAdd{wider},
                        GrantAdd{world.GrantTo(world.web2, 4)}, GrantRevoke{GranteeKind::kMachine, 3}}) {
    Statement lie = world.NextOf(world.secret, world.owner, act);
    lie.state->labels["stable"] = *world.secret.HashAt(1);
    const auto made = world.Sign(lie, world.owner);
    EXPECT_EQ(world.secret.Append(made, world.Upper()).error().code, Code::kInvalid) << ActName(act);
    SecretList served = world.secret;
    ASSERT_TRUE(served.Receive(made, world.Upper()));
    for (const SecretList* list : {&world.secret, &served}) {
      EXPECT_TRUE(list->state() == before) << ActName(act);
      EXPECT_EQ(list->versions().size(), 1u) << ActName(act);
      ASSERT_EQ(list->grants().size(), 1u) << ActName(act);
      EXPECT_EQ(list->grants().begin()->second.leaf, leaf) << ActName(act);
    }
  }
  EXPECT_EQ(world.secret.SealTargets(1'700'000'000, world.Upper()).size(), 2u);
}

TEST_F(SecretRulesTest, AVoidOutsideTheListHasNoState) {
  for (const std::uint64_t from : {0u, 2u, 100u})
    EXPECT_EQ(world.secret.StateAfter(Void{from, {}}, world.Upper()).error().code, Code::kInvalid) << from;
}

}  // namespace
}  // namespace grantfs::testing

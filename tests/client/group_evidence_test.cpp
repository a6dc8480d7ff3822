// A machine, its groups, and a vault that lies about them.

#include "client/machine/group_keys_internal.h"
#include "evidence_test.h"

namespace grantfs::testing {
namespace {

class GroupEvidenceTest : public EvidenceTest {
 protected:
  GroupEvidenceTest() {
    number_ = world_.environment.next_sequence();
    Hash genesis;
    genesis.bytes[0] = 7;
    Good(world_.Add(world_.environment, world_.owner, GroupCreate{"web", genesis, Epoch(1, genesis)}));
  }
  GroupEpoch Epoch(std::uint32_t number, const Hash& list) {
    auto made = Must(MakeGroupEpoch({{{RecipientKind::kMachine, 3, 0}, world_.web1.identity().seal},
                                     {{RecipientKind::kMachine, 4, 0}, world_.web2.identity().seal}},
                                    number, number == 1 ? nullptr : &key_));
    key_ = std::move(made.key);
    copies_[number] = made.copies;
    return {made.epoch, 1, 0, list};
  }
  const EnvironmentGroups::Group& Web() { return *world_.environment.groups().Find(number_); }
  void StartEpoch() {
    Good(world_.Add(
        world_.environment, world_.owner,
        GroupEpochStart{number_, Epoch(Web().newest().epoch.number + 1, Web().newest().list_hash)}));
  }
  Grant ToWeb() {
    Grant grant;
    grant.grantee = Web().AsGrantee();
    return grant;
  }
  api::OwnGroupKey Own(std::uint32_t epoch, std::size_t copy = 0) {
    return {"shop/prod", number_, epoch, copies_.at(epoch).at(copy).sealed};
  }
  Result<std::shared_ptr<const GroupKeys>> Open(const api::OwnGroupKey& own) {
    return GroupKeys::Open(world_.web1.unseal_key(), own, Web());
  }
  api::GrantEvidence ByPrefix(const std::string& prefix) {
    auto evidence = Evidence(0);
    evidence.grant.clear();
    evidence.proof = {};
    evidence.prefix = {prefix, number_};
    return evidence;
  }

  std::uint64_t number_ = 0;
  UnsealKey key_;
  std::map<std::uint32_t, std::vector<GroupCopy>> copies_;
};

TEST_F(GroupEvidenceTest, ItIsInAGroupByTheNewestKeyAlone) {
  EXPECT_TRUE(Open(Own(1)));
  EXPECT_FALSE(Open(Own(1, 1))) << "another machine's copy";
  auto forged = Own(1);
  forged.epoch = 2;
  EXPECT_EQ(Open(forged).error().code, Code::kIntegrity);
  MachineView view;
  view.environments["shop/prod"] = std::make_shared<const EnvironmentList>(world_.environment);
  view.groups[{"shop/prod", number_}] = Must(Open(Own(1)));
  EXPECT_NE(view.GroupOf("shop/prod", number_), nullptr);
  EXPECT_EQ(view.GroupOf("shop/prod", number_ + 1), nullptr);
  StartEpoch();
  view.environments["shop/prod"] = std::make_shared<const EnvironmentList>(world_.environment);
  EXPECT_EQ(view.GroupOf("shop/prod", number_), nullptr) << "the key is an older epoch's";
  EXPECT_FALSE(Open(Own(1))) << "served again";
  forged = Own(1);
  forged.epoch = 2;
  EXPECT_EQ(Open(forged).error().code, Code::kIntegrity) << "an older key under the newest's number";
  EXPECT_TRUE(Open(Own(2)));
}

TEST_F(GroupEvidenceTest, ItReadsNothingByAKeyFromBeforeTheRuleThatTwoSign) {
  const auto view = [&] {
    MachineView made;
    made.environments["shop/prod"] = std::make_shared<const EnvironmentList>(world_.environment);
    made.groups[{"shop/prod", number_}] = Must(Open(Own(Web().newest().epoch.number)));
    return made;
  };
  EXPECT_NE(view().GroupOf("shop/prod", number_), nullptr);
  const Consent consent{world_.second.Id(), 1'700'000'000, 1'700'003'600, *world_.environment.head(), {}};
  Statement statement = world_.Next(world_.environment, world_.owner, RulesSet{true});
  statement.consent = consent;
  const Signature second = world_.second.signing_key().Sign(
      ConsentBytes(world_.vault.vault_id(), statement.list, consent, statement.act));
  Good(world_.environment.Append(std::make_shared<const SignedStatement>(Must(
                                     SignedStatement::Sign(statement, world_.owner.signing_key(), &second))),
                                 world_.Upper()));
  EXPECT_EQ(view().GroupOf("shop/prod", number_), nullptr) << "who was put in by one owner may hold it";
  StartEpoch();
  EXPECT_NE(view().GroupOf("shop/prod", number_), nullptr);
}

TEST_F(GroupEvidenceTest, OlderCopiesAreOpenedThroughTheNewestKey) {
  const auto data_key = Must(RandomKey());
  const ValueContext context{world_.vault.vault_id(), "shop/prod", 7, 1, 1};
  const Hash commitment = Must(CommitToKey(data_key, context.Encode()));
  const Bytes sealed = Must(SealDataKey(Web().seal(), data_key));
  StartEpoch();
  StartEpoch();
  const auto keys = Must(Open(Own(3)));
  EXPECT_TRUE(keys->OpenDataKey(Web(), 1, sealed, commitment, context));
  EXPECT_TRUE(keys->OpenDataKey(Web(), 1, sealed, commitment, context)) << "and again";
  for (const std::uint32_t wrong : {0U, 2U, 4U})
    EXPECT_EQ(keys->OpenDataKey(Web(), wrong, sealed, commitment, context).error().code, Code::kIntegrity)
        << wrong;
}

TEST_F(GroupEvidenceTest, AGrantToAGroupIsTakenByItsProof) {
  Good(world_.AddTo(world_.secret, world_.owner, GrantAdd{ToWeb()}));
  const auto at = world_.secret.next_sequence() - 1;
  auto evidence = Evidence(at);
  evidence.grant = world_.secret.At(at)->envelope();
  evidence.proof = *world_.secret.ProveGrant({GranteeKind::kGroup, number_});
  const auto view = Verify(evidence);
  ASSERT_TRUE(view);
  EXPECT_EQ((*view)->group, number_);
  Good(world_.Add(world_.environment, world_.owner, GroupDelete{number_}));
  EXPECT_FALSE(Verify(evidence)) << "there is no such group any more";
}

TEST_F(GroupEvidenceTest, APrefixIsTheEnvironmentsWordAndNotTheVaults) {
  EXPECT_EQ(Verify(ByPrefix("")).error().code, Code::kIntegrity) << "nobody granted it";
  Grant grant = ToWeb();
  grant.mode = 0440;
  Good(world_.Add(world_.environment, world_.owner, PrefixGrant{"", grant}));
  Good(world_.Add(world_.environment, world_.owner, PrefixGrant{"tls/", ToWeb()}));
  const auto view = Verify(ByPrefix(""));
  ASSERT_TRUE(view) << Describe(view.error());
  EXPECT_EQ((*view)->group, number_);
  EXPECT_EQ((*view)->terms.mode, 0440U);
  EXPECT_FALSE(Verify(ByPrefix("tls/"))) << "the path is not below it";
  auto renamed = ByPrefix("tls/");
  renamed.path = "tls/db-password";
  EXPECT_FALSE(Verify(renamed)) << "another secret under a name that is";
  auto shown = std::shared_ptr<const SecretView>(*view);
  EXPECT_TRUE(RefreshGroupTerms(shown, world_.environment));
  grant.mode = 0400;
  Good(world_.Add(world_.environment, world_.owner, PrefixGrant{"", grant}));
  EXPECT_TRUE(RefreshGroupTerms(shown, world_.environment));
  EXPECT_EQ(shown->terms.mode, 0400U) << "the newest terms";
  Good(world_.Add(world_.environment, world_.owner, PrefixRevoke{"", number_}));
  EXPECT_FALSE(RefreshGroupTerms(shown, world_.environment));
}

}  // namespace
}  // namespace grantfs::testing

// Labels that move, and what is deleted and destroyed: what may be said, by whom, and what a machine makes of
// it.

#include "world.h"

namespace grantfs::testing {
namespace {

class SecretLifeTest : public ::testing::Test {
 protected:
  SecretLifeTest() {
    EXPECT_TRUE(
        world.Add(world.environment, world.owner, MemberAdd{writer.identity(), Role::kWriter, "", Hash{}}));
    EXPECT_TRUE(world.AddTo(world.secret, world.owner, GrantAdd{world.GrantTo(world.web1, 3)}));
    EXPECT_TRUE(world.AddTo(world.secret, world.owner, world.VersionOf(world.secret)));
  }
  /// What an append of it is refused with; kIo: it was not. Its state is made up where there is none.
  Code Refused(const PrivateIdentity& signer, const Act& act, const SecretState* lie = nullptr) {
    Statement said = world.Next(world.secret, signer, act);
    const auto after = world.secret.StateAfter(act, world.Upper());
    said.state = lie != nullptr ? *lie : after ? *after : world.secret.state();
    const auto made = world.Sign(said, signer);
    const SecretState before = world.secret.state();
    const Status status = world.secret.Append(made, world.Upper());
    EXPECT_FALSE(status) << "was to be refused: " << ActName(act);
    EXPECT_EQ(world.secret.state(), before);
    // A machine that the vault serves it to all the same takes it for nothing.
    SecretList view = View();
    EXPECT_TRUE(view.Receive(made, world.Upper()));
    EXPECT_FALSE(view.CheckStanding(world.Upper())) << ActName(act);
    return status ? Code::kIo : status.error().code;
  }
  void Do(const PrivateIdentity& signer, const Act& act) {
    const Status done = world.AddTo(world.secret, signer, act);
    ASSERT_TRUE(done) << ActName(act) << ": " << Describe(done.error());
    EXPECT_EQ(View().state(), world.secret.state()) << "a machine sees another state";
    EXPECT_TRUE(View().CheckStanding(world.Upper()));
  }
  /// A machine's, from the last statement that set the grants.
  SecretList View() {
    SecretList view = SecretList::Partial(7, 2);
    for (std::uint64_t i = 2; i < world.secret.next_sequence(); ++i)
      EXPECT_TRUE(view.Receive(world.secret.At(i), world.Upper()));
    return view;
  }
  LabelMove To(std::uint32_t version) {
    return {version, world.secret.versions().at(version).statement->hash()};
  }
  VersionPublish NextVersion() {
    VersionPublish version = world.VersionOf(world.secret);
    version.label = kNextLabel;
    return version;
  }
  std::uint32_t At(const std::string& label) {
    const Hash* at = world.secret.state().ReadBy(label);
    const auto* version = at == nullptr ? nullptr : world.secret.FindVersion(*at);
    return version == nullptr ? 0 : version->publish.version;
  }
  World world;
  PrivateIdentity writer = MakeIdentity("deploy", IdentityKind::kAgent);
};

TEST_F(SecretLifeTest, ARollbackMovesCurrentAndKeepsWhatItWas) {
  Do(world.owner, To(1));
  EXPECT_EQ(At("current"), 1u);
  EXPECT_EQ(At("previous"), 2u);
  EXPECT_EQ(world.secret.next_version(), 3u) << "no number comes twice";
  const SecretList view = View();
  EXPECT_TRUE(view.VerifyVersion("current", *world.secret.At(1), world.Upper()));
  EXPECT_EQ(view.VerifyVersion("current", *world.secret.At(3), world.Upper()).error().code, Code::kIntegrity);
  Do(world.owner, To(2));
  EXPECT_EQ(At("current"), 2u);
}

TEST_F(SecretLifeTest, ALabelMovesToAVersionThatIsThereAndIsNotCurrent) {
  EXPECT_EQ(Refused(world.owner, To(2)), Code::kInvalid) << "is current";
  EXPECT_EQ(Refused(world.owner, LabelMove{3, To(1).statement}), Code::kInvalid);
  EXPECT_EQ(Refused(world.owner, LabelMove{2, To(1).statement}), Code::kInvalid) << "another's hash";
  Hash none;
  none.bytes[0] = 1;
  Statement said = world.Next(world.secret, world.owner, LabelMove{1, none});
  said.state = world.secret.state();
  said.state->labels["previous"] = said.state->labels["current"];
  said.state->labels["current"] = none;
  EXPECT_FALSE(world.secret.Append(world.Sign(said, world.owner), world.Upper()));
  // A machine knows no version 1, and finds that no statement with that hash is one.
  SecretList view = View();
  ASSERT_TRUE(view.Receive(world.Sign(said, world.owner), world.Upper()));
  for (const std::uint64_t served : {1, 3})
    EXPECT_EQ(view.VerifyVersion("current", *world.secret.At(served), world.Upper()).error().code,
              Code::kIntegrity);
}

TEST_F(SecretLifeTest, NoLabelMovesBackToWhatWasDestroyed) {
  Do(writer, NextVersion());
  const LabelMove to_first = To(1);
  const LabelMove to_third = To(3);
  Do(world.owner, VersionDestroy{{1, 3}, {"next", "previous"}});
  for (const LabelMove& move : {to_first, to_third}) {
    Statement said = world.Next(world.secret, writer, move);
    said.state = world.secret.state();
    said.state->labels["previous"] = said.state->labels["current"];
    said.state->labels["current"] = move.statement;
    const SecretState claim = *said.state;
    EXPECT_EQ(Refused(writer, move, &claim), Code::kInvalid) << "version " << move.version;
  }
}

TEST_F(SecretLifeTest, AMoveThatClaimsOtherLabelsIsRefused) {
  SecretState lie = Must(world.secret.StateAfter(To(1), world.Upper()));
  lie.labels["previous"] = To(1).statement;
  EXPECT_EQ(Refused(world.owner, To(1), &lie), Code::kInvalid);
  lie = world.secret.state();
  EXPECT_EQ(Refused(world.owner, To(1), &lie), Code::kInvalid) << "nothing moved";
  lie = Must(world.secret.StateAfter(To(1), world.Upper()));
  lie.deleted = true;
  EXPECT_EQ(Refused(world.owner, To(1), &lie), Code::kInvalid);
}

TEST_F(SecretLifeTest, NextIsPublishedBesideCurrentAndPromoted) {
  EXPECT_EQ(At("next"), 2u) << "what is current, while nothing is next";
  Do(world.owner, NextVersion());
  EXPECT_EQ(At("current"), 2u);
  EXPECT_EQ(At("next"), 3u);
  const SecretList view = View();
  EXPECT_TRUE(view.VerifyVersion("next", *world.secret.At(4), world.Upper()));
  EXPECT_FALSE(view.VerifyVersion("next", *world.secret.At(3), world.Upper()));
  EXPECT_FALSE(view.VerifyVersion("current", *world.secret.At(4), world.Upper()));
  Do(world.owner, To(3));
  EXPECT_EQ(At("current"), 3u);
  EXPECT_EQ(At("previous"), 2u);
  EXPECT_FALSE(world.secret.state().labels.contains("next"));
  EXPECT_TRUE(View().VerifyVersion("next", *world.secret.At(4), world.Upper()));
}

TEST_F(SecretLifeTest, NextIsTakenBack) {
  EXPECT_EQ(Refused(world.owner, LabelRemove{}), Code::kInvalid) << "nothing is next";
  Do(world.owner, NextVersion());
  for (const char* label : {"current", "previous"})
    EXPECT_FALSE(world.secret.StateAfter(LabelRemove{label}, world.Upper())) << label;
  Do(world.owner, LabelRemove{});
  EXPECT_EQ(At("next"), 2u);
  EXPECT_EQ(world.secret.versions().size(), 3u);
}

TEST_F(SecretLifeTest, WhatIsDeletedIsReadByNobodyUntilItIsUndeleted) {
  EXPECT_EQ(Refused(world.owner, SecretUndelete{}), Code::kInvalid);
  Do(world.owner, SecretDelete{});
  for (const char* label : {"current", "previous", "next"}) EXPECT_EQ(At(label), 0u) << label;
  EXPECT_EQ(View().VerifyVersion("current", *world.secret.At(3), world.Upper()).error().code,
            Code::kNotFound);
  EXPECT_EQ(Refused(world.owner, SecretDelete{}), Code::kInvalid);
  EXPECT_EQ(Refused(world.owner, To(1)), Code::kInvalid);
  EXPECT_EQ(Refused(world.owner, LabelRemove{}), Code::kInvalid);
  EXPECT_EQ(Refused(world.owner, world.VersionOf(world.secret)), Code::kInvalid);
  EXPECT_EQ(Refused(world.owner, GrantAdd{world.GrantTo(world.web2, 4)}), Code::kInvalid);
  EXPECT_EQ(world.secret.grants().size(), 1u);
  Do(world.owner, SecretUndelete{});
  EXPECT_EQ(At("current"), 2u);
  EXPECT_TRUE(View().VerifyVersion("current", *world.secret.At(3), world.Upper()));
}

TEST_F(SecretLifeTest, AViewThatBeginsBehindTheDeletionKnowsOfIt) {
  Do(world.owner, SecretDelete{});
  Do(world.owner, GrantRevoke{GranteeKind::kMachine, 3});
  SecretList view = SecretList::Partial(7, 5);
  ASSERT_TRUE(view.Receive(world.secret.At(5), world.Upper()));
  EXPECT_TRUE(view.state().deleted);
}

TEST_F(SecretLifeTest, AnUndeletionIsNotPlayedAgain) {
  Do(world.owner, SecretDelete{});
  Do(world.owner, SecretUndelete{});
  const auto played = world.secret.At(5);
  Do(world.owner, SecretDelete{});
  SecretList view = View();
  EXPECT_EQ(view.Receive(played, world.Upper()).error().code, Code::kIntegrity) << "a broken link";
  EXPECT_EQ(world.secret.Append(played, world.Upper()).error().code, Code::kConflict);
  EXPECT_TRUE(view.state().deleted);
}

TEST_F(SecretLifeTest, VersionsAreDestroyedWithTheLabelsThatPointAtThem) {
  EXPECT_EQ(Refused(world.owner, VersionDestroy{{2}, {}}), Code::kInvalid) << "is current";
  EXPECT_FALSE(world.secret.StateAfter(VersionDestroy{{2}, {"current"}}, world.Upper()));
  EXPECT_EQ(Refused(world.owner, VersionDestroy{{1}, {"next"}}), Code::kInvalid);
  EXPECT_EQ(Refused(world.owner, VersionDestroy{{3}, {}}), Code::kInvalid) << "is not there";
  EXPECT_FALSE(world.secret.StateAfter(VersionDestroy{{1}, {}}, world.Upper())) << "previous points at it";
  EXPECT_EQ(world.secret.LabelsAt({1, 2}), (std::vector<std::string>{"current", "previous"}));
  Do(world.owner, VersionDestroy{{1}, {"previous"}});
  EXPECT_EQ(world.secret.versions().size(), 1u);
  EXPECT_EQ(world.secret.ended().at(1).by, world.secret.At(4));
  EXPECT_EQ(At("previous"), 0u);
  EXPECT_EQ(world.secret.next_version(), 3u);
  EXPECT_EQ(Refused(world.owner, VersionDestroy{{1}, {"previous"}}), Code::kInvalid) << "a second time";
  const LabelMove back{1, world.secret.At(1)->hash()};
  EXPECT_FALSE(world.secret.StateAfter(back, world.Upper()));
  VersionPublish again = world.VersionOf(world.secret);
  again.version = 1;
  EXPECT_EQ(Refused(world.owner, again), Code::kInvalid) << "no number comes twice";
}

TEST_F(SecretLifeTest, ALyingDestructionLeavesNoTrace) {
  SecretState lie = world.secret.state();
  EXPECT_EQ(Refused(world.owner, VersionDestroy{{1}, {"previous"}}, &lie), Code::kInvalid);
  EXPECT_EQ(Refused(world.owner, SecretDestroy{}, &lie), Code::kInvalid);
  EXPECT_EQ(Refused(world.owner, SecretDelete{}, &lie), Code::kInvalid);
  lie.deleted = true;
  EXPECT_EQ(Refused(world.owner, SecretDescribe{"x", "y"}, &lie), Code::kInvalid);
  EXPECT_EQ(world.secret.versions().size(), 2u);
  EXPECT_EQ(world.secret.grants().size(), 1u);
  EXPECT_TRUE(world.secret.ended().empty());
  EXPECT_FALSE(world.secret.IsDestroyed());
  EXPECT_EQ(world.secret.about().owner, "");
}

TEST_F(SecretLifeTest, NothingFollowsADestructionButAVouch) {
  const auto proof = *world.secret.ProveGrant({GranteeKind::kMachine, 3});
  Do(world.owner, SecretDestroy{});
  EXPECT_TRUE(world.secret.IsDestroyed());
  EXPECT_TRUE(world.secret.versions().empty());
  EXPECT_TRUE(world.secret.grants().empty());
  EXPECT_EQ(world.secret.ended().size(), 2u);
  EXPECT_FALSE(View().VerifyGrant(*world.secret.At(2), proof, world.web1.identity(), world.Upper()));
  for (const Act& act :
       std::vector<Act>{SecretUndelete{}, SecretDelete{}, SecretDestroy{}, SecretDescribe{},
                        world.VersionOf(world.secret), GrantAdd{world.GrantTo(world.web1, 3)}})
    EXPECT_EQ(Refused(world.owner, act), Code::kInvalid) << ActName(act);
  Do(world.second, Vouch{});
}

TEST_F(SecretLifeTest, OwnerAndDescriptionChange) {
  Do(writer, SecretDescribe{"bob", "of the shop"});
  EXPECT_EQ(world.secret.about().owner, "bob");
  EXPECT_EQ(world.secret.create().owner, "") << "its creation says what it said";
}

TEST_F(SecretLifeTest, AWriterMovesLabelsUnderHisPrefixAndDeletesNothing) {
  Do(writer, NextVersion());
  Do(writer, LabelRemove{});
  Do(writer, To(3));
  for (const Act& act : std::vector<Act>{SecretDelete{}, SecretDestroy{}, VersionDestroy{{1}, {}}})
    EXPECT_EQ(Refused(writer, act), Code::kDenied) << ActName(act);
  Do(world.owner, SecretDelete{});
  EXPECT_EQ(Refused(writer, SecretUndelete{}), Code::kDenied);
  Do(world.owner, SecretUndelete{});
  const auto elsewhere = MakeIdentity("other", IdentityKind::kAgent);
  ASSERT_TRUE(world.Add(world.environment, world.owner,
                        MemberAdd{elsewhere.identity(), Role::kWriter, "tls/", Hash{}}));
  for (const Act& act : std::vector<Act>{To(1), SecretDescribe{}})
    EXPECT_EQ(Refused(elsewhere, act), Code::kDenied) << ActName(act);
}

TEST_F(SecretLifeTest, OthersThanOwnersAndWritersChangeNothing) {
  std::vector<PrivateIdentity> others;
  for (const Role role : {Role::kReader, Role::kOperator, Role::kAuditor}) {
    others.push_back(MakeIdentity(RoleName(role)));
    Hash copy;
    copy.bytes[0] = role == Role::kReader ? 1 : 0;
    ASSERT_TRUE(
        world.Add(world.environment, world.owner, MemberAdd{others.back().identity(), role, "", copy}));
  }
  for (const PrivateIdentity& who : others)
    for (const Act& act : std::vector<Act>{To(1), SecretDescribe{}, SecretDelete{}, SecretDestroy{},
                                           VersionDestroy{{1}, {"previous"}}})
      EXPECT_EQ(Refused(who, act), Code::kDenied) << who.identity().name << " " << ActName(act);
}

TEST_F(SecretLifeTest, AVoidTakesBackWhatALeaverMoved) {
  Do(world.second, To(1));
  ASSERT_TRUE(world.Remove(world.second));
  EXPECT_EQ(world.secret.FirstUncounted(world.Upper()), 4u);
  const auto voided = world.AddTo(world.secret, world.owner, Void{4, *world.secret.HashAt(4)});
  ASSERT_TRUE(voided) << Describe(voided.error());
  EXPECT_EQ(At("current"), 2u);
  EXPECT_EQ(At("previous"), 1u);
}

}  // namespace
}  // namespace grantfs::testing

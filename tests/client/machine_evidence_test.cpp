// Evidence and answers in which one thing alone is wrong.

#include "client/lists/standing_changes_internal.h"
#include "evidence_test.h"

namespace grantfs::testing {
namespace {

class WrongEvidenceTest : public EvidenceTest {
 protected:
  static bool Says(const Status& status, const std::string& why) {
    return !status && Describe(status.error()).find(why) != std::string::npos;
  }
  template <typename T>
  static bool Says(const Result<T>& result, const std::string& why) {
    return !result && Describe(result.error()).find(why) != std::string::npos;
  }
};

TEST_F(WrongEvidenceTest, ATailThatDoesNotCountIsRefusedThoughGrantAndVersionAreGood) {
  Good(world_.AddTo(world_.secret, world_.second, GrantAdd{world_.GrantTo(world_.web2, 9)}));
  Must(Verify(Evidence(granted_at_)));
  Good(world_.Remove(world_.second));
  EXPECT_TRUE(Says(Verify(Evidence(granted_at_)), "does not count")) << "nobody vouched for what he granted";
  Good(world_.AddTo(world_.secret, world_.owner, Vouch{}));
  Must(Verify(Evidence(granted_at_)));
  auto evidence = Evidence(granted_at_);
  evidence.statements.push_back(world_.MadeOf(world_.secret, world_.second, Vouch{})->envelope());
  EXPECT_TRUE(Says(Verify(evidence), "does not count")) << "he says something more";
}

TEST_F(WrongEvidenceTest, OfAnEnvironmentThatIsNotShown) {
  const auto verified =
      VerifyEvidence(Evidence(granted_at_), nullptr, {&world_.vault, nullptr}, world_.web1.identity(), {});
  EXPECT_EQ(CodeOf(verified), Code::kIntegrity);
}

TEST_F(WrongEvidenceTest, ItMayBeginAnewForOneWhoHasAView) {
  const auto first = Must(Verify(Evidence(granted_at_)));
  Rotate();
  EXPECT_EQ(Must(Verify(Evidence(granted_at_), first.get()))->publish->version, 2u);
}

TEST_F(WrongEvidenceTest, ALongViewDoesNotBeginAtAGrantThatWasTakenBack) {
  for (int i = 0; i < 70; ++i) Rotate();
  Good(world_.AddTo(world_.secret, world_.second, GrantAdd{world_.GrantTo(world_.web2, 9)}));
  const std::uint64_t bad = world_.secret.head()->sequence;
  Good(world_.Remove(world_.second));
  Good(world_.AddTo(world_.secret, world_.owner, Void{bad, *world_.secret.HashAt(bad)}));
  EXPECT_EQ(Must(Verify(Evidence(granted_at_)))->proof.first_sequence(), granted_at_);
}

TEST_F(WrongEvidenceTest, WhatCannotBeEnforcedIsKnownOfTheView) {
  Grant terms = world_.GrantTo(world_.web1, 3);
  terms.record = "twice";
  Good(world_.AddTo(world_.secret, world_.owner, GrantAdd{terms}));
  granted_at_ = world_.secret.next_sequence() - 1;
  EXPECT_NE(Must(Verify(Evidence(granted_at_)))->unenforceable, "");
}

TEST_F(WrongEvidenceTest, NewerListsAboveAreJudgedByAnew) {
  Good(world_.AddTo(world_.secret, world_.second, world_.VersionOf(world_.secret)));
  const auto view = Must(Verify(Evidence(granted_at_)));
  Good(VerifyAgain(*view, world_.Upper(), world_.web1.identity()));
  EXPECT_TRUE(Says(VerifyAgain(*view, world_.Upper(), world_.web2.identity()), "for another machine"));
  SecretView older = *view;
  SecretProof proof = Unpacked(*view);
  proof.version = world_.secret.At(1);
  older.proof = KeptProof(proof, nullptr);
  EXPECT_TRUE(Says(VerifyAgain(older, world_.Upper(), world_.web1.identity()), "label points at"));
  Good(world_.Remove(world_.second));
  EXPECT_TRUE(Says(VerifyAgain(*view, world_.Upper(), world_.web1.identity()), "does not count"));
}

// What a machine with ten thousand secrets need not verify when a list above them has changed.
TEST_F(WrongEvidenceTest, ListsAboveThatAreAsTheyWereForItsSignersNeedNoNewLook) {
  const auto by_owner = Must(Verify(Evidence(granted_at_)));
  Good(world_.AddTo(world_.secret, world_.second, world_.VersionOf(world_.secret)));
  const auto by_both = Must(Verify(Evidence(granted_at_)));
  const EnvironmentList before = world_.environment;
  const UpperLists then{&world_.vault, &before};
  EXPECT_TRUE(StandingChanges(then, world_.Upper()).Stands(by_both->signers)) << "nothing has changed";
  Good(world_.Remove(world_.second));
  ASSERT_NE(before.head(), world_.environment.head());
  StandingChanges changes(then, world_.Upper());
  EXPECT_TRUE(changes.Stands(by_owner->signers));
  Good(VerifyAgain(*by_owner, world_.Upper(), world_.web1.identity()));
  EXPECT_FALSE(changes.Stands(by_both->signers)) << "one of them has left";
  EXPECT_FALSE(StandingChanges(world_.Upper(), then).Stands(by_owner->signers)) << "a list that went back";
}

class WrongAnswerTest : public JudgeTest {
 protected:
  ReadVerdict::Kind KindOf(const api::ReadResponse& answer) { return Must(Judge(answer, Ask())).kind; }
};

TEST_F(WrongAnswerTest, NewerListsAboveAreToBeFetchedFirst) {
  Good(world_.Add(world_.vault, world_.owner, PinsSet{{Hash{}}}));
  EXPECT_EQ(KindOf(Answer()), ReadVerdict::Kind::kNewer);
  now_.vault = std::make_shared<const VaultList>(world_.vault);
  EXPECT_EQ(KindOf(Answer()), ReadVerdict::Kind::kGood);
  Good(world_.Add(world_.environment, world_.owner, Vouch{}));
  EXPECT_EQ(KindOf(Answer()), ReadVerdict::Kind::kNewer);
}

TEST_F(WrongAnswerTest, AnOlderHeadOfTheSecretIsARollbackThoughTheVersionIsGood) {
  auto old = Answer();
  Good(world_.AddTo(world_.secret, world_.owner, Vouch{}));
  const auto before = now_.secrets.at(7);
  now_ = View(Must(Verify(Evidence(before->proof.next_sequence()), before.get())));
  EXPECT_EQ(CodeOf(Judge(old, Ask())), Code::kIntegrity);
  old.secret_head = *world_.secret.head();
  EXPECT_EQ(Must(Judge(old, Ask())).publish.version, 1u);
}

TEST_F(WrongAnswerTest, TheNewVersionIsNotTheOneThatWasNamed) {
  RotateAndLook();
  EXPECT_EQ(CodeOf(Judge(Answer(2), Ask(1))), Code::kIntegrity);
  EXPECT_EQ(CodeOf(Judge(Answer(2), Ask(1, true))), Code::kIntegrity);
  EXPECT_EQ(Must(Judge(Answer(2), Ask(2))).publish.version, 2u);
}

TEST_F(WrongAnswerTest, WhatWasNotGrantedWhenItWasAskedOpensNothing) {
  EXPECT_EQ(CodeOf(JudgeRead(Answer(), Ask(), View(nullptr), now_)), Code::kNotFound);
}

TEST_F(WrongAnswerTest, AVersionThatWasTakenBackHasNoGrace) {
  Good(world_.AddTo(world_.secret, world_.second, world_.VersionOf(world_.secret)));
  now_ = View(Must(Verify(Evidence(granted_at_ + 1), now_.secrets.at(7).get())));
  auto taken_back = Answer(2);
  const auto before = now_.secrets.at(7);
  Good(world_.Remove(world_.second));
  const std::uint64_t bad = world_.secret.head()->sequence;
  Good(world_.AddTo(world_.secret, world_.owner, Void{bad, *world_.secret.HashAt(bad)}));
  now_ = View(Must(Verify(Evidence(bad + 1), before.get())));
  ASSERT_TRUE(Unpacked(*now_.secrets.at(7)).older.contains(2)) << "it was verified once";
  taken_back.environment_head = *world_.environment.head();
  taken_back.secret_head = *world_.secret.head();
  EXPECT_EQ(CodeOf(Judge(taken_back, Ask(2, true))), Code::kIntegrity);
  EXPECT_EQ(Must(Judge(Answer(1), Ask())).publish.version, 1u);
}

}  // namespace
}  // namespace grantfs::testing

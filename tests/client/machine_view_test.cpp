// What a machine makes of the evidence and the answers that a vault shows it.

#include "evidence_test.h"

namespace grantfs::testing {
namespace {

TEST_F(EvidenceTest, IsTakenFromTheLastGrantAndFollowedByNewVersions) {
  const auto first = Must(Verify(Evidence(granted_at_)));
  EXPECT_EQ(first->publish->version, 1u);
  EXPECT_EQ(first->path, "db-password");
  Rotate();
  const auto second = Must(Verify(Evidence(granted_at_ + 1), first.get()));
  EXPECT_EQ(second->publish->version, 2u);
  const auto older = Unpacked(*second).older;
  ASSERT_EQ(older.size(), 1u) << "for opens that come a moment after the rotation";
  EXPECT_EQ(older.begin()->first, 1u);
  EXPECT_EQ(second->proof.head(), world_.secret.head());
}

TEST_F(EvidenceTest, SaysTheSameAgainWithoutStatements) {
  const auto first = Must(Verify(Evidence(granted_at_)));
  const auto again = Must(Verify(Evidence(granted_at_ + 1), first.get()));
  EXPECT_EQ(again->proof.head(), first->proof.head());
  EXPECT_EQ(CodeOf(Verify(Evidence(granted_at_ + 1))), Code::kIntegrity) << "nothing to go on from";
}

TEST_F(EvidenceTest, ALowerHeadIsARollback) {
  const auto old = Evidence(granted_at_);
  Rotate();
  EXPECT_EQ(CodeOf(Verify(old, nullptr, {world_.secret.head(), 0})), Code::kIntegrity);
}

TEST_F(EvidenceTest, AnotherHistoryIsAFork) {
  const auto first = Must(Verify(Evidence(granted_at_)));
  SecretList fork = world_.secret;
  Rotate();
  const auto mark = SecretMark{world_.secret.head(), 0};
  auto version = world_.VersionOf(fork);
  version.size = 99;
  Good(world_.AddTo(fork, world_.second, version));
  world_.secret = fork;
  EXPECT_EQ(CodeOf(Verify(Evidence(granted_at_), nullptr, mark)), Code::kIntegrity);
  // The same where the fork begins with the statement after the one that is remembered.
  Good(world_.AddTo(world_.secret, world_.owner, GrantAdd{world_.GrantTo(world_.web1, 3)}));
  granted_at_ = world_.secret.next_sequence() - 1;
  EXPECT_EQ(CodeOf(Verify(Evidence(granted_at_), nullptr, mark)), Code::kIntegrity);
}

TEST_F(EvidenceTest, AGrantThatWasGoneMustComeBackHigher) {
  const SecretMark gone{world_.secret.head(), world_.secret.head()->sequence + 1};
  EXPECT_EQ(CodeOf(Verify(Evidence(granted_at_), nullptr, gone)), Code::kIntegrity);
  Good(world_.AddTo(world_.secret, world_.owner, GrantRevoke{GranteeKind::kMachine, 3}));
  Good(world_.AddTo(world_.secret, world_.owner, GrantAdd{world_.GrantTo(world_.web1, 3)}));
  granted_at_ = world_.secret.next_sequence() - 1;
  Must(Verify(Evidence(granted_at_), nullptr, gone));
}

TEST_F(EvidenceTest, ARevokedGrantDoesNotProve) {
  const auto before = Evidence(granted_at_);
  Good(world_.AddTo(world_.secret, world_.owner, GrantRevoke{GranteeKind::kMachine, 3}));
  api::GrantEvidence revived = before;
  revived.first = world_.secret.next_sequence() - 1;
  revived.statements = {world_.secret.At(revived.first)->envelope()};
  EXPECT_EQ(CodeOf(Verify(revived)), Code::kIntegrity);
}

TEST_F(EvidenceTest, AnotherNameAnOldVersionAndNoVersionAreRefused) {
  Rotate();
  const auto good = Evidence(granted_at_);
  auto renamed = good;
  renamed.path = "other";
  EXPECT_EQ(CodeOf(Verify(renamed)), Code::kIntegrity);
  auto old = good;
  old.version = world_.secret.At(1)->envelope();
  EXPECT_EQ(CodeOf(Verify(old)), Code::kIntegrity);
  auto withheld = good;
  withheld.version.clear();
  EXPECT_EQ(CodeOf(Verify(withheld)), Code::kIntegrity);
  auto another = good;
  another.secret = 8;
  EXPECT_EQ(CodeOf(Verify(another)), Code::kIntegrity);
  auto garbage = good;
  garbage.statements.back() = "{}";
  EXPECT_EQ(CodeOf(Verify(garbage)), Code::kIntegrity);
}

TEST_F(EvidenceTest, AStatementOfARemovedWriterIsRefused) {
  Good(world_.Remove(world_.second));
  SecretList forged = world_.secret;
  auto statement = world_.NextOf(forged, world_.second, world_.VersionOf(forged));
  const auto made = world_.Sign(statement, world_.second);
  auto evidence = Evidence(granted_at_);
  evidence.statements.push_back(made->envelope());
  evidence.version = made->envelope();
  EXPECT_EQ(CodeOf(Verify(evidence)), Code::kIntegrity);
}

TEST_F(EvidenceTest, ALongViewBeginsAnewWhereTheGrantsWereSetLast) {
  auto view = Must(Verify(Evidence(granted_at_)));
  for (int i = 0; i < 70; ++i) Rotate();
  view = Must(Verify(Evidence(granted_at_ + 1), view.get()));
  EXPECT_EQ(view->proof.first_sequence(), granted_at_) << "there is nothing later to begin with";
  const auto from = world_.secret.next_sequence();
  Good(world_.AddTo(world_.secret, world_.owner, GrantAdd{world_.GrantTo(world_.web2, 4)}));
  view = Must(Verify(Evidence(from), view.get()));
  EXPECT_EQ(view->proof.first_sequence(), from);
  EXPECT_LE(Unpacked(*view).older.size(), 4u);
}

TEST_F(EvidenceTest, IsKeptAndReadBack) {
  const auto first = Must(Verify(Evidence(granted_at_)));
  Rotate();
  const auto view = Must(Verify(Evidence(granted_at_ + 1), first.get()));
  std::vector<SignedList::StatementPtr> statements;
  for (auto i = granted_at_; i < world_.secret.next_sequence(); ++i)
    statements.push_back(world_.secret.At(i));
  MachineView all;
  all.vault = std::make_shared<const VaultList>(world_.vault);
  all.environments["shop/prod"] = std::make_shared<const EnvironmentList>(world_.environment);
  const auto read =
      Must(ViewFromText(ViewToText(*view, Unpacked(*view)), statements, all, world_.web1.identity()));
  EXPECT_EQ(read->publish->version, 2u);
  EXPECT_EQ(read->proof.head(), view->proof.head());
  const auto older = Unpacked(*read).older;
  ASSERT_EQ(older.size(), 1u) << "who opened it just before another process took over may have it";
  EXPECT_EQ(older.at(1)->hash(), first->version);
  // A file that somebody altered is not believed.
  statements.pop_back();
  EXPECT_FALSE(ViewFromText(ViewToText(*view, Unpacked(*view)), statements, all, world_.web1.identity()));
  EXPECT_EQ(CodeOf(ViewFromText(ViewToText(*view, Unpacked(*view)), {}, all, world_.web1.identity())),
            Code::kIntegrity);
}

TEST_F(EvidenceTest, WhatCannotBeEnforcedIsSaid) {
  Grant terms = world_.GrantTo(world_.web1, 3);
  EXPECT_EQ(UnenforceableReason(terms), "");
  terms.conditions = {"moon=full"};
  EXPECT_NE(UnenforceableReason(terms).find("moon=full"), std::string::npos);
  terms = world_.GrantTo(world_.web1, 3);
  terms.lease = terms.offline = 600;
  for (const char* record : {"each", "sync", "aggregate"}) {
    terms.record = record;
    EXPECT_EQ(UnenforceableReason(terms), "") << record;
  }
  terms.record = "twice";
  EXPECT_NE(UnenforceableReason(terms).find("twice"), std::string::npos);
}

TEST_F(JudgeTest, TheLabelsVersionIsGood) {
  EXPECT_EQ(Must(Judge(Answer(), Ask())).publish.version, 1u);
  EXPECT_EQ(Must(Judge(Answer(), Ask(1))).publish.version, 1u);
}

TEST_F(JudgeTest, NewerHeadsAreToBeFetchedFirst) {
  Rotate();
  EXPECT_EQ(Must(Judge(Answer(), Ask())).kind, ReadVerdict::Kind::kNewer);
}

TEST_F(JudgeTest, AnOldVersionUnderTheLabelIsRefused) {
  RotateAndLook();
  EXPECT_EQ(CodeOf(Judge(Answer(1), Ask())), Code::kIntegrity);
  EXPECT_EQ(CodeOf(Judge(Answer(1), Ask(2))), Code::kIntegrity);
  EXPECT_EQ(CodeOf(Judge(Answer(1), Ask(1))), Code::kIntegrity) << "superseded, and no grace was asked for";
  EXPECT_EQ(Must(Judge(Answer(1), Ask(1, true))).publish.version, 1u);
  EXPECT_EQ(CodeOf(Judge(Answer(1), Ask(0, true))), Code::kIntegrity)
      << "grace is for the version that was named";
}

TEST_F(JudgeTest, AnAnswerThatARotationOvertookIsGood) {
  const auto answer = Answer();
  const auto asked = now_;
  RotateAndLook();
  EXPECT_EQ(Must(JudgeRead(answer, Ask(), asked, now_)).publish.version, 1u);
  EXPECT_EQ(CodeOf(JudgeRead(answer, Ask(), now_, now_)), Code::kIntegrity)
      << "asked later, it is a rollback";
}

TEST_F(JudgeTest, ForksAndRollbacksOfTheListsAboveAreRefused) {
  auto fork = Answer();
  fork.environment_head.hash.bytes[0] ^= 1;
  EXPECT_EQ(CodeOf(Judge(fork, Ask())), Code::kIntegrity);
  auto old = Answer();
  old.vault_head = {0, *world_.vault.HashAt(0)};
  EXPECT_EQ(CodeOf(Judge(old, Ask())), Code::kIntegrity);
}

TEST_F(JudgeTest, AnotherSecretOrVersionNumberIsRefused) {
  auto another = Answer();
  another.secret = 8;
  EXPECT_EQ(CodeOf(Judge(another, Ask())), Code::kIntegrity);
  auto lied = Answer();
  lied.version = 2;
  EXPECT_EQ(CodeOf(Judge(lied, Ask())), Code::kIntegrity);
}

TEST_F(JudgeTest, WhatIsRefusedOrGoneOpensNothing) {
  auto refused = std::make_shared<SecretView>(*now_.secrets.at(7));
  refused->problem = "forked";
  const auto answer = Answer();
  EXPECT_EQ(CodeOf(JudgeRead(answer, Ask(), now_, View(refused))), Code::kIntegrity);
  auto trouble = now_;
  trouble.environment_problems["shop/prod"] = "rolled back";
  EXPECT_EQ(CodeOf(JudgeRead(answer, Ask(), now_, trouble)), Code::kIntegrity);
  EXPECT_EQ(CodeOf(JudgeRead(answer, Ask(), now_, View(nullptr))), Code::kNotFound);
}

}  // namespace
}  // namespace grantfs::testing

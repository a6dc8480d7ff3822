// A taken vault, alone or with whoever has stolen a key, when that key is replaced.

#include "hostile_owner_test.h"

namespace grantfs::testing {
namespace {

class HostileRekeyTest : public HostileOwnerTest {
 protected:
  static constexpr std::chrono::milliseconds kNoWait{0};
  HostileRekeyTest() {
    Enter("wim", false, Path("wim"));
    Must(Owner().Approve("wim", ""));
    EXPECT_TRUE(Must(Enrol(Path("wim"), nullptr, kNoWait, {})).approved);
    Must(Owner().AddMember("shop/prod", Must(Owner().FindPerson("wim")), Role::kWriter, "", ""));
    Must(As("wim")->SetSecret(A(), Value("wim's"), {}));
  }
  void Enter(const std::string& name, bool rekey, const std::string& home) {
    const auto line = Must(Owner().Invite({IdentityKind::kUser, name, 60, 0, rekey})).line;
    EXPECT_FALSE(Must(Enrol(home, &line, kNoWait, {})).approved);
  }
  std::unique_ptr<OwnerSession> As(const std::string& name) { return Must(OwnerSession::Open(Path(name))); }
  RekeyResult Rekey() {
    Enter("wim", true, Path("wim-2"));
    auto result = Must(Owner().ApproveRekey("wim", {}));
    EXPECT_TRUE(Must(Enrol(Path("wim-2"), nullptr, kNoWait, {})).approved);
    return result;
  }
};

TEST_F(HostileRekeyTest, WhatTheStolenKeyStillSignsIsUsedByNobody) {
  Forger thief(Path("wim"));
  const SecretList list = thief.Secret(NumberOf("a"), "a");
  VersionPublish version = list.Current()->publish;
  version.version = list.next_version();
  const std::string forged = thief.Forge(list, version);
  EXPECT_TRUE(Rekey().problems.empty());
  EXPECT_EQ(Shown(Must(Again()->GetSecret(A(), kCurrent)).value), "wim's") << "vouched for";
  // The vault puts it in the place of the vouch, for one who comes anew.
  const ListId id = list.id();
  vault_.Lie<api::ListReadRequest, api::ListReadResponse>(
      api::kListsRead, [id, forged](const api::ListReadRequest& asked, api::ListReadResponse& answer) {
        if (asked.list != id) return;
        const auto made = Must(SignedStatement::Parse(forged));
        answer.head = made.head();
        const std::uint64_t at = made.statement().sequence;
        answer.statements.resize(at > asked.from ? at - asked.from : 0);
        if (asked.from <= at) answer.statements.push_back(forged);
      });
  const auto got = As("wim-2")->SetSecret(A(), Value("new"), {});
  EXPECT_EQ(CodeOf(got), Code::kIntegrity);
  EXPECT_NE(Sentence(got).find("does not count"), std::string::npos) << Sentence(got);
  EXPECT_EQ(Shown(Must(Again()->GetSecret(A(), kCurrent)).value), "wim's") << "who saw the vouch keeps to it";
}

TEST_F(HostileRekeyTest, WhoSawTheReplacementIsShownNoListWithoutIt) {
  Rekey();
  Must(Again()->VaultStatus());
  CutLists(ListKind::kVault, 1);
  ExpectRefused(Again()->VaultStatus(), "rollback");
  CutLists(ListKind::kEnvironment, 1);
  ExpectRefused(Again()->SetSecret(A(), Value("x"), {}), "rollback");
}

TEST_F(HostileRekeyTest, AVaultPutsNoKeyOfItsOwnInThePlaceOfThePersons) {
  const auto stranger = NewIdentity("wim");
  const auto line = Must(Owner().Invite({IdentityKind::kUser, "wim", 60, 0, true})).line;
  EXPECT_FALSE(Must(Enrol(Path("wim-2"), &line, kNoWait, {})).approved);
  vault_.SetRewrite([&](const HttpRequest& asked, HttpResponse& answer) {
    if (asked.path != api::kEnrolmentsList.path || answer.status != 200) return;
    auto shown = Must(api::EnrolmentsResponse::FromJson(Must(ParseJson(answer.body))));
    for (Enrolment& one : shown.enrolments) one.identity = stranger.identity();
    answer.body = shown.ToJson().Dump();
  });
  EXPECT_FALSE(Again()->ApproveRekey("wim", {})) << "the invitation has not signed it";
  vault_.SetRewrite(nullptr);
  Must(As("wim")->SetSecret(A(), Value("still his"), {}));
}

}  // namespace
}  // namespace grantfs::testing

// A taken vault lies to an owner, who would seal to the wrong ones or believe what was never written.

#include "hostile_owner_test.h"

#include "grantfs/api/enrolments.h"
#include "grantfs/api/secrets.h"

namespace grantfs::testing {
namespace {

TEST_F(HostileTest, AnInitWhoseAnswerIsLostIsFinishedByTheNext) {
  // The two routes have one path: it is the answer after the first good one to the question that is lost.
  vault_.SetRewrite([this](const HttpRequest& asked, const HttpResponse& answer) {
    if (asked.path == api::kClaimShow.path && asked.method == "GET" && answer.status == 200)
      vault_.LoseNextAnswer(api::kClaimUse);
  });
  const auto line = ClaimLine();
  EXPECT_EQ(CodeOf(InitVault(Path("ann"), line, "ann")), Code::kUnreachable);
  EXPECT_TRUE(Eventually([&] { return vault_.lost(); }));
  vault_.SetRewrite({});
  EXPECT_GT(Must(InitVault(Path("ann"), line, "ann")).recovery_code.size(), 0u);
  EXPECT_TRUE(Must(Must(OwnerSession::Open(Path("ann")))->VaultStatus()).vault_owner);
}

TEST_F(HostileOwnerTest, AWaitThatIsLongerThanTheVaultsIsAskedForInPieces) {
  Machine("web-1");
  std::vector<int> waits;
  vault_.Lie<api::PresenceRequest, api::PresenceResponse>(
      api::kPresence, [&](const api::PresenceRequest& asked, api::PresenceResponse& answer) {
        waits.push_back(asked.wait_ms);
        answer.online = waits.size() < 3;
        answer.acknowledged = 0;
      });
  GrantOptions options;
  options.wait = std::chrono::seconds(25);
  const GrantResult granted = Must(Owner().GrantTo("web-1", {A()}, options));
  EXPECT_EQ(waits, (std::vector<int>{10'000, 10'000, 5'000}));
  EXPECT_EQ(granted.delivery.state, Delivery::State::kOffline);
}

TEST_F(HostileOwnerTest, ARevocationByNameTellsWhatEachMachineOfThatNameHasRead) {
  Machine("web-1");
  Grant("web-1", "b");
  EXPECT_EQ(ReadText(*Mount("web-1"), "b"), "two");
  // One who owns no environment removes it, so that its grant stands on; and it comes back.
  const Identity bob = MakeHome("bob");
  Must(Owner().AddVaultOwner(bob, ""));
  Must(Must(OwnerSession::Open(Path("bob")))->RemoveIdentity("web-1", ""));
  std::filesystem::rename(Path("web-1"), Path("former"));
  Machine("web-1");
  Grant("web-1", "a");
  EXPECT_EQ(ReadText(*Mount("web-1"), "a"), "one");
  const auto revoked = Must(Owner().RevokeAll("web-1", "", std::chrono::milliseconds(0)));
  EXPECT_EQ(revoked.revoked.size(), 2u);
  std::vector<std::string> read;
  for (const ReadReport& report : revoked.read) read.push_back(report.secret.path);
  EXPECT_EQ(read, (std::vector<std::string>{"a", "b"}));
}

TEST_F(HostileOwnerTest, ValuesExchanged) {
  const auto b = Capture<api::ValueRequest, api::ValueResponse>(api::kSecretValue);
  Must(Owner().GetSecret({"shop/prod", "b"}, kCurrent));
  const auto other = *b;
  vault_.Lie<api::ValueRequest, api::ValueResponse>(
      api::kSecretValue, [other](const auto&, api::ValueResponse& answer) { answer = other; });
  ExpectRefused(Owner().GetSecret(A(), kCurrent), "commits to");
  vault_.Lie<api::ValueRequest, api::ValueResponse>(
      api::kSecretValue,
      [other](const auto&, api::ValueResponse& answer) { answer.ciphertext = other.ciphertext; });
  ExpectRefused(Owner().GetSecret(A(), kCurrent), "the ciphertext is not the one");
}

TEST_F(HostileOwnerTest, TheEnvironmentsKeyExchanged) {
  const auto ann = Must(Must(Home::Open(Path("ann"))).LoadIdentity()).identity();
  vault_.Lie<api::EpochCopiesRequest, api::EpochCopiesResponse>(
      api::kEpochCopies, [&](const auto&, api::EpochCopiesResponse& answer) {
        const auto other = Must(UnsealKey::Generate());
        answer.copies.at(0).sealed = Must(Seal(ann.seal, other.private_bytes()));
      });
  ExpectRefused(Again()->GetSecret(A(), kCurrent), "the sealed key is not the one that the epoch's statement names");
}

TEST_F(HostileOwnerTest, ANameLedToAnotherSecret) {
  const std::uint64_t b = NumberOf("b");
  vault_.Lie<api::SecretFindRequest, api::SecretFindResponse>(
      api::kSecretsFind, [b](const auto&, api::SecretFindResponse& answer) { answer.number = b; });
  ExpectRefused(Owner().GetSecret(A(), kCurrent), "another secret under this name");
  ExpectRefused(Owner().SetSecret(A(), Value("x"), {}), "another secret under this name");
}

TEST_F(HostileOwnerTest, ANumberGivenOutTwice) {
  const std::uint64_t b = NumberOf("b");
  vault_.Lie<api::ReserveRequest, api::ReserveResponse>(
      api::kSecretsReserve, [b](const auto&, api::ReserveResponse& answer) { answer.first = b; });
  ExpectRefused(Owner().SetSecret({"shop/prod", "new"}, Value("x"), {}), "the number of another secret");
}

TEST_F(HostileOwnerTest, TwoMembersOfOneName) {
  const Identity one = NewIdentity("dan").identity();
  const Identity other = NewIdentity("dan").identity();
  Must(Owner().AddMember("shop/prod", one, Role::kWriter, "", ""));
  Must(Owner().AddMember("shop/prod", other, Role::kAuditor, "", ""));
  const Status which = Owner().RemoveMember("shop/prod", "dan", "");
  ASSERT_FALSE(which) << "which of them?";
  EXPECT_EQ(which.error().code, Code::kInvalid);
  Good(Owner().RemoveMember("shop/prod", one.Id().Hex(), ""));
  Good(Owner().RemoveMember("shop/prod", "dan", ""));
}

TEST_F(HostileOwnerTest, AMachineSlippedIn) {
  InviteOptions invite;
  invite.name = "web-1";
  Must(Owner().Invite(invite));
  // The vault saw the invitation's id and public keys, not its secret.
  const Hash vault = Must(Home::Open(Path("ann"))).profile().vault;
  Forger ann(Path("ann"));
  Must(ann.keeper().RefreshMachines());
  const auto invitation = ann.keeper().machines().invitations().begin()->second.invitation;
  const auto own = Must(PrivateIdentity::FromSeed(Must(RandomKey()), IdentityKind::kMachine, "web-1"));
  Enrolment enrolment = Must(MakeEnrolment(vault, Must(InviteSecret::Generate()), own));
  enrolment.invitation = invitation.id;
  vault_.SetRewrite([&](const HttpRequest& asked, HttpResponse& answer) {
    if (asked.path != api::kEnrolmentsList.path) return;
    Json sent = enrolment.ToJson();
    answer.body = Json::Object({{"enrolments", Json::Array({sent})}}).Dump();
  });
  const auto pending = Owner().ListPending();
  EXPECT_TRUE(!pending || !pending->at(0).problem.empty());
  EXPECT_FALSE(Owner().Approve("web-1", ""));
  EXPECT_TRUE(Must(Owner().ListIdentities()).size() == 2) << "the owner and recovery";
}

TEST_F(HostileOwnerTest, AnApprovalThatNoOwnerMade) {
  MakeHome("eve");
  Forger ann(Path("ann"));
  Must(ann.keeper().RefreshMachines());
  const auto eve = Must(Must(Home::Open(Path("eve"))).LoadIdentity());
  Statement said = ann.Next(ann.keeper().machines(), Vouch{});
  said.signer = eve.Id();
  const auto forged = Must(SignedStatement::Sign(said, eve.signing_key()));
  ExtendList(ListId::Machines(), forged.envelope());
  ExpectRefused(Again()->ListIdentities(), "does not count");
}

TEST_F(HostileOwnerTest, KeysExchangedBeforeAGrant) {
  Machine("web-1");
  const std::uint64_t b = NumberOf("b");
  auto other = std::make_shared<api::SecretCopiesResponse>();
  vault_.Lie<api::SecretCopiesRequest, api::SecretCopiesResponse>(
      api::kSecretCopies,
      [other, b](const api::SecretCopiesRequest& asked, api::SecretCopiesResponse& answer) {
        if (asked.secret == b) {
          *other = answer;
        } else {
          answer = *other;
        }
      });
  Grant("web-1", "b");
  ExpectRefused(Owner().GrantTo("web-1", {A()}, {}), "commits to");
  vault_.SetRewrite({});
  EXPECT_EQ(Must(Owner().ListGrants("web-1", {})).size(), 1u) << "b alone";
}

TEST_F(HostileOwnerTest, AnAuditRecordAltered) {
  Must(Owner().GetSecret(A(), kCurrent));
  vault_.Lie<api::AuditRecordsRequest, api::AuditRecordsResponse>(
      api::kAuditRecords, [](const auto&, api::AuditRecordsResponse& answer) {
        if (answer.records.size() > 2 && answer.records[2].body) *answer.records[2].body += " ";
      });
  const auto verdict = Must(Owner().VerifyAudit());
  EXPECT_FALSE(verdict.good);
  EXPECT_EQ(verdict.bad, 2u) << verdict.what;
}

TEST_F(HostileOwnerTest, AnAuditLogCutShort) {
  const auto short_one = Capture<api::AuditRecordsRequest, api::AuditRecordsResponse>(api::kAuditRecords);
  EXPECT_TRUE(Must(Owner().VerifyAudit()).good);
  const auto old = *short_one;
  vault_.SetRewrite({});
  Set("a", "rotated");
  EXPECT_TRUE(Must(Owner().VerifyAudit()).good);
  vault_.Lie<api::AuditRecordsRequest, api::AuditRecordsResponse>(
      api::kAuditRecords, [old](const auto&, api::AuditRecordsResponse& answer) { answer = old; });
  EXPECT_FALSE(Must(Owner().VerifyAudit()).good);
}

TEST_F(HostileOwnerTest, ALostAcknowledgementMakesNoSecondVersion) {
  vault_.LoseNextAnswer(api::kListsAppend);
  const auto set = Must(Owner().SetSecret(A(), Value("rotated"), {}));
  EXPECT_TRUE(vault_.lost());
  EXPECT_EQ(set.version, 2u);
  EXPECT_EQ(Must(Owner().SecretHistory(A())).size(), 2u);
  EXPECT_EQ(Shown(Must(Owner().GetSecret(A(), kCurrent)).value), "rotated");
  vault_.LoseNextAnswer(api::kListsAppend);
  EXPECT_TRUE(Must(Owner().SetSecret({"shop/prod", "new"}, Value("x"), {})).created);
  EXPECT_EQ(Must(Owner().ListSecrets("shop/prod", "")).size(), 3u);
}

}  // namespace
}  // namespace grantfs::testing

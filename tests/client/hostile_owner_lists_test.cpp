// A taken vault shows an owner lists that are older than what he has seen, forked, cut short or grown by one
// who was removed.

#include "hostile_owner_test.h"

namespace grantfs::testing {
namespace {

using HostileOwnerListsTest = HostileOwnerTest;

TEST_F(HostileOwnerListsTest, ListsRolledBack) {
  Must(Owner().AddMember("shop/prod", MakeHome("eve"), Role::kWriter, "", ""));
  Machine("web-1");
  CutLists(ListKind::kVault, 1);
  ExpectRefused(Again()->VaultStatus(), "rollback");
  CutLists(ListKind::kEnvironment, 1);
  ExpectRefused(Again()->GetSecret(A(), kCurrent), "rollback");
  ExpectRefused(Again()->SetSecret(A(), Value("x"), {}), "rollback");
  CutLists(ListKind::kMachines, 1);
  ExpectRefused(Again()->ListIdentities(), "rollback");
  ExpectRefused(Again()->GrantTo("web-1", {A()}, {}), "rollback");
}

TEST_F(HostileOwnerListsTest, ASecretsListRolledBack) {
  Set("a", "rotated");
  vault_.SetRewrite([](const HttpRequest& asked, HttpResponse& answer) {
    if (answer.status != 200) return;
    if (asked.path == api::kSecretsFind.path) {
      auto found = Must(api::SecretFindResponse::FromJson(Must(ParseJson(answer.body))));
      found.head.sequence -= 1;
      answer.body = found.ToJson().Dump();
    }
    if (asked.path != api::kListsRead.path) return;
    auto read = Must(api::ListReadResponse::FromJson(Must(ParseJson(answer.body))));
    if (read.list.kind != ListKind::kSecret) return;
    read.head->sequence -= 1;
    read.statements.clear();
    answer.body = read.ToJson().Dump();
  });
  ExpectRefused(Again()->GetSecret(A(), kCurrent), "rollback");
  ExpectRefused(Again()->SetSecret(A(), Value("x"), {}), "rollback");
}

TEST_F(HostileOwnerListsTest, AHeadThatIsNotShown) {
  vault_.Lie<api::ListReadRequest, api::ListReadResponse>(
      api::kListsRead, [](const auto&, api::ListReadResponse& answer) { answer.head->sequence += 1; });
  ExpectRefused(Again()->VaultStatus(), "does not show it");
}

TEST_F(HostileOwnerListsTest, AHeadThatIsNotTheLastStatement) {
  Forger ann(Path("ann"));
  const std::string next = ann.Forge(ann.keeper().vault(), PinsSet{{vault_.server().pin()}});
  vault_.Lie<api::ListReadRequest, api::ListReadResponse>(
      api::kListsRead, [&](const api::ListReadRequest& asked, api::ListReadResponse& answer) {
        if (asked.list.kind != ListKind::kVault) return;
        answer.statements = {next};
        answer.head = Must(SignedStatement::Parse(next)).head();
        answer.head->hash.bytes[0] ^= 1;
      });
  ExpectRefused(Again()->VaultStatus(), "fork");
}

TEST_F(HostileOwnerListsTest, AListWithoutEnd) {
  const auto stranger = NewIdentity("mallory");
  Forger ann(Path("ann"));
  Statement said = ann.Next(*ann.Upper().environment, Vouch{});
  said.signer = stranger.Id();
  int asked_for = 0;
  vault_.Lie<api::ListReadRequest, api::ListReadResponse>(
      api::kListsRead, [&](const api::ListReadRequest& asked, api::ListReadResponse& answer) {
        if (asked.list.kind != ListKind::kEnvironment || ++asked_for > 1000) return;
        said.sequence = asked.from;
        const auto made = Must(SignedStatement::Sign(said, stranger.signing_key()));
        said.previous = made.hash();
        answer.head = Head{1'000'000, made.hash()};
        answer.statements = {made.envelope()};
      });
  ExpectRefused(Again()->GetSecret(A(), kCurrent), "goes on and on");
  EXPECT_LT(asked_for, 100);
}

TEST_F(HostileOwnerListsTest, AForkOfTheVaultsList) {
  // Two statements that the owner signed for one place: one was refused with a conflict, and kept.
  Forger ann(Path("ann"));
  VaultList fork = ann.keeper().vault();
  Must(Owner().CreateEnvironment("shop/later", ""));
  for (int i = 0; i < 2; ++i) {
    Good(fork.Append(ann.Sign(ann.Next(fork, PinsSet{{vault_.server().pin()}})), {}));
  }
  vault_.Lie<api::ListReadRequest, api::ListReadResponse>(
      api::kListsRead, [&](const api::ListReadRequest& asked, api::ListReadResponse& answer) {
        if (asked.list.kind != ListKind::kVault) return;
        answer.head = fork.head();
        answer.statements.clear();
        for (auto i = asked.from; i < fork.next_sequence(); ++i)
          answer.statements.push_back(fork.At(i)->envelope());
      });
  EXPECT_EQ(CodeOf(Again()->VaultStatus()), Code::kIntegrity);
}

TEST_F(HostileOwnerListsTest, StatementsOfARemovedOwner) {
  std::optional<Forger> bob;
  AddAndRemoveBob([&] { bob.emplace(Path("bob")); });
  const std::uint64_t number = NumberOf("a");
  SecretList list = Forger(Path("ann")).Secret(number, "a");
  VersionPublish version;
  version.environment = "shop/prod";
  version.path = "a";
  version.version = list.next_version();
  version.epoch = 1;
  const auto forged = bob->Forge(list, version);
  vault_.SetRewrite([forged](const HttpRequest& asked, HttpResponse& answer) {
    if (answer.status != 200) return;
    const Head head = Must(SignedStatement::Parse(forged)).head();
    if (asked.path == api::kSecretsFind.path) {
      auto found = Must(api::SecretFindResponse::FromJson(Must(ParseJson(answer.body))));
      found.head = head;
      answer.body = found.ToJson().Dump();
    }
    if (asked.path != api::kListsRead.path) return;
    auto read = Must(api::ListReadResponse::FromJson(Must(ParseJson(answer.body))));
    if (read.list.kind != ListKind::kSecret) return;
    read.head = head;
    read.statements.push_back(forged);
    answer.body = read.ToJson().Dump();
  });
  ExpectRefused(Again()->GetSecret(A(), kCurrent), "does not count");
  ExpectRefused(Again()->SetSecret(A(), Value("x"), {}), "does not count");
  vault_.SetRewrite({});
  EXPECT_EQ(Shown(Must(Again()->GetSecret(A(), kCurrent)).value), "one");
}

TEST_F(HostileOwnerListsTest, AnHonestListNeedsNoMending) {
  // A removal that was vouched for leaves nothing to void or vouch for.
  std::optional<Forger> bob;
  AddAndRemoveBob([&] { bob.emplace(Path("bob")); });
  const auto tail = ListId::Secret(NumberOf("a"));
  EXPECT_EQ(CodeOf(Owner().VoidTail(tail, "")), Code::kNotFound) << "nothing to mend in an honest vault";
  EXPECT_EQ(CodeOf(Owner().VouchFor(tail, "")), Code::kNotFound);
}

}  // namespace
}  // namespace grantfs::testing

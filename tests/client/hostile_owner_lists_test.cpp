// A taken vault shows an owner lists that are older than what he has seen, forked, cut short or grown by one
// who was removed.

#include "grantfs/api/audit.h"
#include "grantfs/api/freezes.h"
#include "grantfs/api/secrets.h"
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

TEST_F(HostileOwnerListsTest, ALogThatHasAlwaysALittleMoreAndNothingInIt) {
  int asked_for = 0;
  vault_.Lie<api::AuditSearchRequest, api::AuditSearchResponse>(
      api::kAuditSearch, [&](const api::AuditSearchRequest& asked, api::AuditSearchResponse& answer) {
        if (++asked_for > 1000) return;
        answer.records.clear();
        answer.next = asked.from.value_or(0) + 1;
      });
  EXPECT_TRUE(Must(Owner().AuditPurges()).empty());
  EXPECT_LT(asked_for, 100);
}

TEST_F(HostileOwnerListsTest, FreezesWithoutEnd) {
  int asked_for = 0;
  vault_.Lie<api::FreezesListRequest, api::FreezesListResponse>(
      api::kFreezesList, [&](const api::FreezesListRequest&, api::FreezesListResponse& answer) {
        if (++asked_for > 3000) return;
        answer.freezes.clear();
        answer.next = FrozenObject{FrozenKind::kEnvironment, "shop/" + std::to_string(1'000'000 + asked_for)};
      });
  ExpectRefused(Owner().ListFreezes(), "without end");
  EXPECT_LT(asked_for, 2000);
}

// eve has left, and had the group's key; the vault shows that she left, and not the key that came with it.
TEST_F(HostileOwnerListsTest, NothingIsSealedToAGroupWhoseKeyIsOlderThanTheEnvironments) {
  Machine("web-1");
  Must(Owner().CreateGroup("shop/prod", "web", {"web-1"}, {"", std::chrono::milliseconds(0)}));
  Grant("@web", "a");
  Must(Owner().AddMember("shop/prod", MakeHome("eve"), Role::kOwner, "", ""));
  Must(Owner().AddMember("shop/prod", MakeHome("bob"), Role::kOwner, "", ""));
  Good(Owner().RemoveMember("shop/prod", "eve", ""));
  int sealed = 0;
  vault_.SetRewrite([&](const HttpRequest& asked, HttpResponse& answer) {
    if (asked.path == api::kStageCiphertext.path || asked.path == api::kStageCopies.path) ++sealed;
    if (asked.path != api::kListsRead.path || answer.status != 200) return;
    auto read = Must(api::ListReadResponse::FromJson(Must(ParseJson(answer.body))));
    if (read.list.kind != ListKind::kEnvironment || read.statements.empty()) return;
    const Statement last = Must(SignedStatement::Parse(read.statements.back())).statement();
    read.statements.pop_back();
    read.head = Head{last.sequence - 1, last.previous};
    answer.body = read.ToJson().Dump();
  });
  const auto bob = Must(OwnerSession::Open(Path("bob")));
  GrantOptions quick;
  quick.wait = std::chrono::milliseconds(0);
  EXPECT_EQ(CodeOf(bob->SetSecret(A(), Value("x"), {})), Code::kConflict);
  EXPECT_EQ(CodeOf(bob->GrantTo("@web", {{"shop/prod", "b"}}, quick)), Code::kConflict);
  EXPECT_EQ(CodeOf(bob->GrantPrefix("@web", "shop/prod", "", quick)), Code::kConflict);
  EXPECT_EQ(sealed, 0);
  vault_.SetRewrite({});
  Must(bob->SetSecret(A(), Value("x"), {}));
  EXPECT_EQ(ReadText(*Mount("web-1"), "a"), "x");
}

// bob owns the environment and the vault helps him: it takes an invitation into the group that nobody issued,
// of a key that is his.
TEST_F(HostileOwnerListsTest, AKeyThatAnOwnerLeavesBehindInAGroup) {
  Machine("web-1");
  Must(Owner().CreateGroup("shop/prod", "web", {"web-1"}, {"", std::chrono::milliseconds(0)}));
  Must(Owner().AddMember("shop/prod", MakeHome("bob"), Role::kOwner, "", ""));
  const auto own = Must(InviteSecret::Generate());
  {
    Forger bob(Path("bob"));
    const std::uint64_t number = bob.Upper().environment->groups().FindByName("web")->number;
    const GroupList group = Must(bob.keeper().RefreshGroup("shop/prod", number));
    vault_.LetIn({bob.Forge(group, GroupInvitationAdd{9, own.id(), own.unseal_key().seal_key(), 0, 1, {}})});
  }
  int invitations = 0, machines = 0;
  vault_.SetRewrite([&](const HttpRequest& asked, const HttpResponse&) {
    if (asked.path != api::kStageGroup.path) return;
    for (const GroupCopy& copy : Must(api::StageGroupRequest::FromJson(Must(ParseJson(asked.body)))).copies) {
      invitations += copy.recipient.kind == RecipientKind::kInvitation ? 1 : 0;
      machines += copy.recipient.kind == RecipientKind::kMachine ? 1 : 0;
    }
  });
  Good(Owner().RemoveMember("shop/prod", "bob", ""));
  EXPECT_EQ(machines, 1);
  EXPECT_EQ(invitations, 0) << "nor is the next key sealed to what he left";
  const auto owed = Must(Owner().VaultStatus()).owed;
  ASSERT_EQ(owed.size(), 1u);
  EXPECT_NE(owed[0].find("grantfs invitation withdraw " + own.id()), std::string::npos) << owed[0];
  Must(Owner().WithdrawInvitations(own.id(), ""));
  EXPECT_TRUE(Must(Owner().VaultStatus()).owed.empty());
  vault_.SetRewrite({});
}

TEST_F(HostileOwnerListsTest, AGroupsListFromBeforeItsNewestKey) {
  Machine("web-1");
  Machine("web-2");
  const GroupOptions quick{"", std::chrono::milliseconds(0)};
  Must(Owner().CreateGroup("shop/prod", "web", {"web-1", "web-2"}, quick));
  Must(Owner().RemoveFromGroup("shop/prod", "web", {"web-2"}, quick));
  Must(Owner().AddMember("shop/prod", MakeHome("bob"), Role::kOwner, "", ""));
  const auto bob = Must(OwnerSession::Open(Path("bob")));
  CutLists(ListKind::kGroup, 1);
  ExpectRefused(bob->ListGroups("shop/prod", "web"), "newest key");
  vault_.SetRewrite({});
  EXPECT_EQ(Must(bob->ListGroups("shop/prod", "web"))[0].machines, std::vector<std::string>{"web-1"});
}

TEST_F(HostileOwnerListsTest, NoListOfMachinesWhereABackupIsAccepted) {
  Must(Owner().AcceptBackup({.anyway = true}));
  vault_.Lie<api::ListReadRequest, api::ListReadResponse>(
      api::kListsRead, [](const api::ListReadRequest& asked, api::ListReadResponse& answer) {
        if (asked.list.kind != ListKind::kMachines) return;
        answer.head.reset();
        answer.statements.clear();
      });
  ExpectRefused(Again()->AcceptBackup({.anyway = true}), "its list of machines");
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
  EXPECT_EQ(CodeOf(Owner().MendList(tail, Voids(""))), Code::kNotFound)
      << "nothing to mend in an honest vault";
  EXPECT_EQ(CodeOf(Owner().MendList(tail, Vouches(""))), Code::kNotFound);
}

}  // namespace
}  // namespace grantfs::testing

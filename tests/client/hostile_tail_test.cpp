// Statements that do not count stand in a list that a vault really serves: what its owner says of them, and
// what machines read before and after.

#include "grantfs/crypto/aead.h"
#include "hostile_test.h"

namespace grantfs::testing {
namespace {

class HostileTailTest : public HostileTest {
 protected:
  HostileTailTest() {
    Set("a", "one");
    Set("b", "two");
    Machine("web-1");
    Grant("web-1", "a");
    Grant("web-1", "b");
  }
  SecretName A() const { return {"shop/prod", "a"}; }
  ListId ListOfA() { return ListId::Secret(NumberOf("a")); }
  std::unique_ptr<OwnerSession> Again() { return Must(OwnerSession::Open(Path("ann"))); }
  std::string OwnersValue() { return Shown(Must(Again()->GetSecret(A(), {})).value); }
  /// dan writes, and is let go by a vault that asks nobody to vouch for what he wrote.
  void WriteAndLose(std::string_view value) {
    const Identity dan = MakeHome("dan");
    Must(Owner().AddMember("shop/prod", dan, Role::kWriter, "", ""));
    Must(Must(OwnerSession::Open(Path("dan")))->SetSecret(A(), Value(value), {}));
    Forger ann(Path("ann"));
    vault_.LetIn({ann.Forge(*ann.Upper().environment, MemberRemove{dan.Id(), {}})});
  }
  void ExpectOwnerRefuses() {
    const auto got = Again()->GetSecret(A(), {});
    EXPECT_EQ(CodeOf(got), Code::kIntegrity);
    EXPECT_NE(Sentence(got).find("does not count"), std::string::npos) << Sentence(got);
    EXPECT_EQ(CodeOf(Again()->SetSecret(A(), Value("x"), {})), Code::kIntegrity);
  }
  static void ExpectMachineRefuses(MachineSession& session) {
    EXPECT_TRUE(Eventually([&] {
      const auto read = Read(session, "a");
      return !read && read.error().code == Code::kIntegrity;
    }));
    EXPECT_EQ(ReadText(session, "b"), "two") << "no other secret suffers";
  }
  static void ExpectMachineReads(MachineSession& session, const std::string& value) {
    std::string seen;
    EXPECT_TRUE(Eventually([&] {
      const auto read = Read(session, "a");
      seen = read ? Shown(read->value) : Describe(read.error());
      return seen == value;
    })) << seen;
  }
  /// After the list was mended: all goes on, for who saw the tail and for who comes anew.
  void ExpectGoesOn(MachineSession& session, std::uint32_t next_version) {
    EXPECT_EQ(CodeOf(Again()->MendList(ListOfA(), Voids(""))), Code::kNotFound)
        << "there is nothing left to mend";
    EXPECT_EQ(Must(Owner().SetSecret(A(), Value("after"), {})).version, next_version);
    EXPECT_EQ(OwnersValue(), "after");
    ExpectMachineReads(session, "after");
    ExpectMachineReads(*Mount("web-1"), "after");
    Machine("web-2");
    Grant("web-2", "a");
    ExpectMachineReads(*Mount("web-2"), "after");
    EXPECT_EQ(ReadText(*Mount("web-1"), "b"), "two");
  }
};

TEST_F(HostileTailTest, WhatARemovedOwnerForgedIsVoided) {
  std::optional<Forger> bob;
  AddAndRemoveBob([&] { bob.emplace(Path("bob")); });
  const auto session = Mount("web-1");
  Forger ann(Path("ann"));
  SecretList list = ann.Secret(NumberOf("a"), "a");
  VersionPublish version;
  version.environment = "shop/prod";
  version.path = "a";
  version.version = list.next_version();
  version.epoch = 1;
  version.size = 8;
  version.ciphertext = Blake2b256({Bytes(version.size + kAeadOverhead)});
  // He had the right at the heads that he names here, and never had it at those of the second.
  const std::string backdated = bob->Forge(list, version);
  Good(list.Receive(std::make_shared<const SignedStatement>(Must(SignedStatement::Parse(backdated))),
                    ann.Upper()));
  Statement said = ann.Next(list, Vouch{});
  said.signer = bob->me().Id();
  said.state = Must(list.StateAfter(said.act, ann.Upper()));
  const std::string late = bob->Sign(said)->envelope();
  vault_.LetIn({backdated, late});
  ExpectOwnerRefuses();
  ExpectMachineRefuses(*session);
  EXPECT_FALSE(Owner().MendList(ListOfA(), Vouches(""))) << "nobody vouches for what never could stand";
  ExpectOwnerRefuses();
  EXPECT_EQ(Must(Owner().MendList(ListOfA(), Voids("forged"))).size(), 2u);
  EXPECT_EQ(OwnersValue(), "one");
  ExpectMachineReads(*session, "one");
  ExpectGoesOn(*session, 3);
}

TEST_F(HostileTailTest, WhatALostWriterWroteIsVouchedFor) {
  const auto session = Mount("web-1");
  WriteAndLose("dan's");
  ExpectOwnerRefuses();
  ExpectMachineRefuses(*session);
  const auto tail = Must(Owner().MendList(ListOfA(), {}));
  ASSERT_EQ(tail.size(), 1u);
  EXPECT_EQ(tail[0].where + ": " + tail[0].what + " by " + tail[0].by, "shop/prod/a: version 2 by dan");
  MendOptions unsure = Vouches("");
  std::size_t shown = 0;
  unsure.confirm = [&](const std::vector<LostStatement>& asked) {
    shown = asked.size();
    return Error{Code::kCancelled, "no"};
  };
  EXPECT_EQ(CodeOf(Owner().MendList(ListOfA(), unsure)), Code::kCancelled);
  EXPECT_EQ(shown, 1u);
  ExpectOwnerRefuses();  // who looks, or says no, signs nothing
  EXPECT_EQ(Must(Owner().MendList(ListOfA(), Vouches("he meant well"))).size(), 1u);
  EXPECT_EQ(OwnersValue(), "dan's");
  ExpectMachineReads(*session, "dan's");
  ExpectGoesOn(*session, 3);
}

TEST_F(HostileTailTest, NobodyVouchesForAGrantToAKeyThatTheMachineDoesNotHave) {
  std::optional<Forger> bob;
  std::optional<SecretList> list;
  AddAndRemoveBob([&] {
    bob.emplace(Path("bob"));
    list.emplace(bob->Secret(NumberOf("a"), "a"));
  });
  std::optional<GrantAdd> planted;
  for (const auto& statement : list->Statements())
    if (const auto* grant = std::get_if<GrantAdd>(&statement->statement().act)) planted = *grant;
  ASSERT_TRUE(planted);
  planted->grant.grantee.seal = NewIdentity("mallory").identity().seal;
  vault_.LetIn({bob->Forge(*list, *planted)});
  const auto tail = Must(Owner().MendList(ListOfA(), {}));
  ASSERT_EQ(tail.size(), 1u);
  EXPECT_EQ(tail[0].what, "granted to web-1") << "so it looks";
  EXPECT_EQ(CodeOf(Owner().MendList(ListOfA(), Vouches("he meant well"))), Code::kDenied);
  EXPECT_EQ(Must(Owner().MendList(ListOfA(), Voids("planted"))).size(), 1u);
  EXPECT_EQ(OwnersValue(), "one");
}

TEST_F(HostileTailTest, WhatALostWriterWroteIsVoided) {
  const auto session = Mount("web-1");
  WriteAndLose("dan's");
  ExpectMachineRefuses(*session);
  EXPECT_EQ(Must(Owner().MendList(ListOfA(), Voids("he did not"))).size(), 1u);
  EXPECT_EQ(OwnersValue(), "one");
  ExpectMachineReads(*session, "one");
  ExpectGoesOn(*session, 3);
}

TEST_F(HostileTailTest, WhatALostWriterWroteIsJudgedAnewInEverySecretOfTheEnvironment) {
  const auto session = Mount("web-1");
  const Identity dan = MakeHome("dan");
  Must(Owner().AddMember("shop/prod", dan, Role::kWriter, "", ""));
  for (const char* path : {"a", "b"})
    Must(Must(OwnerSession::Open(Path("dan")))->SetSecret({"shop/prod", path}, Value("dan's"), {}));
  ASSERT_TRUE(Eventually([&] { return Lists(*session, "a", 2) && Lists(*session, "b", 2); }));
  Forger ann(Path("ann"));
  vault_.LetIn({ann.Forge(*ann.Upper().environment, MemberRemove{dan.Id(), {}})});
  // It hears of it by reading the one; nothing is said of the other.
  EXPECT_TRUE(Eventually([&] {
    const auto read = Read(*session, "b");
    return !read && read.error().code == Code::kIntegrity;
  }));
  EXPECT_EQ(CodeOf(Read(*session, "a")), Code::kIntegrity);
}

TEST_F(HostileTailTest, AMachinesViewThatBeganAtAVoidedGrant) {
  const Identity bob = MakeHome("bob");
  Must(Owner().AddMember("shop/prod", bob, Role::kOwner, "", ""));
  Must(Owner().AddVaultOwner(bob, ""));
  GrantOptions again;
  again.wait = std::chrono::milliseconds(0);
  again.terms.mode = 0440;
  Must(Must(OwnerSession::Open(Path("bob")))->GrantTo("web-1", {A()}, again));
  const auto read = [&] {
    MachineOptions once;
    once.watch = false;
    const auto session = Must(MachineSession::Start(Path("web-1"), std::move(once)));
    const auto value = Read(*session, "a");
    return value ? Shown(value->value) : Describe(value.error());
  };
  EXPECT_EQ(read(), "one");
  Forger ann(Path("ann"));
  const EnvironmentList& environment = *ann.Upper().environment;
  const auto any = Must(UnsealKey::Generate());
  const NewEpoch epoch = Must(MakeEpoch({ann.me().identity()}, &environment.newest_epoch(), &any));
  vault_.LetIn({ann.Forge(environment, MemberRemove{bob.Id(), epoch.epoch})});
  EXPECT_EQ(Must(Owner().MendList(ListOfA(), Voids(""))).size(), 1u);
  EXPECT_EQ(read(), "one") << "by the grant before it";
  const auto known =
      Must(KnownStore::Open(Must(Home::Open(Path("web-1"))).KnownPath(), KnownStore::Missing::kRefuse));
  EXPECT_EQ(Must(known->FindGranted(NumberOf("a"))).value().first, 2u) << "from the grant that stands";
  EXPECT_EQ(read(), "one");
  EXPECT_EQ(ReadText(*Mount("web-1"), "a"), "one");
}

}  // namespace
}  // namespace grantfs::testing

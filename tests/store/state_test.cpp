#include <gmock/gmock.h>

#include "grantfs/trust/names.h"
#include "store_fixture_internal.h"

namespace grantfs {
namespace {

using ::testing::ElementsAre;

class StateTest : public StoreTest {
 protected:
  void SetUp() override {
    StoreTest::SetUp();
    Open();
  }
  static StoredStatement Statement(const std::string& list, std::uint64_t sequence, std::uint8_t hash,
                                   std::string envelope = "{}") {
    return {list, {sequence, TestHash(hash)}, TestHash(0xAA), std::move(envelope)};
  }
};

TEST_F(StateTest, AnEmptyVaultHasNothing) {
  auto reader = Reader();
  EXPECT_FALSE(Get(reader->Server()));
  EXPECT_FALSE(Get(reader->VaultId()));
  EXPECT_FALSE(Get(reader->Claim()));
  EXPECT_FALSE(Get(reader->FindHead("vault")));
  EXPECT_FALSE(Get(reader->LatestCheckpoint()));
  EXPECT_EQ(Get(reader->AuditSize()), 0U);
  EXPECT_EQ(Get(reader->NextSecretNumber()), 1U);
  EXPECT_EQ(Get(reader->CurrentChange()), 0U);
  EXPECT_EQ(Get(reader->CountSecrets()), 0U);
}

TEST_F(StateTest, TheServersKeysComeBackAfterARestart) {
  Must([](StoreWriter& out) { return out.PutServer(TestServer()); });
  Reopen();
  const auto server = Get(Reader()->Server());
  ASSERT_TRUE(server);
  EXPECT_EQ(server->name, "vault.lan");
  EXPECT_EQ(server->tls_certificate, "certificate");
  EXPECT_TRUE(server->tls_key.Equals(TestSecret(100, 0x6B)));
  EXPECT_TRUE(server->log_seed.Equals(TestSecret(32, 7)));
  EXPECT_EQ(server->log_origin, kTestOrigin);
}

TEST_F(StateTest, AFreezeComesBackAfterARestart) {
  const FrozenObject machine{FrozenKind::kMachine, TestHash(5).Hex()};
  const FrozenObject environment{FrozenKind::kEnvironment, "shop/prod"};
  Must([&](StoreWriter& out) -> Status {
    GRANTFS_CHECK(out.PutFreeze({environment, TestHash(9), "ann", 1700000000, "a leak"}));
    return out.PutFreeze({machine, TestHash(9), "ann", 1700000001, ""});
  });
  EXPECT_EQ(Write([&](StoreWriter& out) {
              return out.PutFreeze({machine, TestHash(8), "bob", 1, ""});
            })
                .error()
                .code,
            Code::kConflict)
      << "who was first stands there";
  Reopen();
  auto reader = Reader();
  const auto found = Get(reader->FindFreeze(environment));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->signer, TestHash(9));
  EXPECT_EQ(found->name, "ann");
  EXPECT_EQ(found->time, 1700000000);
  EXPECT_EQ(found->reason, "a leak");
  const Hash id = TestHash(5), other = TestHash(6);
  EXPECT_EQ(Get(reader->FreezeOf(&id, "shop/prod"))->object, machine) << "its own goes first";
  EXPECT_EQ(Get(reader->FreezeOf(&id, "shop/test"))->object, machine);
  EXPECT_EQ(Get(reader->FreezeOf(&other, "shop/prod"))->object, environment);
  EXPECT_EQ(Get(reader->FreezeOf(nullptr, "shop/prod"))->object, environment);
  EXPECT_FALSE(Get(reader->FreezeOf(&other, "shop/test")));
  EXPECT_FALSE(Get(reader->FreezeOf(nullptr, TestHash(5).Hex()))) << "a kind for a kind";
  ASSERT_EQ(Get(reader->ListFreezes(nullptr, 10)).size(), 2U);
  EXPECT_EQ(Get(reader->ListFreezes(nullptr, 1))[0].object, machine);
  EXPECT_EQ(Get(reader->ListFreezes(&machine, 10))[0].object, environment);
  Must([&](StoreWriter& out) { return out.RemoveFreeze(environment); });
  EXPECT_EQ(Write([&](StoreWriter& out) { return out.RemoveFreeze(environment); }).error().code,
            Code::kNotFound);
  EXPECT_FALSE(Get(Reader()->FindFreeze(environment)));
}

TEST_F(StateTest, AClaimIsUsedOnce) {
  const StoredClaim claim{"abcd", {TestHash(1).bytes}, {TestHash(2).bytes}};
  Must([&](StoreWriter& out) { return out.PutClaim(claim); });
  const auto found = Get(Reader()->Claim());
  ASSERT_TRUE(found);
  EXPECT_EQ(found->id, "abcd");
  EXPECT_EQ(found->verify, claim.verify);
  EXPECT_EQ(found->seal, claim.seal);
  Must([](StoreWriter& out) { return out.RemoveClaim(); });
  EXPECT_EQ(Write([](StoreWriter& out) { return out.RemoveClaim(); }).error().code, Code::kNotFound);
  EXPECT_FALSE(Get(Reader()->Claim()));
}

TEST_F(StateTest, AVaultKeepsItsId) {
  Must([](StoreWriter& out) { return out.SetVaultId(TestHash(1)); });
  Must([](StoreWriter& out) { return out.SetVaultId(TestHash(1)); });
  EXPECT_EQ(Write([](StoreWriter& out) { return out.SetVaultId(TestHash(2)); }).error().code,
            Code::kConflict);
  EXPECT_EQ(Get(Reader()->VaultId()), TestHash(1));
}

TEST_F(StateTest, NumbersAreNeverHandedOutTwice) {
  std::uint64_t first = 0;
  const auto reserve = [&](std::uint32_t count) {
    return [&first, count](StoreWriter& out) -> Status {
      first = GRANTFS_TRY(out.ReserveSecretNumbers(count));
      return {};
    };
  };
  Must(reserve(10));
  EXPECT_EQ(first, 1U);
  Must(reserve(1000));
  EXPECT_EQ(first, 11U);
  Reopen();
  Must(reserve(1));
  EXPECT_EQ(first, 1011U);
  EXPECT_EQ(Write(reserve(0)).error().code, Code::kInvalid);
  EXPECT_EQ(Write(reserve(1001)).error().code, Code::kInvalid);
}

TEST_F(StateTest, TheLastNumberIsTheLast) {
  store_.reset();
  {
    Database database = Get(Database::Open(DatabasePath()));
    ASSERT_TRUE(database.Run("UPDATE counters SET value = ?1 WHERE name = 'secret'",
                             static_cast<std::int64_t>(kMaxSecretNumber)));
  }
  Open();
  const auto one = [](StoreWriter& out) -> Status {
    GRANTFS_TRY(out.ReserveSecretNumbers(1));
    return {};
  };
  Must(one);
  EXPECT_EQ(Write(one).error().code, Code::kNoSpace);
}

TEST_F(StateTest, ChangesAreCounted) {
  std::uint64_t change = 0;
  for (std::uint64_t i = 1; i <= 3; ++i) {
    Must([&](StoreWriter& out) -> Status {
      change = GRANTFS_TRY(out.NextChange());
      return {};
    });
    EXPECT_EQ(change, i);
  }
  EXPECT_EQ(Get(Reader()->CurrentChange()), 3U);
}

TEST_F(StateTest, StatementsAppendOnlyToTheHead) {
  Must([](StoreWriter& out) { return out.AppendStatement(Statement("vault", 0, 1), Hash{}); });
  const auto append = [&](std::uint64_t sequence, std::uint8_t hash, const Hash& previous) {
    return Write(
        [=](StoreWriter& out) { return out.AppendStatement(Statement("vault", sequence, hash), previous); });
  };
  EXPECT_EQ(append(0, 2, Hash{}).error().code, Code::kConflict) << "begun already";
  EXPECT_EQ(append(2, 2, TestHash(1)).error().code, Code::kConflict) << "a gap";
  EXPECT_EQ(append(1, 2, TestHash(9)).error().code, Code::kConflict) << "another previous";
  EXPECT_EQ(append(1, 1, TestHash(1)).error().code, Code::kConflict) << "there already";
  EXPECT_TRUE(append(1, 2, TestHash(1)));
  EXPECT_EQ(Get(Reader()->FindHead("vault")), (Head{1, TestHash(2)}));
  EXPECT_EQ(
      Write([](StoreWriter& out) { return out.AppendStatement(Statement("machines", 0, 3), TestHash(9)); })
          .error()
          .code,
      Code::kConflict)
      << "a list begins with nothing before it";
}

TEST_F(StateTest, ARestoreAloneLeavesSequencesOut) {
  const auto restore = [&](std::uint64_t sequence, std::uint8_t hash, const Hash& previous) {
    return Write(
        [=](StoreWriter& out) { return out.AppendRestore(Statement("vault", sequence, hash), previous); });
  };
  EXPECT_EQ(restore(0, 1, Hash{}).error().code, Code::kConflict) << "no list begins with one";
  EXPECT_EQ(restore(1000, 1, Hash{}).error().code, Code::kConflict) << "nor is there a list to go on from";
  Must([](StoreWriter& out) { return out.AppendStatement(Statement("vault", 0, 1), Hash{}); });
  EXPECT_EQ(restore(0, 2, TestHash(1)).error().code, Code::kConflict) << "not above the head";
  EXPECT_EQ(restore(1000, 2, TestHash(9)).error().code, Code::kConflict) << "another previous";
  EXPECT_EQ(restore(1000, 1, TestHash(1)).error().code, Code::kConflict) << "there already";
  EXPECT_TRUE(restore(1000, 2, TestHash(1)));
  EXPECT_EQ(Get(Reader()->FindHead("vault")), (Head{1000, TestHash(2)}));
  Must([](StoreWriter& out) { return out.AppendStatement(Statement("vault", 1001, 3), TestHash(2)); });
}

TEST_F(StateTest, AStatementIsFoundByItsHash) {
  Must([](StoreWriter& out) { return out.AppendStatement(Statement("secret/7", 0, 1), Hash{}); });
  const auto place = Get(Reader()->FindStatement(TestHash(1)));
  ASSERT_TRUE(place);
  EXPECT_EQ(place->list, "secret/7");
  EXPECT_EQ(place->sequence, 0U);
  EXPECT_FALSE(Get(Reader()->FindStatement(TestHash(2))));
}

TEST_F(StateTest, TheListsOfASignerAreFound) {
  Must([](StoreWriter& out) -> Status {
    StoredStatement one = Statement("secret/7", 0, 1);
    one.signer = TestHash(50);
    GRANTFS_CHECK(out.AppendStatement(one, Hash{}));
    StoredStatement other = Statement("vault", 0, 2);
    other.signer = TestHash(51);
    return out.AppendStatement(other, Hash{});
  });
  EXPECT_EQ(Get(Reader()->ListsOfSigner(TestHash(50))), std::vector<std::string>{"secret/7"});
  EXPECT_TRUE(Get(Reader()->ListsOfSigner(TestHash(52))).empty());
}

TEST_F(StateTest, StatementsAreReadWithinBounds) {
  Must([](StoreWriter& out) -> Status {
    Hash previous;
    for (std::uint8_t i = 0; i < 10; ++i) {
      GRANTFS_CHECK(
          out.AppendStatement(Statement("vault", i, std::uint8_t(i + 1), std::string(100, 'x')), previous));
      previous = TestHash(std::uint8_t(i + 1));
    }
    return out.AppendStatement(Statement("machines", 0, 200, "other"), Hash{});
  });
  auto reader = Reader();
  EXPECT_EQ(Get(reader->ReadStatements("vault", 0, 100, 1 << 20)).size(), 10U);
  const auto three = Get(reader->ReadStatements("vault", 4, 3, 1 << 20));
  ASSERT_EQ(three.size(), 3U);
  EXPECT_EQ(three[0].head, (Head{4, TestHash(5)}));
  EXPECT_EQ(three[0].signer, TestHash(0xAA));
  EXPECT_EQ(three[2].envelope, std::string(100, 'x'));
  EXPECT_EQ(Get(reader->ReadStatements("vault", 0, 100, 250)).size(), 2U);
  EXPECT_EQ(Get(reader->ReadStatements("vault", 0, 100, 1)).size(), 1U) << "one at least";
  EXPECT_TRUE(Get(reader->ReadStatements("vault", 10, 100, 1)).empty());
  EXPECT_TRUE(Get(reader->ReadStatements("nothing", 0, 100, 1)).empty());
}

TEST_F(StateTest, SecretsAreListedByPathWithTheirHeads) {
  Must([](StoreWriter& out) -> Status {
    GRANTFS_CHECK(out.AddSecret(3, "shop/prod", "b"));
    GRANTFS_CHECK(out.AddSecret(1, "shop/prod", "c"));
    GRANTFS_CHECK(out.AddSecret(2, "shop/prod", "a/x"));
    GRANTFS_CHECK(out.AddSecret(4, "shop/test", "a"));
    return out.AppendStatement(Statement("secret/3", 0, 1), Hash{});
  });
  auto reader = Reader();
  const auto paths = [](const std::vector<StoredSecret>& secrets) {
    std::vector<std::string> found;
    for (const auto& secret : secrets) found.push_back(secret.path);
    return found;
  };
  EXPECT_THAT(paths(Get(reader->ListSecrets("shop/prod", "", 100))), ElementsAre("a/x", "b", "c"));
  EXPECT_THAT(paths(Get(reader->ListSecrets("shop/prod", "a/x", 1))), ElementsAre("b"));
  const auto found = Get(reader->FindSecret("shop/prod", "b"));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->number, 3U);
  EXPECT_EQ(found->head, (Head{0, TestHash(1)}));
  EXPECT_FALSE(Get(reader->GetSecret(1))->head);
  EXPECT_FALSE(Get(reader->FindSecret("shop/test", "b")));
  EXPECT_EQ(Get(reader->CountSecrets()), 4U);
}

TEST_F(StateTest, ANameAndANumberAreOneSecrets) {
  Must([](StoreWriter& out) { return out.AddSecret(1, "shop/prod", "a"); });
  const auto add = [&](std::uint64_t number, const char* environment, const char* path) {
    return Write([=](StoreWriter& out) { return out.AddSecret(number, environment, path); });
  };
  EXPECT_EQ(add(2, "shop/prod", "a").error().code, Code::kConflict);
  EXPECT_EQ(add(1, "shop/prod", "b").error().code, Code::kConflict);
  EXPECT_EQ(add(0, "shop/prod", "b").error().code, Code::kInvalid);
  EXPECT_EQ(add(kMaxSecretNumber + 1, "shop/prod", "b").error().code, Code::kInvalid);
  EXPECT_TRUE(add(2, "shop/test", "a"));
}

TEST_F(StateTest, GrantsAreFoundFromBothEnds) {
  const auto grant = [](std::uint64_t secret, GranteeKind kind, std::uint64_t number) {
    return StoredGrant{secret, kind, number, TestHash(5), 3, "current", 99, TestHash(6)};
  };
  Must([&](StoreWriter& out) -> Status {
    for (std::uint64_t i = 1; i <= 5; ++i)
      GRANTFS_CHECK(out.AddSecret(i, i < 4 ? "shop/prod" : "a/b", std::to_string(i)));
    for (std::uint64_t i = 5; i >= 1; --i) GRANTFS_CHECK(out.PutGrant(grant(i, GranteeKind::kMachine, 10)));
    GRANTFS_CHECK(out.PutGrant(grant(1, GranteeKind::kGroup, 2)));
    return out.PutGrant(grant(1, GranteeKind::kMachine, 2));
  });
  auto reader = Reader();
  const auto found = Get(reader->FindGrant(4, GranteeKind::kMachine, 10));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->grantee, TestHash(5));
  EXPECT_EQ(found->sequence, 3U);
  EXPECT_EQ(found->label, "current");
  EXPECT_EQ(found->expires, 99);
  EXPECT_EQ(found->leaf, TestHash(6));
  EXPECT_FALSE(Get(reader->FindGrant(4, GranteeKind::kGroup, 10)));
  const auto of_secret = Get(reader->GrantsOfSecret(1));
  ASSERT_EQ(of_secret.size(), 3U);
  EXPECT_EQ(of_secret[0].number, 2U);
  EXPECT_EQ(of_secret[1].number, 10U);
  EXPECT_EQ(of_secret[2].kind, GranteeKind::kGroup);
  const auto page = Get(reader->GrantsOf(GranteeKind::kMachine, 10, 2, 2));
  ASSERT_EQ(page.size(), 2U);
  EXPECT_EQ(page[0].secret, 3U);
  EXPECT_EQ(page[1].secret, 4U);
  EXPECT_THAT(Get(reader->EnvironmentsOf(GranteeKind::kMachine, 10)), ElementsAre("a/b", "shop/prod"));
  EXPECT_TRUE(Get(reader->HasGrantIn("a/b", GranteeKind::kMachine, 10)));
  EXPECT_FALSE(Get(reader->HasGrantIn("a/b", GranteeKind::kMachine, 2)));
}

TEST_F(StateTest, ARevokedGrantIsGoneAndASecretTakesItsGrantsAlong) {
  Must([](StoreWriter& out) -> Status {
    GRANTFS_CHECK(out.AddSecret(1, "shop/prod", "a"));
    StoredGrant grant{1, GranteeKind::kMachine, 10, TestHash(5), 3, "current", 0, TestHash(6)};
    GRANTFS_CHECK(out.PutGrant(grant));
    grant.sequence = 4;
    grant.label = "next";
    GRANTFS_CHECK(out.PutGrant(grant));
    grant.number = 11;
    return out.PutGrant(grant);
  });
  EXPECT_EQ(Get(Reader()->FindGrant(1, GranteeKind::kMachine, 10))->label, "next") << "replaced";
  const auto revoke = [](StoreWriter& out) { return out.RemoveGrant(1, GranteeKind::kMachine, 10); };
  Must(revoke);
  EXPECT_EQ(Write(revoke).error().code, Code::kNotFound);
  Must([](StoreWriter& out) { return out.RemoveSecret(1); });
  EXPECT_TRUE(Get(Reader()->GrantsOf(GranteeKind::kMachine, 11, 0, 10)).empty());
  EXPECT_EQ(Write([](StoreWriter& out) {
              return out.PutGrant({9, GranteeKind::kMachine, 1, Hash{}, 0, "current", 0, Hash{}});
            })
                .error()
                .code,
            Code::kConflict)
      << "no such secret";
}

TEST_F(StateTest, EnrolmentsWaitAndAreApproved) {
  Must([](StoreWriter& out) { return out.PutEnrolment("i1", "{\"a\":1}", 100); });
  Must([](StoreWriter& out) { return out.PutEnrolment("i1", "{\"a\":1}", 101); });
  EXPECT_EQ(Write([](StoreWriter& out) { return out.PutEnrolment("i1", "{\"a\":2}", 102); }).error().code,
            Code::kConflict);
  Must([](StoreWriter& out) { return out.PutEnrolment("i0", "{}", 90); });
  auto pending = Get(Reader()->ListEnrolments(EnrolmentState::kPending, 10));
  ASSERT_EQ(pending.size(), 2U);
  EXPECT_EQ(pending[0].invitation, "i0") << "oldest first";
  EXPECT_EQ(pending[1].received, 100);
  Must([](StoreWriter& out) { return out.SetEnrolmentState("i1", EnrolmentState::kApproved, 110); });
  const auto approved = Get(Reader()->FindEnrolment("i1"));
  EXPECT_EQ(approved->state, EnrolmentState::kApproved);
  EXPECT_EQ(approved->changed, 110);
  EXPECT_EQ(Get(Reader()->ListEnrolments(EnrolmentState::kPending, 10)).size(), 1U);
  Must([](StoreWriter& out) { return out.RemoveEnrolment("i1"); });
  EXPECT_FALSE(Get(Reader()->FindEnrolment("i1")));
  EXPECT_EQ(Write([](StoreWriter& out) { return out.SetEnrolmentState("i1", EnrolmentState::kApproved, 1); })
                .error()
                .code,
            Code::kNotFound);
}

}  // namespace
}  // namespace grantfs

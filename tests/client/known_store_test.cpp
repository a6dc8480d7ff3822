#include "grantfs/client/known_store.h"

#include "client_test.h"
#include "grantfs/client/list_keeper.h"
#include "grantfs/util/file.h"

namespace grantfs::testing {
namespace {

class KnownStoreTest : public ClientTest {
 protected:
  std::unique_ptr<KnownStore> Open() {
    return Must(KnownStore::Open(Path("known.db"), KnownStore::Missing::kMake));
  }
  static KnownStore::Verified All(const SignedList& list) {
    KnownStore::Verified all{list.id(), {}, {}};
    for (auto i = list.first_sequence(); i < list.next_sequence(); ++i) all.statements.push_back(list.At(i));
    return all;
  }
  World world_;
};

TEST_F(KnownStoreTest, KeepsStatementsAndTheHighestHead) {
  Good(Open()->Remember({All(world_.vault), All(world_.environment)}));
  const auto known = Open();
  EXPECT_EQ(Must(known->HighestHead(ListId::Vault())), world_.vault.head());
  EXPECT_EQ(Must(known->HighestHead(ListId::Machines())), std::nullopt);
  const auto kept = Must(known->Statements(world_.environment.id()));
  ASSERT_EQ(kept.size(), world_.environment.next_sequence());
  EXPECT_EQ(kept.back()->hash(), world_.environment.head()->hash);
  Good(known->CheckFile());
}

TEST_F(KnownStoreTest, AnotherProcessThatSawLessTakesNothingBack) {
  Good(Open()->Remember({All(world_.vault)}));
  auto less = All(world_.vault);
  less.statements.pop_back();
  Good(Open()->Remember({less}));
  EXPECT_EQ(Must(Open()->HighestHead(ListId::Vault())), world_.vault.head());
}

TEST_F(KnownStoreTest, RefusesAForkThatAnotherProcessSaw) {
  VaultList other = world_.vault;
  Good(world_.Add(world_.vault, world_.owner, PinsSet{{Sha256({})}}));
  const auto fork = world_.Made(other, world_.owner, PinsSet{{Sha256({AsBytes("x")})}});
  Good(Open()->Remember({All(world_.vault)}));
  EXPECT_EQ(CodeOf(Open()->Remember({{ListId::Vault(), {fork}, {}}})), Code::kIntegrity);
  // Also where only the head was seen, and where the new one does not follow it.
  Good(Open()->Remember({{ListId::Machines(), {}, Head{0, Hash{}}}}));
  EXPECT_EQ(CodeOf(Open()->Remember({All(world_.machines)})), Code::kIntegrity);
  EXPECT_EQ(Must(Open()->Statements(ListId::Machines())).size(), 0u) << "nothing of a refused batch stays";
}

TEST_F(KnownStoreTest, AFileOfAnotherProcessKnowsNoLessThanTheHomes) {
  auto less = All(world_.vault);
  less.statements.pop_back();
  const auto own = Must(KnownStore::Open(Path("own.db"), KnownStore::Missing::kMake));
  Good(own->Remember({less, All(world_.environment)}));
  {
    const auto homes = Open();
    Good(homes->Remember({All(world_.vault)}));
    Good(homes->RememberNumber(7, {"shop/prod", "a"}));
    Good(homes->UpdateGranted({}, {{7, 0}}));
    Good(WriteFileAtomic(Path("image.db"), Must(homes->Image()), 0600));
  }
  Good(own->TakeHeadsOf(Path("image.db")));
  EXPECT_EQ(Must(own->HighestHead(ListId::Vault())), world_.vault.head());
  EXPECT_EQ(Must(own->HighestHead(world_.environment.id())), world_.environment.head())
      << "nor less than it did";
  EXPECT_EQ(Must(own->NameOf(7))->Full(), "shop/prod/a");
  Good(own->TakeHeadsOf(Path("image.db")));
  const auto forked = Must(KnownStore::Open(Path("forked.db"), KnownStore::Missing::kMake));
  Good(forked->Remember({{ListId::Vault(), {}, Head{world_.vault.head()->sequence, Hash{}}}}));
  EXPECT_EQ(CodeOf(forked->TakeHeadsOf(Path("image.db"))), Code::kIntegrity);
}

// The home and its mount may have seen different ends of the vault's list: one what a restored backup lost,
// the other that an owner accepted it.
TEST_F(KnownStoreTest, TwoFilesOfWhichOneHasSeenABackupAcceptedAreNeverMixed) {
  VaultList restored = world_.vault;
  Good(world_.Add(world_.vault, world_.owner, IdentityAdd{MakeIdentity("rita").identity()}));
  Good(world_.Add(world_.vault, world_.owner, IdentityAdd{MakeIdentity("tom").identity()}));
  Statement accept =
      world_.Next(restored, world_.owner, Restore{*restored.head(), {}, "vault.test/anew", 1000, {}, 0});
  accept.sequence = 1000;
  Good(restored.Append(world_.Sign(accept, world_.owner), {}));
  const auto keep = [&](const char* file, const VaultList& list) {
    auto known = Must(KnownStore::Open(Path(file), KnownStore::Missing::kMake));
    Good(known->Remember({{list.id(), list.Statements(), {}}}));
    return known;
  };
  const auto take = [&](KnownStore& known, KnownStore& other) {
    Good(WriteFileAtomic(Path("image.db"), Must(other.Image()), 0600));
    return known.TakeHeadsOf(Path("image.db"));
  };
  const auto expect_restored = [&](KnownStore& known) {
    EXPECT_EQ(Must(known.HighestHead(ListId::Vault())), restored.head());
    ListKeeper keeper(&known, nullptr, restored.vault_id());
    Good(keeper.Load());
    EXPECT_EQ(keeper.vault().head(), restored.head());
  };
  const auto before = keep("before.db", world_.vault);
  const auto after = keep("after.db", restored);
  Good(take(*after, *before));
  expect_restored(*after);
  Good(take(*before, *after));
  expect_restored(*before);
}

TEST_F(KnownStoreTest, OneThatSawSomebodyLeaveTakesNoListThatBringsHimBack) {
  const PrivateIdentity rita = MakeIdentity("rita");
  Good(world_.Add(world_.vault, world_.owner, VaultOwnerAdd{rita.identity()}));
  VaultList restored = world_.vault;
  Good(world_.Add(world_.vault, world_.owner, VaultOwnerRemove{rita.Id()}));
  Statement accept =
      world_.Next(restored, world_.owner, Restore{*restored.head(), {}, "vault.test/anew", 1000, {}, 0});
  accept.sequence = 1000;
  Good(restored.Append(world_.Sign(accept, world_.owner), {}));
  const auto own = Must(KnownStore::Open(Path("own.db"), KnownStore::Missing::kMake));
  Good(own->Remember({All(world_.vault)}));
  const auto other = Must(KnownStore::Open(Path("other.db"), KnownStore::Missing::kMake));
  Good(other->Remember({{restored.id(), restored.Statements(), {}}}));
  Good(WriteFileAtomic(Path("image.db"), Must(other->Image()), 0600));
  Good(own->TakeHeadsOf(Path("image.db")));
  EXPECT_EQ(Must(own->HighestHead(ListId::Vault())), world_.vault.head());
  ListKeeper keeper(own.get(), nullptr, world_.vault.vault_id());
  Good(keeper.Load());
  EXPECT_FALSE(keeper.vault().IsOwner(rita.Id()));
}

TEST_F(KnownStoreTest, ANameThatIsAnothersByNowKeepsTwoFilesApartNeitherWay) {
  const SecretName name{"shop/prod", "a"};
  const auto make = [&](const char* file, std::vector<std::uint64_t> numbers) {
    auto known = Must(KnownStore::Open(Path(file), KnownStore::Missing::kMake));
    for (const std::uint64_t number : numbers) {
      Good(known->RememberNumber(number, name));
      if (number != numbers.back()) Good(known->FreeName(number));
    }
    return known;
  };
  const auto image = [&](KnownStore& known) {
    const std::string path = Path("image.db");
    Good(WriteFileAtomic(path, Must(known.Image()), 0600));
    return path;
  };
  const auto before = make("before.db", {9});
  const auto after = make("after.db", {9, 4});
  Good(after->TakeHeadsOf(image(*before)));
  EXPECT_EQ(Must(after->NumberOf(name)), 4u) << "what is gone does not come back";
  Good(before->TakeHeadsOf(image(*after)));
  EXPECT_EQ(Must(before->NumberOf(name)), 4u);
  EXPECT_EQ(CodeOf(before->RememberNumber(9, name)), Code::kIntegrity);
  const auto only_after = make("only-after.db", {4});
  const auto only_before = make("only-before.db", {9});
  Good(only_before->TakeHeadsOf(image(*only_after)));
  EXPECT_EQ(Must(only_before->NumberOf(name)), 9u) << "until the lists say more";
  const auto forked = Must(KnownStore::Open(Path("fork.db"), KnownStore::Missing::kMake));
  Good(forked->RememberNumber(4, {"shop/prod", "b"}));
  EXPECT_EQ(CodeOf(forked->TakeHeadsOf(image(*after))), Code::kIntegrity) << "one number, two names";
}

TEST_F(KnownStoreTest, RefusesTwoSecretsWithOneNumberAndTwoNumbersForOneName) {
  const auto known = Open();
  Good(known->RememberNumber(7, {"shop/prod", "a"}));
  Good(known->RememberNumber(7, {"shop/prod", "a"}));
  EXPECT_EQ(CodeOf(known->RememberNumber(7, {"shop/prod", "b"})), Code::kIntegrity);
  EXPECT_EQ(CodeOf(known->RememberNumber(8, {"shop/prod", "a"})), Code::kIntegrity);
  Good(known->RememberNumber(8, {"shop/test", "a"}));
  EXPECT_EQ(Must(known->NameOf(7))->Full(), "shop/prod/a");
  EXPECT_FALSE(Must(known->NameOf(9)));
}

TEST_F(KnownStoreTest, AGrantThatWentAwayMustComeBackHigher) {
  const auto known = Open();
  KnownStore::Granted granted{7, "text", All(world_.secret).statements, 0, *world_.secret.head()};
  Good(known->UpdateGranted({granted}, {}));
  ASSERT_EQ(Must(known->GrantedNumbers()), std::vector<std::uint64_t>{7});
  EXPECT_EQ(Must(known->FindGranted(7))->head, world_.secret.head());
  EXPECT_EQ(Must(known->MinimumSequence(7)), 0u);
  Good(known->UpdateGranted({}, {{7, 0}}));
  EXPECT_TRUE(Must(known->GrantedNumbers()).empty());
  EXPECT_FALSE(Must(known->FindGranted(7)));
  EXPECT_EQ(Must(known->MinimumSequence(7)), world_.secret.head()->sequence + 1);
  EXPECT_EQ(Must(known->HighestHead(ListId::Secret(7))), world_.secret.head());
}

TEST_F(KnownStoreTest, KeepsOfAMachinesViewWhatIsFromItsBeginningOn) {
  const auto known = Open();
  auto statements = All(world_.secret).statements;
  Good(known->UpdateGranted({{7, "one", statements, 0, *world_.secret.head()}}, {}));
  Good(known->UpdateGranted({{7, "two", {statements.back()}, 1, *world_.secret.head()}}, {}));
  const auto kept = Must(known->FindGranted(7));
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->data, "two");
  EXPECT_EQ(kept->first, 1u);
}

TEST_F(KnownStoreTest, RemembersThePeer) {
  Good(Open()->RememberPeer("00112233445566778899aabbccddeeff", -17));
  Good(Open()->RememberChange(42));
  Good(Open()->RememberCheckpoint("log\n1\n"));
  const auto peer = Must(Open()->ReadPeer());
  EXPECT_EQ(peer.instance, "00112233445566778899aabbccddeeff");
  EXPECT_EQ(peer.clock_offset, -17);
  EXPECT_EQ(peer.change, 42u);
  EXPECT_EQ(peer.checkpoint, "log\n1\n");
}

TEST_F(KnownStoreTest, ATamperedStatementIsDamage) {
  Good(Open()->Remember({All(world_.vault)}));
  {
    auto database = Must(Database::Open(Path("known.db"), {.wal = false}));
    Good(database.Exec("UPDATE statements SET hash = zeroblob(32) WHERE sequence = 1"));
  }
  EXPECT_EQ(CodeOf(Open()->Statements(ListId::Vault())), Code::kIntegrity);
}

}  // namespace
}  // namespace grantfs::testing

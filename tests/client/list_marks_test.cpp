// What an identity has marked as verified is not verified again, and nothing else is let through.

#include "client/lists/list_marks_internal.h"
#include "client_test.h"
#include "grantfs/sqlite/database.h"

namespace grantfs::testing {
namespace {

class ListMarksTest : public ClientTest {
 protected:
  ListMarksTest() { known_ = Must(KnownStore::Open(Path("known.db"), KnownStore::Missing::kMake)); }
  /// The vault's list grows, and is remembered as what was verified.
  void Grow(int people) {
    for (int i = 0; i < people; ++i)
      Good(world_.Add(world_.vault, world_.owner,
                      IdentityAdd{MakeIdentity("p" + std::to_string(made_++)).identity()}));
    Good(known_->Remember({{world_.vault.id(), world_.vault.Statements(), {}}}));
  }
  ListMarks Marks(const PrivateIdentity& who) const {
    return ListMarks(known_.get(), &who.signing_key(), world_.vault.vault_id());
  }
  std::size_t Verified(const PrivateIdentity& who) const {
    return Must(Marks(who).CountVerified(world_.vault.id(), Must(known_->KeptOf(world_.vault.id()))));
  }
  /// As a home loads it. @return how many statements' signatures were not looked at.
  Result<std::size_t> Load() const {
    const auto kept = GRANTFS_TRY(known_->KeptOf(world_.vault.id()));
    VaultList list;
    std::size_t spared = 0;
    for (const auto& statement : GRANTFS_TRY(known_->ReadKept(kept, list, {}, Verified(world_.owner)))) {
      GRANTFS_CHECK(list.Receive(statement, {}));
      spared += statement->WasVerified() ? 1 : 0;
    }
    GRANTFS_CHECK(list.CheckStanding({}));
    return spared;
  }
  void Write(std::uint64_t sequence, const SignedStatement& statement) {
    auto database = Must(Database::Open(Path("known.db"), {.wal = false}));
    Good(database.Run("UPDATE statements SET envelope = ?1, hash = ?2 WHERE list = 'vault' AND sequence = ?3",
                      statement.envelope(), statement.hash().View(), static_cast<std::int64_t>(sequence)));
    ASSERT_EQ(database.Changes(), 1);
  }
  /// The statement of that sequence as somebody else would sign it.
  SignedStatement Resigned(std::uint64_t sequence) const {
    Json envelope = Must(ParseJson(world_.vault.At(sequence)->envelope()));
    const std::string text = envelope.Dump();
    const std::string mark = "\"sig\":\"";
    std::string other = text;
    char& first = other[other.find(mark) + mark.size()];
    first = first == 'A' ? 'B' : 'A';
    return Must(SignedStatement::Parse(other));
  }

  World world_;
  std::unique_ptr<KnownStore> known_;
  int made_ = 0;
};

TEST_F(ListMarksTest, WhatIsMarkedIsNotVerifiedAgain) {
  Grow(20);
  EXPECT_EQ(Must(Load()), 0U);
  Marks(world_.owner).Mark(world_.vault);
  const std::size_t size = world_.vault.Statements().size();
  EXPECT_EQ(Must(Load()), size);
  Write(5, Resigned(5));
  EXPECT_EQ(Must(Load()), size)
      << "the statement is the one that was verified, whatever signature lies there";
  Grow(3);
  EXPECT_EQ(Must(Load()), size) << "what came later is verified";
  Write(size + 1, Resigned(size + 1));
  EXPECT_EQ(CodeOf(Load()), Code::kIntegrity);
}

TEST_F(ListMarksTest, AFewStatementsAreNotWorthAMark) {
  Grow(3);
  Marks(world_.owner).Mark(world_.vault);
  EXPECT_EQ(Must(known_->ListMark(world_.vault.id())), "");
  Grow(20);
  ListMarks marks = Marks(world_.owner);
  marks.Mark(world_.vault);
  const std::string mark = Must(known_->ListMark(world_.vault.id()));
  EXPECT_NE(mark, "");
  Grow(1);
  marks.Mark(world_.vault);
  EXPECT_EQ(Must(known_->ListMark(world_.vault.id())), mark);
}

TEST_F(ListMarksTest, AForgedHistoryIsNoneThatWasMarked) {
  Grow(20);
  Marks(world_.owner).Mark(world_.vault);
  Statement forged = world_.vault.At(5)->statement();
  forged.act = VaultOwnerAdd{MakeIdentity("mallory").identity()};
  Write(5, Must(SignedStatement::Sign(forged, world_.owner.signing_key())));
  const auto kept = Must(known_->KeptOf(world_.vault.id()));
  EXPECT_EQ(CodeOf(known_->ReadKept(kept, VaultList(), {}, Verified(world_.owner))), Code::kIntegrity)
      << "its hash is not the one that the next statement names";
  const auto mallory = MakeIdentity("mallory");
  std::optional<Hash> previous;
  for (std::uint64_t sequence = 5; sequence < world_.vault.next_sequence(); ++sequence) {
    Statement next = sequence == 5 ? forged : world_.vault.At(sequence)->statement();
    if (previous) next.previous = *previous;
    const SignedStatement written = Must(SignedStatement::Sign(next, mallory.signing_key()));
    previous = written.hash();
    Write(sequence, written);
  }
  EXPECT_EQ(Verified(world_.owner), 0U);
  EXPECT_EQ(CodeOf(Load()), Code::kIntegrity) << "linked anew to its end, it has another end";
}

// What does not follow begins the list anew: that is no list again of which so many are marked.
TEST_F(ListMarksTest, WhatLiesBehindTheMarkedOnesIsVerifiedWhateverItBeginsAnewWith) {
  Grow(20);
  Marks(world_.owner).Mark(world_.vault);
  const auto mallory = MakeIdentity("mallory");
  Statement forged = world_.vault.At(1)->statement();
  ASSERT_EQ(forged.signer, world_.owner.Id());
  forged.act = VaultOwnerAdd{mallory.identity()};
  forged.previous = world_.vault.At(0)->hash();
  auto kept = Must(known_->KeptOf(world_.vault.id()));
  kept.push_back({world_.vault.At(0)->envelope(), world_.vault.At(0)->hash()});
  const SignedStatement written = Must(SignedStatement::Sign(forged, mallory.signing_key()));
  kept.push_back({written.envelope(), written.hash()});
  const auto statements = Must(known_->ReadKept(kept, VaultList(), {}, Verified(world_.owner)));
  ASSERT_EQ(statements.size(), 2U);
  VaultList list;
  Good(list.Receive(statements[0], {}));
  EXPECT_EQ(CodeOf(list.Receive(statements[1], {})), Code::kIntegrity);
}

TEST_F(ListMarksTest, AMarkIsOneIdentitysOfOneVaultAndList) {
  Grow(20);
  const PrivateIdentity mallory = MakeIdentity("mallory");
  const ListId list = world_.vault.id();
  Marks(mallory).Mark(world_.vault);
  EXPECT_EQ(Verified(mallory), world_.vault.Statements().size());
  EXPECT_EQ(Verified(world_.owner), 0U) << "of another's key";
  Hash other = world_.vault.vault_id();
  other.bytes[0] ^= 1;
  ListMarks(known_.get(), &world_.owner.signing_key(), other).Mark(world_.vault);
  EXPECT_EQ(Verified(world_.owner), 0U) << "of another vault";
  Marks(world_.owner).Mark(world_.vault);
  const std::string good = Must(known_->ListMark(list));
  EXPECT_EQ(Must(Marks(world_.owner).CountVerified(ListId::Machines(), Must(known_->KeptOf(list)))), 0U);
  Good(known_->PutListMark(ListId::Machines(), good));
  EXPECT_EQ(Must(Marks(world_.owner).CountVerified(ListId::Machines(), Must(known_->KeptOf(list)))), 0U)
      << "of another list";
  std::string longer = good;
  longer[0] = longer[0] == '9' ? '8' : static_cast<char>(longer[0] + 1);
  for (const std::string& bad :
       {good.substr(1), good + " ", good + "0", good.substr(0, good.size() - 2), longer, std::string("x")}) {
    Good(known_->PutListMark(list, bad));
    EXPECT_EQ(Verified(world_.owner), 0U) << bad;
  }
  Good(known_->PutListMark(list, good));
  EXPECT_EQ(Verified(world_.owner), world_.vault.Statements().size());
}

TEST_F(ListMarksTest, WhatNeverHadARightIsNotMarked) {
  Grow(20);
  const auto head = world_.vault.head();
  const PrivateIdentity nobody = MakeIdentity("p0");
  Statement said = world_.Next(world_.vault, nobody, IdentityAdd{MakeIdentity("friend").identity()});
  Good(world_.vault.Receive(world_.Sign(said, nobody), {}));
  EXPECT_EQ(world_.vault.VerifiedHead(), head) << "its signature was not looked at";
  EXPECT_NE(world_.vault.head(), head);
}

}  // namespace
}  // namespace grantfs::testing

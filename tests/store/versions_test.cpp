#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>

#include "grantfs/util/file.h"
#include "store_fixture_internal.h"

namespace grantfs {
namespace {

constexpr std::int64_t kNow = 1'700'000'000;

class VersionsTest : public StoreTest {
 protected:
  void SetUp() override {
    StoreTest::SetUp();
    Open();
    Must([](StoreWriter& out) { return out.AddSecret(1, "shop/prod", "a"); });
  }
  static StageKey Key(std::uint32_t version, std::uint8_t signer = 1) {
    return {TestHash(signer), 1, version, TestHash(std::uint8_t(100 + version))};
  }
  static Bytes Ciphertext(std::uint32_t version) { return Bytes(50, static_cast<std::uint8_t>(version)); }
  static StoredVersion Version(std::uint32_t version) {
    StoredVersion row;
    row.secret = 1;
    row.version = version;
    row.statement = {version, TestHash(std::uint8_t(50 + version))};
    row.commitment = Key(version).commitment;
    row.ciphertext = Blake2b256({Ciphertext(version)});
    row.size = 9;
    row.epoch = 2;
    row.time = kNow;
    return row;
  }
  static Recipient Machine(std::uint64_t number) { return {RecipientKind::kMachine, number, 0}; }
  void Publish(std::uint32_t version) {
    Must([=](StoreWriter& out) -> Status {
      GRANTFS_CHECK(out.StageCiphertext(Key(version), Ciphertext(version), kNow));
      return out.PublishVersion(TestHash(1), Version(version), kNow);
    });
  }
  std::int64_t Count(Sql sql) {
    Database database = Get(Database::Open(DatabasePath(), {.mode = OpenMode::kReadOnly}));
    SqlStatement statement = Get(database.Prepare(sql));
    EXPECT_TRUE(Get(statement.Step()));
    return statement.Int(0);
  }
};

TEST_F(VersionsTest, AStagedCiphertextBecomesTheVersionsOwn) {
  Must([](StoreWriter& out) { return out.StageCiphertext(Key(1), Ciphertext(1), kNow); });
  const auto staged = Get(Reader()->FindStagedCiphertext(Key(1), kNow));
  ASSERT_TRUE(staged);
  EXPECT_EQ(staged->hash, Version(1).ciphertext);
  EXPECT_EQ(staged->size, 50U);
  Must([](StoreWriter& out) { return out.PublishVersion(TestHash(1), Version(1), kNow); });
  auto reader = Reader();
  EXPECT_FALSE(Get(reader->FindStagedCiphertext(Key(1), kNow)));
  const auto version = Get(reader->FindVersion(1, 1));
  ASSERT_TRUE(version);
  EXPECT_EQ(version->statement, Version(1).statement);
  EXPECT_EQ(version->commitment, Version(1).commitment);
  EXPECT_EQ(version->ciphertext, Version(1).ciphertext);
  EXPECT_EQ(version->size, 9U);
  EXPECT_EQ(version->epoch, 2U);
  EXPECT_EQ(version->time, kNow);
  EXPECT_EQ(Get(reader->ReadCiphertext(1, 1)), Ciphertext(1));
  EXPECT_FALSE(Get(reader->ReadCiphertext(1, 2)));
  EXPECT_EQ(Count("SELECT count(*) FROM blobs"), 1);
  EXPECT_EQ(Count("SELECT items + bytes FROM staging"), 0);
}

TEST_F(VersionsTest, AVersionNeedsItsOwnCiphertextBySomeoneWhoSentIt) {
  Must([](StoreWriter& out) { return out.StageCiphertext(Key(1), Ciphertext(1), kNow); });
  const auto publish = [&](std::uint8_t signer, StoredVersion version, std::int64_t now) {
    return Write([=](StoreWriter& out) { return out.PublishVersion(TestHash(signer), version, now); });
  };
  EXPECT_EQ(publish(2, Version(1), kNow).error().code, Code::kNotFound) << "another signer's";
  StoredVersion other = Version(1);
  other.ciphertext = TestHash(9);
  EXPECT_EQ(publish(1, other, kNow).error().code, Code::kNotFound) << "another ciphertext";
  other = Version(1);
  other.commitment = TestHash(9);
  EXPECT_EQ(publish(1, other, kNow).error().code, Code::kNotFound) << "another commitment";
  EXPECT_EQ(publish(1, Version(1), kNow + kStagedSeconds).error().code, Code::kNotFound) << "expired";
  EXPECT_TRUE(publish(1, Version(1), kNow + kStagedSeconds - 1));
  Must([](StoreWriter& out) { return out.StageCiphertext(Key(1), Ciphertext(1), kNow); });
  EXPECT_EQ(publish(1, Version(1), kNow).error().code, Code::kConflict) << "published already";
}

TEST_F(VersionsTest, WhatIsStagedExpiresWithItsBytes) {
  Must([](StoreWriter& out) -> Status {
    GRANTFS_CHECK(out.StageCiphertext(Key(1), Ciphertext(1), kNow));
    GRANTFS_CHECK(out.StageCopy(Key(1), Machine(5), Bytes(81, 1), kNow));
    return out.StageEpochCopy(TestHash(1), "shop/prod", 3, {TestHash(9), Bytes(81, 2)}, kNow);
  });
  EXPECT_EQ(Count("SELECT items FROM staging"), 3);
  EXPECT_EQ(Count("SELECT bytes FROM staging"), 50 + 81 + 81);
  const std::int64_t end = kNow + kStagedSeconds;
  auto reader = Reader();
  EXPECT_EQ(Get(reader->StagedCopies(Key(1), end - 1)).size(), 1U);
  EXPECT_TRUE(Get(reader->StagedCopies(Key(1), end)).empty());
  EXPECT_TRUE(Get(reader->StagedEpochCopies(TestHash(1), "shop/prod", 3, end)).empty());
  reader.reset();
  Must([=](StoreWriter& out) { return out.ExpireStaged(end - 1); });
  EXPECT_EQ(Count("SELECT items FROM staging"), 3);
  Must([=](StoreWriter& out) { return out.ExpireStaged(end); });
  EXPECT_EQ(Count("SELECT items + bytes FROM staging"), 0);
  EXPECT_EQ(Count("SELECT count(*) FROM blobs"), 0);
}

TEST_F(VersionsTest, StagingTheSameAgainReplacesIt) {
  Must([](StoreWriter& out) -> Status {
    GRANTFS_CHECK(out.StageCiphertext(Key(1), Ciphertext(1), kNow));
    GRANTFS_CHECK(out.StageCiphertext(Key(1), Ciphertext(2), kNow + 10));
    GRANTFS_CHECK(out.StageCopy(Key(1), Machine(5), Bytes(81, 1), kNow));
    return out.StageCopy(Key(1), Machine(5), Bytes(82, 1), kNow + 10);
  });
  EXPECT_EQ(Count("SELECT items FROM staging"), 2);
  EXPECT_EQ(Count("SELECT bytes FROM staging"), 50 + 82);
  EXPECT_EQ(Count("SELECT count(*) FROM blobs"), 1);
  EXPECT_EQ(Get(Reader()->FindStagedCiphertext(Key(1), kNow + kStagedSeconds + 5))->hash,
            Blake2b256({Ciphertext(2)}));
}

TEST_F(VersionsTest, ASignerStagesNoMoreThanHisBound) {
  const Bytes large(kMaxSecretBytes, 1);
  const auto stage = [&](std::uint32_t version, std::uint8_t signer) {
    return Write([&, version, signer](StoreWriter& out) {
      return out.StageCiphertext({TestHash(signer), 1, version, TestHash(1)}, large, kNow);
    });
  };
  const auto fit = static_cast<std::uint32_t>(kMaxStagedBytes / large.size());
  Must([&](StoreWriter& out) -> Status {
    for (std::uint32_t i = 1; i <= fit; ++i) {
      GRANTFS_CHECK(out.StageCiphertext({TestHash(1), 1, i, TestHash(1)}, large, kNow));
    }
    return {};
  });
  EXPECT_EQ(stage(fit + 1, 1).error().code, Code::kThrottled);
  EXPECT_TRUE(stage(fit, 1)) << "the same again takes no more room";
  EXPECT_TRUE(stage(1, 2)) << "another signer has a bound of his own";
  EXPECT_EQ(Write([&](StoreWriter& out) {
              return out.StageCiphertext(Key(1), Bytes(kMaxSecretBytes + 5000, 1), kNow);
            })
                .error()
                .code,
            Code::kInvalid);
  EXPECT_EQ(
      Write([&](StoreWriter& out) { return out.StageCopy(Key(1), Machine(1), Bytes(), kNow); }).error().code,
      Code::kInvalid);
}

TEST_F(VersionsTest, CopiesMoveInPlaceWithTheirVersion) {
  Publish(1);
  StoreWriter::Adopted adopted;
  Must([&](StoreWriter& out) -> Status {
    GRANTFS_CHECK(out.StageCopy(Key(1), Machine(5), Bytes(81, 1), kNow));
    GRANTFS_CHECK(out.StageCopy(Key(1), {RecipientKind::kEnvironment, 3, 1}, Bytes(81, 2), kNow));
    GRANTFS_CHECK(out.StageCopy(Key(1), {RecipientKind::kEnvironment, 3, 2}, Bytes(81, 3), kNow));
    GRANTFS_CHECK(out.StageCopy(Key(2), Machine(5), Bytes(81, 4), kNow));  // no such version yet
    GRANTFS_CHECK(
        out.StageCopy({TestHash(1), 1, 1, TestHash(77)}, Machine(6), Bytes(81, 5), kNow));  // another key
    adopted = GRANTFS_TRY(out.AdoptCopies(TestHash(1), 1, 0, false, kNow));
    return {};
  });
  EXPECT_EQ(adopted.added, 3U);
  EXPECT_EQ(adopted.replaced + adopted.kept, 0U);
  auto reader = Reader();
  EXPECT_EQ(Get(reader->FindCopy(1, 1, RecipientKind::kMachine, 5))->sealed, Bytes(81, 1));
  const auto newest = Get(reader->FindCopy(1, 1, RecipientKind::kEnvironment, 3));
  ASSERT_TRUE(newest);
  EXPECT_EQ(newest->recipient.epoch, 2U);
  EXPECT_EQ(newest->sealed, Bytes(81, 3));
  EXPECT_FALSE(Get(reader->FindCopy(1, 1, RecipientKind::kMachine, 6)));
  EXPECT_EQ(Get(reader->StagedCopies(Key(2), kNow)).size(), 1U) << "waits for its version";
  EXPECT_TRUE(Get(reader->StagedCopies(Key(1), kNow)).empty());
}

TEST_F(VersionsTest, ACopyInUseIsReplacedOnlyWhereTheCallerMay) {
  Publish(1);
  const auto send = [&](std::uint8_t fill, bool replace) {
    StoreWriter::Adopted adopted;
    Must([&, fill, replace](StoreWriter& out) -> Status {
      GRANTFS_CHECK(out.StageCopy(Key(1), Machine(5), Bytes(81, fill), kNow));
      adopted = GRANTFS_TRY(out.AdoptCopies(TestHash(1), 1, 1, replace, kNow));
      return {};
    });
    return adopted;
  };
  EXPECT_EQ(send(1, false).added, 1U);
  EXPECT_EQ(send(2, false).kept, 1U);
  EXPECT_EQ(Get(Reader()->FindCopy(1, 1, RecipientKind::kMachine, 5))->sealed, Bytes(81, 1));
  EXPECT_EQ(send(3, true).replaced, 1U);
  EXPECT_EQ(Get(Reader()->FindCopy(1, 1, RecipientKind::kMachine, 5))->sealed, Bytes(81, 3));
  EXPECT_EQ(Count("SELECT items FROM staging"), 0);
}

TEST_F(VersionsTest, MissingCopiesAreNamed) {
  for (std::uint32_t version = 1; version <= 3; ++version) Publish(version);
  Must([](StoreWriter& out) -> Status {
    GRANTFS_CHECK(out.StageCopy(Key(2), Machine(5), Bytes(81, 1), kNow));
    GRANTFS_TRY(out.AdoptCopies(TestHash(1), 1, 0, false, kNow));
    return {};
  });
  const Recipient both[] = {Machine(5), {RecipientKind::kEnvironment, 3, 1}};
  auto reader = Reader();
  const auto missing = Get(reader->MissingCopies(1, 0, both, 100));
  ASSERT_EQ(missing.size(), 5U);
  EXPECT_EQ(missing[0].version, 1U);
  EXPECT_EQ(missing[1].version, 3U);
  EXPECT_EQ(missing[2].recipient, both[1]);
  const auto of_one = Get(reader->MissingCopies(1, 2, both, 100));
  ASSERT_EQ(of_one.size(), 1U);
  EXPECT_EQ(of_one[0].recipient, both[1]);
  EXPECT_EQ(Get(reader->MissingCopies(1, 0, both, 2)).size(), 2U);
  EXPECT_TRUE(Get(reader->MissingCopies(1, 0, {}, 100)).empty());
}

TEST_F(VersionsTest, ARecipientsCopiesAreReadInPages) {
  for (std::uint32_t version = 1; version <= 3; ++version) Publish(version);
  Must([](StoreWriter& out) -> Status {
    for (std::uint32_t version = 1; version <= 3; ++version) {
      for (std::uint32_t epoch = 1; epoch <= 2; ++epoch) {
        GRANTFS_CHECK(
            out.StageCopy(Key(version), {RecipientKind::kEnvironment, 3, epoch}, Bytes(81, 1), kNow));
      }
      GRANTFS_CHECK(out.StageCopy(Key(version), Machine(3), Bytes(81, 1), kNow));
    }
    GRANTFS_TRY(out.AdoptCopies(TestHash(1), 1, 0, false, kNow));
    return {};
  });
  auto reader = Reader();
  EXPECT_EQ(Get(reader->CopiesFor(1, RecipientKind::kEnvironment, 3, 0, 100)).size(), 6U);
  const auto page = Get(reader->CopiesFor(1, RecipientKind::kEnvironment, 3, 0, 3));
  ASSERT_EQ(page.size(), 4U) << "a version's epochs stay together";
  EXPECT_EQ(page[3].version, 2U);
  EXPECT_EQ(page[3].recipient.epoch, 2U);
  EXPECT_EQ(Get(reader->CopiesFor(1, RecipientKind::kEnvironment, 3, 2, 3)).size(), 2U);
  Must([](StoreWriter& out) { return out.RemoveCopies(1, RecipientKind::kEnvironment, 3); });
  EXPECT_TRUE(Get(Reader()->CopiesFor(1, RecipientKind::kEnvironment, 3, 0, 100)).empty());
  EXPECT_EQ(Get(Reader()->CopiesFor(1, RecipientKind::kMachine, 3, 0, 100)).size(), 3U);
}

TEST_F(VersionsTest, EpochCopiesMoveTogether) {
  const Hash recipients[] = {TestHash(8), TestHash(9)};
  StoreWriter::Adopted adopted;
  const auto stage = [](StoreWriter& out, std::uint8_t recipient, std::uint8_t fill) {
    return out.StageEpochCopy(TestHash(1), "shop/prod", 2, {TestHash(recipient), Bytes(81, fill)}, kNow);
  };
  Must([&](StoreWriter& out) -> Status {
    GRANTFS_CHECK(stage(out, 9, 1));
    GRANTFS_CHECK(stage(out, 7, 1));
    return stage(out, 8, 2);
  });
  const auto staged = Get(Reader()->StagedEpochCopies(TestHash(1), "shop/prod", 2, kNow));
  ASSERT_EQ(staged.size(), 3U);
  EXPECT_EQ(staged[0].recipient, TestHash(7)) << "ordered by recipient";
  Must([&](StoreWriter& out) -> Status {
    adopted = GRANTFS_TRY(out.AdoptEpochCopies(TestHash(1), "shop/prod", 2, recipients, false, kNow));
    return {};
  });
  EXPECT_EQ(adopted.added, 2U);
  Must([&](StoreWriter& out) -> Status {
    GRANTFS_CHECK(stage(out, 9, 3));
    adopted = GRANTFS_TRY(out.AdoptEpochCopies(TestHash(1), "shop/prod", 2, recipients, false, kNow));
    return {};
  });
  EXPECT_EQ(adopted.kept, 1U);
  const auto own = Get(Reader()->EpochCopies("shop/prod", TestHash(9)));
  ASSERT_EQ(own.size(), 1U);
  EXPECT_EQ(own[0].epoch, 2U);
  EXPECT_EQ(own[0].sealed, Bytes(81, 1));
  EXPECT_TRUE(Get(Reader()->EpochCopies("shop/prod", TestHash(7))).empty()) << "it was not asked for";
  EXPECT_TRUE(Get(Reader()->StagedEpochCopies(TestHash(1), "shop/prod", 2, kNow)).empty());
}

TEST_F(VersionsTest, ALabelMovesAndRemembersWhen) {
  Publish(1);
  Publish(2);
  const std::int64_t now_ms = kNow * 1000;
  const auto set = [&](std::uint32_t version, std::int64_t when) {
    return Write([=](StoreWriter& out) { return out.SetLabel(1, "current", version, when); });
  };
  ASSERT_TRUE(set(1, now_ms));
  EXPECT_FALSE(Get(Reader()->SupersededAt(1, "current", 1)));
  ASSERT_TRUE(set(2, now_ms + 5));
  EXPECT_EQ(Get(Reader()->FindLabel(1, "current")), 2U);
  EXPECT_EQ(Get(Reader()->SupersededAt(1, "current", 1)), now_ms + 5);
  EXPECT_FALSE(Get(Reader()->SupersededAt(1, "previous", 1)));
  ASSERT_TRUE(set(2, now_ms + 6)) << "stays where it is";
  EXPECT_FALSE(Get(Reader()->SupersededAt(1, "current", 2)));
  ASSERT_TRUE(set(1, now_ms + 7)) << "back again";
  EXPECT_FALSE(Get(Reader()->SupersededAt(1, "current", 1)));
  EXPECT_EQ(Get(Reader()->SupersededAt(1, "current", 2)), now_ms + 7);
  EXPECT_EQ(set(3, now_ms).error().code, Code::kConflict) << "no such version";
  EXPECT_EQ(Get(Reader()->FindLabel(1, "current")), 1U);
  ASSERT_TRUE(set(2, now_ms + 7 + 3'600'001));
  EXPECT_EQ(Count("SELECT count(*) FROM superseded"), 1) << "the times of an hour ago are dropped";
  Must([](StoreWriter& out) { return out.RemoveLabel(1, "current", kNow); });
  EXPECT_TRUE(Get(Reader()->LabelsOf(1)).empty());
}

TEST_F(VersionsTest, ARemovedVersionTakesItsBytesCopiesAndLabels) {
  Publish(1);
  Publish(2);
  Must([](StoreWriter& out) -> Status {
    GRANTFS_CHECK(out.SetLabel(1, "current", 2, 1));
    GRANTFS_CHECK(out.SetLabel(1, "previous", 1, 1));
    GRANTFS_CHECK(out.StageCopy(Key(2), Machine(5), Bytes(81, 1), kNow));
    GRANTFS_TRY(out.AdoptCopies(TestHash(1), 1, 2, false, kNow));
    return out.RemoveVersion(1, 2);
  });
  EXPECT_EQ(Count("SELECT count(*) FROM blobs"), 1);
  EXPECT_EQ(Count("SELECT count(*) FROM copies"), 0);
  const auto labels = Get(Reader()->LabelsOf(1));
  ASSERT_EQ(labels.size(), 1U);
  EXPECT_EQ(labels[0].label, "previous");
  EXPECT_EQ(Get(Reader()->ListVersions(1, 0, 10)).size(), 1U);
  Must([](StoreWriter& out) { return out.RemoveSecret(1); });
  EXPECT_EQ(Count("SELECT count(*) FROM blobs"), 0);
  EXPECT_EQ(Count("SELECT count(*) FROM versions"), 0);
}

// In the database, its log, or any file beside them.
bool Stands(const std::string& database, const Bytes& needle) {
  for (const auto& file :
       std::filesystem::directory_iterator(std::filesystem::path(database).parent_path())) {
    const auto bytes = ReadFile(file.path().string(), std::size_t{64} << 20);
    if (!bytes) continue;
    if (std::search(bytes->begin(), bytes->end(), needle.begin(), needle.end()) != bytes->end()) return true;
  }
  return false;
}

TEST_F(VersionsTest, WhatIsRemovedStandsNowhereAnyMore) {
  for (const std::uint32_t version : {1u, 2u}) {
    Publish(version);
    Must([=](StoreWriter& out) -> Status {
      GRANTFS_CHECK(out.StageCopy(Key(version), Machine(4), Bytes(81, std::uint8_t(0xA0 + version)), kNow));
      GRANTFS_TRY(out.AdoptCopies(TestHash(1), 1, version, false, kNow));
      // Sent ahead for a grant that never came.
      return out.StageCopy(Key(version), Machine(5), Bytes(81, std::uint8_t(0xB0 + version)), kNow);
    });
  }
  const auto stands = [&](std::uint8_t byte, std::size_t size = 81) {
    return Stands(DatabasePath(), Bytes(size, byte));
  };
  ASSERT_TRUE(stands(1, 50) && stands(0xA1) && stands(0xB1) && stands(2, 50) && stands(0xA2));
  Must([](StoreWriter& out) { return out.RemoveVersion(1, 1); });
  EXPECT_FALSE(stands(1, 50)) << "the ciphertext";
  EXPECT_FALSE(stands(0xA1)) << "a sealed copy";
  EXPECT_FALSE(stands(0xB1)) << "what was sent ahead";
  EXPECT_TRUE(stands(2, 50) && stands(0xA2) && stands(0xB2)) << "another version's";
  Must([](StoreWriter& out) { return out.RemoveSecret(1); });
  EXPECT_FALSE(stands(2, 50) || stands(0xA2) || stands(0xB2));
}

TEST_F(VersionsTest, AServersKeyThatIsReplacedStandsNowhereAnyMore) {
  const auto stands = [&](std::uint8_t byte) { return Stands(DatabasePath(), Bytes(100, byte)); };
  Must([](StoreWriter& out) { return out.PutServer(TestServer()); });
  for (const std::uint8_t next : {std::uint8_t{0x71}, std::uint8_t{0x72}})
    Must([=](StoreWriter& out) { return out.PutNextTls({"certificate", TestSecret(100, next), kNow}); });
  EXPECT_FALSE(stands(0x71)) << "another was made in its place";
  ASSERT_TRUE(stands(0x6B));
  Must([](StoreWriter& out) { return out.SwitchTls(); });
  EXPECT_FALSE(stands(0x6B));
  EXPECT_TRUE(stands(0x72));
}

TEST_F(VersionsTest, AReaderOnlyDelaysThatTheLogIsEmptied) {
  Publish(1);
  {
    const auto reader = Reader();  // its view needs the log
    ASSERT_TRUE(Get(reader->FindVersion(1, 1)));
    Must([](StoreWriter& out) { return out.RemoveVersion(1, 1); });
    EXPECT_TRUE(Get(reader->FindVersion(1, 1))) << "its view stands";
  }
  Must([](StoreWriter& out) { return out.ExpireStaged(kNow); });
  EXPECT_FALSE(Stands(DatabasePath(), Bytes(50, 1)));
}

}  // namespace
}  // namespace grantfs

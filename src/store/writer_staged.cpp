#include "query_internal.h"
#include "writer_internal.h"

namespace grantfs {
namespace {

struct Usage {
  std::uint64_t items = 0;
  std::uint64_t bytes = 0;
};

// A sealed key is of fixed size today; room is left for a suite to come.
constexpr std::size_t kMaxSealedBytes = 4096;
constexpr std::size_t kMaxCiphertextBytes = kMaxSecretBytes + 4096;

Status CheckSize(ByteView blob, std::size_t max_bytes) {
  if (!blob.empty() && blob.size() <= max_bytes) return {};
  return Error{Code::kInvalid, "is empty or larger than what can be staged", 0,
               std::to_string(blob.size()) + " bytes"};
}

}  // namespace

Status SqliteWriter::CheckStagingBound(const Hash& signer, std::size_t bytes) {
  const auto usage =
      GRANTFS_TRY(Query(database_, "SELECT items, bytes FROM staging WHERE signer = ?1", signer.View())
                      .One([](RowColumns& row) {
                        const std::uint64_t items = row.Number();
                        return Usage{items, row.Number()};
                      }))
          .value_or(Usage{});
  if (usage.items < kMaxStagedItems && usage.bytes + bytes <= kMaxStagedBytes) return {};
  return Error{Code::kThrottled,
               "has sent too much ahead: append the statements for it first, or wait an hour", 0,
               signer.Hex()};
}

Status SqliteWriter::StageCiphertext(const StageKey& key, ByteView ciphertext, std::int64_t now) {
  GRANTFS_CHECK(CheckSize(ciphertext, kMaxCiphertextBytes));
  GRANTFS_CHECK(ExpireStaged(now));
  const auto secret = static_cast<std::int64_t>(key.secret);
  GRANTFS_CHECK(
      Run("DELETE FROM staged_ciphertexts WHERE signer = ?1 AND secret = ?2 AND version = ?3 "
          "AND commitment = ?4",
          key.signer.View(), secret, key.version, key.commitment.View()));
  GRANTFS_CHECK(CheckStagingBound(key.signer, ciphertext.size()));
  GRANTFS_CHECK(Run("INSERT INTO blobs (data) VALUES (?1)", ciphertext));
  const Hash hash = Blake2b256({ciphertext});
  return Run("INSERT INTO staged_ciphertexts VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)", key.signer.View(),
             secret, key.version, key.commitment.View(), hash.View(),
             static_cast<std::int64_t>(ciphertext.size()), database_.LastInsertRowId(), now + kStagedSeconds);
}

Status SqliteWriter::StageCopy(const StageKey& key, const Recipient& recipient, ByteView sealed,
                               std::int64_t now) {
  GRANTFS_CHECK(CheckSize(sealed, kMaxSealedBytes));
  GRANTFS_CHECK(ExpireStaged(now));
  const auto secret = static_cast<std::int64_t>(key.secret);
  const auto number = static_cast<std::int64_t>(recipient.number);
  GRANTFS_CHECK(
      Run("DELETE FROM staged_copies WHERE signer = ?1 AND secret = ?2 AND version = ?3 AND commitment = ?4 "
          "AND kind = ?5 AND number = ?6 AND epoch = ?7",
          key.signer.View(), secret, key.version, key.commitment.View(), Stored(recipient.kind), number,
          recipient.epoch));
  GRANTFS_CHECK(CheckStagingBound(key.signer, sealed.size()));
  return Run("INSERT INTO staged_copies VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)", key.signer.View(),
             secret, key.version, key.commitment.View(), Stored(recipient.kind), number, recipient.epoch,
             sealed, now + kStagedSeconds);
}

Status SqliteWriter::StageEpochCopy(const Hash& signer, std::string_view environment, std::uint32_t epoch,
                                    const EpochCopy& copy, std::int64_t now) {
  GRANTFS_CHECK(CheckSize(copy.sealed, kMaxSealedBytes));
  GRANTFS_CHECK(ExpireStaged(now));
  GRANTFS_CHECK(
      Run("DELETE FROM staged_epoch_copies WHERE signer = ?1 AND environment = ?2 AND epoch = ?3 "
          "AND recipient = ?4",
          signer.View(), environment, epoch, copy.recipient.View()));
  GRANTFS_CHECK(CheckStagingBound(signer, copy.sealed.size()));
  return Run("INSERT INTO staged_epoch_copies VALUES (?1, ?2, ?3, ?4, ?5, ?6)", signer.View(), environment,
             epoch, copy.recipient.View(), copy.sealed, now + kStagedSeconds);
}

Status SqliteWriter::ExpireStaged(std::int64_t now) {
  GRANTFS_CHECK(Run("DELETE FROM staged_ciphertexts WHERE expires <= ?1", now));
  GRANTFS_CHECK(Run("DELETE FROM staged_copies WHERE expires <= ?1", now));
  GRANTFS_CHECK(Run("DELETE FROM staged_group_copies WHERE expires <= ?1", now));
  return Run("DELETE FROM staged_epoch_copies WHERE expires <= ?1", now);
}

Status SqliteWriter::PublishVersion(const Hash& signer, const StoredVersion& version, std::int64_t now) {
  const auto secret = static_cast<std::int64_t>(version.secret);
  const auto blob = GRANTFS_TRY(
      Query(database_,
            "SELECT blob FROM staged_ciphertexts WHERE signer = ?1 AND secret = ?2 AND version = ?3 "
            "AND commitment = ?4 AND hash = ?5 AND expires > ?6",
            signer.View(), secret, version.version, version.commitment.View(), version.ciphertext.View(), now)
          .One(ReadInt));
  if (!blob) {
    return Error{Code::kNotFound, "the version's ciphertext was not sent ahead, or it is another one", 0,
                 "secret " + std::to_string(version.secret) + " version " + std::to_string(version.version)};
  }
  GRANTFS_CHECK(Run("INSERT INTO versions VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)", secret,
                    version.version, static_cast<std::int64_t>(version.statement.sequence),
                    version.statement.hash.View(), version.commitment.View(), version.ciphertext.View(),
                    static_cast<std::int64_t>(version.size), version.epoch, version.time, *blob,
                    version.expires));
  // The blob is the version's now: its row must go without it.
  GRANTFS_CHECK(
      Run("UPDATE staged_ciphertexts SET blob = NULL WHERE signer = ?1 AND secret = ?2 AND version = ?3 "
          "AND commitment = ?4",
          signer.View(), secret, version.version, version.commitment.View()));
  return Run(
      "DELETE FROM staged_ciphertexts WHERE signer = ?1 AND secret = ?2 AND version = ?3 AND commitment = ?4",
      signer.View(), secret, version.version, version.commitment.View());
}

// `kept` of the staged rows were there already, before they were moved.
Result<StoreWriter::Adopted> SqliteWriter::CountAdopted(std::int64_t staged, std::int64_t there,
                                                        bool replace) {
  Adopted adopted;
  adopted.added = static_cast<std::uint64_t>(staged - there);
  (replace ? adopted.replaced : adopted.kept) = static_cast<std::uint64_t>(there);
  return adopted;
}

Result<StoreWriter::Adopted> SqliteWriter::AdoptCopies(const Hash& signer, std::uint64_t secret,
                                                       std::uint32_t version, bool replace,
                                                       std::int64_t now) {
  const auto number = static_cast<std::int64_t>(secret);
  std::int64_t there = 0;
  std::int64_t staged = 0;
  GRANTFS_CHECK(
      Query(database_,
            "SELECT c.sealed IS NOT NULL FROM staged_copies AS s JOIN versions AS v ON v.secret = s.secret "
            "AND v.version = s.version AND v.commitment = s.commitment LEFT JOIN copies AS c ON "
            "c.secret = s.secret AND c.version = s.version AND c.kind = s.kind AND c.number = s.number "
            "AND c.epoch = s.epoch WHERE s.signer = ?1 AND s.secret = ?2 AND (?3 = 0 OR s.version = ?3) "
            "AND s.expires > ?4",
            signer.View(), number, version, now)
          .While([&](RowColumns& row) {
            ++staged;
            there += row.Int();
            return true;
          }));
  GRANTFS_CHECK(Run(
      "INSERT INTO copies SELECT s.secret, s.version, s.kind, s.number, s.epoch, s.sealed "
      "FROM staged_copies AS s JOIN versions AS v ON v.secret = s.secret AND v.version = s.version "
      "AND v.commitment = s.commitment WHERE s.signer = ?1 AND s.secret = ?2 "
      "AND (?3 = 0 OR s.version = ?3) AND s.expires > ?4 "
      "ON CONFLICT (secret, version, kind, number, epoch) DO UPDATE SET sealed = excluded.sealed WHERE ?5",
      signer.View(), number, version, now, replace ? 1 : 0));
  GRANTFS_CHECK(
      Run("DELETE FROM staged_copies WHERE signer = ?1 AND secret = ?2 AND (?3 = 0 OR version = ?3) "
          "AND EXISTS (SELECT 1 FROM versions AS v WHERE v.secret = staged_copies.secret "
          "AND v.version = staged_copies.version AND v.commitment = staged_copies.commitment)",
          signer.View(), number, version));
  return CountAdopted(staged, there, replace);
}

Result<std::uint64_t> SqliteWriter::AdoptCopiesFor(const Hash& signer, std::uint64_t secret,
                                                   const Recipient& to, bool replace, std::int64_t now) {
  const auto number = static_cast<std::int64_t>(secret);
  const auto recipient = static_cast<std::int64_t>(to.number);
  GRANTFS_CHECK(Run(
      "INSERT INTO copies SELECT s.secret, s.version, s.kind, s.number, s.epoch, s.sealed "
      "FROM staged_copies AS s JOIN versions AS v ON v.secret = s.secret AND v.version = s.version "
      "AND v.commitment = s.commitment WHERE s.signer = ?1 AND s.secret = ?2 AND s.kind = ?3 AND s.number = "
      "?4 "
      "AND s.epoch = ?5 AND s.expires > ?6 AND EXISTS (SELECT 1 FROM copies AS c WHERE c.secret = s.secret "
      "AND c.version = s.version AND c.kind = s.kind AND c.number = s.number AND c.epoch = s.epoch) = ?7 "
      "ON CONFLICT (secret, version, kind, number, epoch) DO UPDATE SET sealed = excluded.sealed",
      signer.View(), number, Stored(to.kind), recipient, to.epoch, now, std::int64_t{replace}));
  GRANTFS_CHECK(
      Run("DELETE FROM staged_copies WHERE signer = ?1 AND secret = ?2 AND kind = ?3 AND number = ?4 AND "
          "epoch = ?5 AND EXISTS (SELECT 1 FROM copies AS c WHERE c.secret = staged_copies.secret AND "
          "c.version = staged_copies.version AND c.kind = ?3 AND c.number = ?4 AND c.epoch = ?5 AND "
          "c.sealed = staged_copies.sealed)",
          signer.View(), number, Stored(to.kind), recipient, to.epoch));
  return GRANTFS_TRY(
             Query(database_,
                   "SELECT count(*) FROM staged_copies AS s JOIN versions AS v ON v.secret = s.secret AND "
                   "v.version = s.version AND v.commitment = s.commitment WHERE s.signer = ?1 AND s.secret = "
                   "?2 "
                   "AND s.kind = ?3 AND s.number = ?4 AND s.epoch = ?5 AND s.expires > ?6",
                   signer.View(), number, Stored(to.kind), recipient, to.epoch, now)
                 .One(ReadNumber))
      .value_or(0);
}

Result<StoreWriter::Adopted> SqliteWriter::AdoptEpochCopies(const Hash& signer, std::string_view environment,
                                                            std::uint32_t epoch,
                                                            std::span<const Hash> recipients, bool replace,
                                                            std::int64_t now) {
  std::int64_t there = 0;
  std::int64_t staged = 0;
  for (const Hash& recipient : recipients) {
    GRANTFS_CHECK(
        Query(database_,
              "SELECT c.sealed IS NOT NULL FROM staged_epoch_copies AS s LEFT JOIN epoch_copies AS c ON "
              "c.environment = s.environment AND c.recipient = s.recipient AND c.epoch = s.epoch "
              "WHERE s.signer = ?1 AND s.environment = ?2 AND s.epoch = ?3 AND s.recipient = ?4 "
              "AND s.expires > ?5",
              signer.View(), environment, epoch, recipient.View(), now)
            .While([&](RowColumns& row) {
              ++staged;
              there += row.Int();
              return true;
            }));
    GRANTFS_CHECK(
        Run("INSERT INTO epoch_copies SELECT environment, recipient, epoch, sealed FROM staged_epoch_copies "
            "WHERE signer = ?1 AND environment = ?2 AND epoch = ?3 AND recipient = ?4 AND expires > ?5 "
            "ON CONFLICT (environment, recipient, epoch) DO UPDATE SET sealed = excluded.sealed WHERE ?6",
            signer.View(), environment, epoch, recipient.View(), now, replace ? 1 : 0));
  }
  GRANTFS_CHECK(Run("DELETE FROM staged_epoch_copies WHERE signer = ?1 AND environment = ?2 AND epoch = ?3",
                    signer.View(), environment, epoch));
  return CountAdopted(staged, there, replace);
}

}  // namespace grantfs

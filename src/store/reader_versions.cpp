#include "query_internal.h"
#include "reader_internal.h"

namespace grantfs {
namespace {

// Versions, their keys, and what is staged.

StoredVersion ReadVersion(RowColumns& row) {
  StoredVersion version;
  version.secret = row.Number();
  version.version = row.Number32();
  version.statement.sequence = row.Number();
  version.statement.hash = row.Digest();
  version.commitment = row.Digest();
  version.ciphertext = row.Digest();
  version.size = row.Number();
  version.epoch = row.Number32();
  version.time = row.Int();
  version.expires = row.Int();
  return version;
}

Recipient ReadRecipient(RowColumns& row) {
  Recipient recipient;
  recipient.kind = static_cast<RecipientKind>(row.Int());
  recipient.number = row.Number();
  recipient.epoch = row.Number32();
  return recipient;
}

StoredCopy ReadCopy(RowColumns& row) {
  StoredCopy copy;
  copy.version = row.Number32();
  copy.recipient = ReadRecipient(row);
  copy.sealed = row.Blob();
  return copy;
}

}  // namespace

Result<std::optional<StoredVersion>> SqliteReader::FindVersion(std::uint64_t secret, std::uint32_t version) {
  return Query(database_,
               "SELECT secret, version, sequence, statement, commitment, ciphertext, size, epoch, time, "
               "expires FROM "
               "versions "
               "WHERE secret = ?1 AND version = ?2",
               static_cast<std::int64_t>(secret), version)
      .One(ReadVersion);
}

Result<std::vector<StoredVersion>> SqliteReader::ListVersions(std::uint64_t secret, std::uint32_t after,
                                                              std::size_t limit) {
  return Query(database_,
               "SELECT secret, version, sequence, statement, commitment, ciphertext, size, epoch, time, "
               "expires FROM "
               "versions "
               "WHERE secret = ?1 AND version > ?2 ORDER BY version LIMIT ?3",
               static_cast<std::int64_t>(secret), after, RowLimit(limit))
      .All(ReadVersion);
}

Result<std::optional<Bytes>> SqliteReader::ReadCiphertext(std::uint64_t secret, std::uint32_t version) {
  return Query(database_,
               "SELECT data FROM versions JOIN blobs ON blobs.id = versions.blob WHERE secret = ?1 AND "
               "version = ?2",
               static_cast<std::int64_t>(secret), version)
      .One(ReadBlob);
}

Result<std::optional<StoredCopy>> SqliteReader::FindCopy(std::uint64_t secret, std::uint32_t version,
                                                         RecipientKind kind, std::uint64_t number) {
  return Query(database_,
               "SELECT version, kind, number, epoch, sealed FROM copies WHERE secret = ?1 AND version = ?2 "
               "AND kind = ?3 AND number = ?4 ORDER BY epoch DESC LIMIT 1",
               static_cast<std::int64_t>(secret), version, Stored(kind), static_cast<std::int64_t>(number))
      .One(ReadCopy);
}

// Walks the secret's versions, so that the copies of others are never read.
Result<std::vector<StoredCopy>> SqliteReader::CopiesFor(std::uint64_t secret, RecipientKind kind,
                                                        std::uint64_t number, std::uint32_t after,
                                                        std::size_t limit) {
  std::vector<StoredCopy> found;
  GRANTFS_CHECK(
      Query(database_,
            "SELECT v.version, c.kind, c.number, c.epoch, c.sealed FROM versions AS v CROSS JOIN copies AS c "
            "ON c.secret = v.secret AND c.version = v.version AND c.kind = ?2 AND c.number = ?3 "
            "WHERE v.secret = ?1 AND v.version > ?4 ORDER BY v.version, c.epoch",
            static_cast<std::int64_t>(secret), Stored(kind), static_cast<std::int64_t>(number), after)
          .While([&](RowColumns& row) {
            StoredCopy copy = ReadCopy(row);
            if (found.size() >= limit && (found.empty() || copy.version != found.back().version))
              return false;
            found.push_back(std::move(copy));
            return true;
          }));
  return found;
}

Result<std::vector<MissingCopy>> SqliteReader::MissingCopies(std::uint64_t secret, std::uint32_t version,
                                                             std::span<const Recipient> recipients,
                                                             std::size_t limit) {
  std::vector<MissingCopy> missing;
  for (const Recipient& recipient : recipients) {
    if (missing.size() >= limit) break;
    const auto lacking = GRANTFS_TRY(
        Query(database_,
              "SELECT version FROM versions AS v WHERE secret = ?1 AND (?2 = 0 OR version = ?2) "
              "AND NOT EXISTS (SELECT 1 FROM copies AS c WHERE c.secret = v.secret AND c.version = v.version "
              "AND kind = ?3 AND number = ?4 AND (c.epoch = ?5 OR (?3 = 2 AND ?5 = 0))) ORDER BY version LIMIT ?6",
              static_cast<std::int64_t>(secret), version, Stored(recipient.kind),
              static_cast<std::int64_t>(recipient.number), recipient.epoch, RowLimit(limit - missing.size()))
            .All(ReadNumber32));
    for (const std::uint32_t number : lacking) missing.push_back({number, recipient});
  }
  return missing;
}

Result<std::vector<StoredEpochCopy>> SqliteReader::EpochCopies(std::string_view environment,
                                                               const Hash& recipient) {
  return Query(database_,
               "SELECT epoch, sealed FROM epoch_copies WHERE environment = ?1 AND recipient = ?2 ORDER BY "
               "epoch",
               environment, recipient.View())
      .All([](RowColumns& row) {
        const std::uint32_t epoch = row.Number32();
        return StoredEpochCopy{epoch, row.Blob()};
      });
}

Result<std::optional<StagedCiphertext>> SqliteReader::FindStagedCiphertext(const StageKey& key,
                                                                           std::int64_t now) {
  return Query(database_,
               "SELECT hash, size FROM staged_ciphertexts WHERE signer = ?1 AND secret = ?2 AND version = ?3 "
               "AND commitment = ?4 AND expires > ?5",
               key.signer.View(), static_cast<std::int64_t>(key.secret), key.version, key.commitment.View(),
               now)
      .One([](RowColumns& row) {
        const Hash hash = row.Digest();
        return StagedCiphertext{hash, row.Number()};
      });
}

Result<std::vector<Recipient>> SqliteReader::StagedCopies(const StageKey& key, std::int64_t now) {
  return Query(database_,
               "SELECT kind, number, epoch FROM staged_copies WHERE signer = ?1 AND secret = ?2 AND version "
               "= ?3 "
               "AND commitment = ?4 AND expires > ?5 ORDER BY kind, number, epoch",
               key.signer.View(), static_cast<std::int64_t>(key.secret), key.version, key.commitment.View(),
               now)
      .All(ReadRecipient);
}

Result<std::vector<EpochCopy>> SqliteReader::StagedEpochCopies(const Hash& signer,
                                                               std::string_view environment,
                                                               std::uint32_t epoch, std::int64_t now) {
  return Query(database_,
               "SELECT recipient, sealed FROM staged_epoch_copies WHERE signer = ?1 AND environment = ?2 "
               "AND epoch = ?3 AND expires > ?4 ORDER BY recipient",
               signer.View(), environment, epoch, now)
      .All([](RowColumns& row) {
        EpochCopy copy;
        copy.recipient = row.Digest();
        copy.sealed = row.Blob();
        return copy;
      });
}

}  // namespace grantfs

#include "grantfs/trust/names.h"
#include "query_internal.h"
#include "writer_internal.h"

namespace grantfs {
namespace {

// A superseded version is served for a minute at most; this is how long its time is kept.
constexpr std::int64_t kSupersededMs = std::int64_t{3600} * 1000;

}  // namespace

Status SqliteWriter::AddSecret(std::uint64_t number, std::string_view environment, std::string_view path) {
  if (number < 1 || number > kMaxSecretNumber) {
    return Error{Code::kInvalid, "is no number for a secret", 0, std::to_string(number)};
  }
  return Run("INSERT INTO secrets (number, environment, path) VALUES (?1, ?2, ?3)",
             static_cast<std::int64_t>(number), environment, path);
}

Status SqliteWriter::DropStaged(std::uint64_t secret, std::uint32_t version) {
  const auto number = static_cast<std::int64_t>(secret);
  GRANTFS_CHECK(
      Run("DELETE FROM staged_ciphertexts WHERE secret = ?1 AND (?2 = 0 OR version = ?2)", number, version));
  return Run("DELETE FROM staged_copies WHERE secret = ?1 AND (?2 = 0 OR version = ?2)", number, version);
}

Status SqliteWriter::SetDeleted(std::uint64_t number, bool deleted) {
  return RunOnOne("no such secret", "UPDATE secrets SET deleted = ?2 WHERE number = ?1",
                  static_cast<std::int64_t>(number), std::int64_t{deleted ? 1 : 0});
}

Status SqliteWriter::RemoveSecret(std::uint64_t number) {
  GRANTFS_CHECK(DropStaged(number, 0));
  GRANTFS_CHECK(
      Run("INSERT INTO destroyed SELECT number, environment, path FROM secrets WHERE number = ?1 "
          "AND NOT EXISTS (SELECT 1 FROM destroyed WHERE number = ?1)",
          static_cast<std::int64_t>(number)));
  erased_ = true;
  return RunOnOne("no such secret", "DELETE FROM secrets WHERE number = ?1",
                  static_cast<std::int64_t>(number));
}

Status SqliteWriter::PutGrant(const StoredGrant& grant) {
  return Run(
      "INSERT INTO grants VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (secret, kind, number) "
      "DO UPDATE SET grantee = excluded.grantee, sequence = excluded.sequence, label = excluded.label, "
      "expires = excluded.expires, leaf = excluded.leaf",
      static_cast<std::int64_t>(grant.secret), Stored(grant.kind), static_cast<std::int64_t>(grant.number),
      grant.grantee.View(), static_cast<std::int64_t>(grant.sequence), grant.label, grant.expires,
      grant.leaf.View());
}

Status SqliteWriter::RemoveGrant(std::uint64_t secret, GranteeKind kind, std::uint64_t number) {
  return RunOnOne("no such grant", "DELETE FROM grants WHERE secret = ?1 AND kind = ?2 AND number = ?3",
                  static_cast<std::int64_t>(secret), Stored(kind), static_cast<std::int64_t>(number));
}

Status SqliteWriter::Supersede(std::uint64_t secret, std::string_view label, std::uint32_t version,
                               std::int64_t now_ms) {
  const auto number = static_cast<std::int64_t>(secret);
  GRANTFS_CHECK(
      Run("INSERT INTO superseded VALUES (?1, ?2, ?3, ?4) ON CONFLICT (secret, label, version) "
          "DO UPDATE SET time_ms = excluded.time_ms",
          number, label, version, now_ms));
  return Run("DELETE FROM superseded WHERE secret = ?1 AND time_ms < ?2", number, now_ms - kSupersededMs);
}

Status SqliteWriter::SetLabel(std::uint64_t secret, std::string_view label, std::uint32_t version,
                              std::int64_t now_ms) {
  const auto number = static_cast<std::int64_t>(secret);
  const auto old = GRANTFS_TRY(FindLabel(secret, label));
  GRANTFS_CHECK(
      Run("INSERT INTO labels VALUES (?1, ?2, ?3) ON CONFLICT (secret, label) "
          "DO UPDATE SET version = excluded.version",
          number, label, version));
  GRANTFS_CHECK(Run("DELETE FROM superseded WHERE secret = ?1 AND label = ?2 AND version = ?3", number, label,
                    version));
  if (!old || *old == version) return {};
  return Supersede(secret, label, *old, now_ms);
}

Status SqliteWriter::RemoveLabel(std::uint64_t secret, std::string_view label, std::int64_t now_ms) {
  const auto old = GRANTFS_TRY(FindLabel(secret, label));
  GRANTFS_CHECK(RunOnOne("no such label", "DELETE FROM labels WHERE secret = ?1 AND label = ?2",
                         static_cast<std::int64_t>(secret), label));
  return Supersede(secret, label, *old, now_ms);
}

Status SqliteWriter::RemoveVersion(std::uint64_t secret, std::uint32_t version) {
  GRANTFS_CHECK(DropStaged(secret, version));
  erased_ = true;
  return RunOnOne("no such version", "DELETE FROM versions WHERE secret = ?1 AND version = ?2",
                  static_cast<std::int64_t>(secret), version);
}

Status SqliteWriter::RemoveCopies(std::uint64_t secret, RecipientKind kind, std::uint64_t number) {
  return Run(
      "DELETE FROM copies WHERE secret = ?1 AND kind = ?2 AND number = ?3 AND version IN "
      "(SELECT version FROM versions WHERE secret = ?1)",
      static_cast<std::int64_t>(secret), Stored(kind), static_cast<std::int64_t>(number));
}

}  // namespace grantfs

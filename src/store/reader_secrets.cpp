#include "query_internal.h"
#include "reader_internal.h"

namespace grantfs {
namespace {

// Secrets, grants, labels.

StoredSecret ReadSecretRow(RowColumns& row) {
  StoredSecret secret;
  secret.number = row.Number();
  secret.environment = row.Text();
  secret.path = row.Text();
  const std::int64_t life = row.Int();
  secret.deleted = life != 0;
  secret.destroyed = life == 2;
  if (!row.NextIsNull()) {
    const std::uint64_t sequence = row.Number();
    secret.head = Head{sequence, row.Digest()};
  }
  return secret;
}

}  // namespace

Result<std::optional<StoredSecret>> SqliteReader::GetSecret(std::uint64_t number) {
  return Query(database_,
               "SELECT number, environment, path, deleted, lists.sequence, lists.hash FROM secrets "
               "LEFT JOIN lists ON lists.name = 'secret/' || number WHERE number = ?1 "
               "UNION ALL SELECT number, environment, path, 2, lists.sequence, lists.hash FROM destroyed "
               "LEFT JOIN lists ON lists.name = 'secret/' || number WHERE number = ?1",
               static_cast<std::int64_t>(number))
      .One(ReadSecretRow);
}

Result<std::optional<StoredSecret>> SqliteReader::FindSecret(std::string_view environment,
                                                             std::string_view path) {
  return Query(database_,
               "SELECT number, environment, path, deleted, lists.sequence, lists.hash FROM secrets "
               "LEFT JOIN lists ON lists.name = 'secret/' || number WHERE environment = ?1 AND path = ?2",
               environment, path)
      .One(ReadSecretRow);
}

Result<std::vector<StoredSecret>> SqliteReader::ListSecrets(std::string_view environment,
                                                            std::string_view after, std::size_t limit) {
  return Query(database_,
               "SELECT number, environment, path, deleted, lists.sequence, lists.hash FROM secrets "
               "LEFT JOIN lists ON lists.name = 'secret/' || number WHERE environment = ?1 AND path > ?2 "
               "ORDER BY path LIMIT ?3",
               environment, after, RowLimit(limit))
      .All(ReadSecretRow);
}

Result<std::uint64_t> SqliteReader::CountSecrets() {
  return GRANTFS_TRY(Query(database_, "SELECT count(*) FROM secrets").One(ReadNumber)).value_or(0);
}

Result<std::optional<StoredGrant>> SqliteReader::FindGrant(std::uint64_t secret, GranteeKind kind,
                                                           std::uint64_t number) {
  return Query(database_,
               "SELECT secret, kind, number, grantee, sequence, label, expires, leaf FROM grants "
               "WHERE secret = ?1 AND kind = ?2 AND number = ?3",
               static_cast<std::int64_t>(secret), Stored(kind), static_cast<std::int64_t>(number))
      .One(ReadGrant);
}

Result<std::vector<StoredGrant>> SqliteReader::GrantsOfSecret(std::uint64_t secret) {
  return Query(database_,
               "SELECT secret, kind, number, grantee, sequence, label, expires, leaf FROM grants "
               "WHERE secret = ?1 ORDER BY kind, number",
               static_cast<std::int64_t>(secret))
      .All(ReadGrant);
}

Result<std::vector<StoredGrant>> SqliteReader::GrantsOf(GranteeKind kind, std::uint64_t number,
                                                        std::uint64_t after, std::size_t limit) {
  return Query(database_,
               "SELECT secret, kind, number, grantee, sequence, label, expires, leaf FROM grants "
               "WHERE kind = ?1 AND number = ?2 AND secret > ?3 ORDER BY secret LIMIT ?4",
               Stored(kind), static_cast<std::int64_t>(number), static_cast<std::int64_t>(after),
               RowLimit(limit))
      .All(ReadGrant);
}

Result<std::vector<std::string>> SqliteReader::EnvironmentsOf(GranteeKind kind, std::uint64_t number) {
  return Query(database_,
               "SELECT environment FROM grants JOIN secrets ON secrets.number = grants.secret "
               "WHERE kind = ?1 AND grants.number = ?2 UNION SELECT environment FROM group_copies "
               "WHERE ?1 = 0 AND kind = 1 AND number = ?2 ORDER BY 1",
               Stored(kind), static_cast<std::int64_t>(number))
      .All(ReadText);
}

Result<bool> SqliteReader::HasGrantIn(std::string_view environment, GranteeKind kind, std::uint64_t number) {
  const auto found = GRANTFS_TRY(Query(database_,
                                       "SELECT 1 FROM grants JOIN secrets ON secrets.number = grants.secret "
                                       "WHERE kind = ?1 AND grants.number = ?2 AND environment = ?3 "
                                       "UNION ALL SELECT 1 FROM group_copies WHERE ?1 = 0 AND kind = 1 "
                                       "AND number = ?2 AND environment = ?3 LIMIT 1",
                                       Stored(kind), static_cast<std::int64_t>(number), environment)
                                     .One(ReadInt));
  return found.has_value();
}

Result<std::optional<std::uint32_t>> SqliteReader::FindLabel(std::uint64_t secret, std::string_view label) {
  return Query(database_, "SELECT version FROM labels WHERE secret = ?1 AND label = ?2",
               static_cast<std::int64_t>(secret), label)
      .One(ReadNumber32);
}

Result<std::vector<StoredLabel>> SqliteReader::LabelsOf(std::uint64_t secret) {
  return Query(database_, "SELECT label, version FROM labels WHERE secret = ?1 ORDER BY label",
               static_cast<std::int64_t>(secret))
      .All([](RowColumns& row) {
        std::string label = row.Text();
        return StoredLabel{std::move(label), row.Number32()};
      });
}

Result<std::optional<std::int64_t>> SqliteReader::SupersededAt(std::uint64_t secret, std::string_view label,
                                                               std::uint32_t version) {
  return Query(database_, "SELECT time_ms FROM superseded WHERE secret = ?1 AND label = ?2 AND version = ?3",
               static_cast<std::int64_t>(secret), label, version)
      .One(ReadInt);
}

}  // namespace grantfs

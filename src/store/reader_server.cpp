#include "query_internal.h"
#include "reader_internal.h"
#include "server_state_internal.h"

namespace grantfs {

// The server itself, statements, enrolments.

Result<std::optional<ServerState>> SqliteReader::Server() { return LoadServerState(database_); }

Result<std::optional<StoredTls>> SqliteReader::NextTls() { return LoadNextTls(database_); }

Result<std::optional<Hash>> SqliteReader::VaultId() {
  return Query(database_, "SELECT hash FROM vault").One([](RowColumns& row) { return row.Digest(); });
}

Result<std::optional<StoredClaim>> SqliteReader::Claim() {
  return Query(database_, "SELECT claim, verify, seal FROM claim").One([](RowColumns& row) {
    StoredClaim claim;
    claim.id = row.Text();
    claim.verify.bytes = row.Fixed();
    claim.seal.bytes = row.Fixed();
    return claim;
  });
}

Result<std::uint64_t> SqliteReader::NextSecretNumber() {
  const auto value =
      GRANTFS_TRY(Query(database_, "SELECT value FROM counters WHERE name = 'secret'").One(ReadNumber));
  if (!value) return DamagedRow(database_);
  return *value;
}

Result<std::uint64_t> SqliteReader::CurrentChange() {
  const auto value =
      GRANTFS_TRY(Query(database_, "SELECT value FROM counters WHERE name = 'change'").One(ReadNumber));
  if (!value) return DamagedRow(database_);
  return *value;
}

Result<std::optional<Head>> SqliteReader::FindHead(std::string_view list) {
  return Query(database_, "SELECT sequence, hash FROM lists WHERE name = ?1", list).One([](RowColumns& row) {
    const std::uint64_t sequence = row.Number();
    return Head{sequence, row.Digest()};
  });
}

Result<std::vector<std::string>> SqliteReader::ListsOfSigner(const Hash& signer) {
  return Query(database_,
               "SELECT lists.name FROM lists WHERE id IN (SELECT list FROM statements WHERE signer = ?1)",
               signer.View())
      .All(ReadText);
}

Result<std::optional<StatementPlace>> SqliteReader::FindStatement(const Hash& hash) {
  return Query(database_,
               "SELECT lists.name, statements.sequence FROM statements JOIN lists ON lists.id = "
               "statements.list "
               "WHERE statements.hash = ?1",
               hash.View())
      .One([](RowColumns& row) {
        std::string list = row.Text();
        return StatementPlace{std::move(list), row.Number()};
      });
}

Result<std::vector<StoredStatement>> SqliteReader::ReadStatements(std::string_view list, std::uint64_t from,
                                                                  std::size_t limit, std::size_t max_bytes) {
  std::vector<StoredStatement> found;
  std::size_t bytes = 0;
  GRANTFS_CHECK(
      Query(database_,
            "SELECT sequence, hash, signer, envelope FROM statements WHERE "
            "list = (SELECT id FROM lists WHERE name = ?1) AND sequence >= ?2 ORDER BY sequence LIMIT ?3",
            list, static_cast<std::int64_t>(from), RowLimit(limit))
          .While([&](RowColumns& row) {
            StoredStatement statement;
            statement.list = list;
            statement.head.sequence = row.Number();
            statement.head.hash = row.Digest();
            statement.signer = row.Digest();
            statement.envelope = row.Text();
            bytes += statement.envelope.size();
            if (!found.empty() && bytes > max_bytes) return false;
            found.push_back(std::move(statement));
            return true;
          }));
  return found;
}

namespace {

StoredEnrolment ReadEnrolment(RowColumns& row) {
  StoredEnrolment enrolment;
  enrolment.invitation = row.Text();
  enrolment.enrolment = row.Text();
  enrolment.received = row.Int();
  enrolment.state = static_cast<EnrolmentState>(row.Int());
  enrolment.changed = row.Int();
  return enrolment;
}

}  // namespace

Result<std::optional<StoredEnrolment>> SqliteReader::FindEnrolment(std::string_view invitation) {
  return Query(database_,
               "SELECT invitation, enrolment, received, state, changed FROM enrolments WHERE invitation = ?1",
               invitation)
      .One(ReadEnrolment);
}

Result<std::vector<StoredEnrolment>> SqliteReader::ListEnrolments(EnrolmentState state, std::size_t limit) {
  return Query(database_,
               "SELECT invitation, enrolment, received, state, changed FROM enrolments WHERE state = ?1 "
               "ORDER BY received LIMIT ?2",
               Stored(state), RowLimit(limit))
      .All(ReadEnrolment);
}

namespace {

StoredFreeze ReadFreeze(RowColumns& row) {
  StoredFreeze freeze;
  freeze.object.kind = static_cast<FrozenKind>(row.Int());
  freeze.object.id = row.Text();
  freeze.object.environment = row.Text();
  freeze.signer = row.Digest();
  freeze.name = row.Text();
  freeze.time = row.Int();
  freeze.reason = row.Text();
  return freeze;
}

}  // namespace

Result<std::optional<StoredFreeze>> SqliteReader::FindFreeze(const FrozenObject& object) {
  return Query(database_,
               "SELECT kind, object, environment, signer, name, time, reason FROM freezes "
               "WHERE kind = ?1 AND object = ?2 AND environment = ?3",
               Stored(object.kind), object.id, object.environment)
      .One(ReadFreeze);
}

Result<std::optional<StoredFreeze>> SqliteReader::FreezeOf(const Hash* machine,
                                                           std::string_view environment) {
  return Query(database_,
               "SELECT kind, object, environment, signer, name, time, reason FROM freezes "
               "WHERE (kind = 0 AND object = ?1) OR (kind = 1 AND object = ?2) "
               "OR (kind = 2 AND object = ?1 AND environment = ?2) ORDER BY kind LIMIT 1",
               machine != nullptr ? machine->Hex() : std::string(), environment)
      .One(ReadFreeze);
}

Result<std::vector<StoredFreeze>> SqliteReader::FreezesOf(const Hash& machine, std::uint64_t number) {
  return Query(database_,
               "WITH mine AS (SELECT environment FROM grants JOIN secrets ON secrets.number = grants.secret"
               " WHERE grants.kind = ?2 AND grants.number = ?3 UNION ALL SELECT environment FROM group_copies"
               " WHERE kind = 1 AND number = ?3)"
               " SELECT kind, object, environment, signer, name, time, reason FROM freezes WHERE"
               " (kind = 0 AND object = ?1) OR (kind = 1 AND object IN mine)"
               " OR (kind = 2 AND object = ?1 AND environment IN mine) ORDER BY kind, object, environment",
               machine.Hex(), Stored(GranteeKind::kMachine), static_cast<std::int64_t>(number))
      .All(ReadFreeze);
}

Result<std::vector<std::uint64_t>> SqliteReader::MachinesIn(std::string_view environment) {
  return Query(database_,
               "SELECT grants.number FROM secrets JOIN grants ON grants.secret = secrets.number "
               "WHERE environment = ?1 AND grants.kind = ?2 UNION SELECT number FROM group_copies "
               "WHERE environment = ?1 AND kind = 1 ORDER BY 1",
               environment, Stored(GranteeKind::kMachine))
      .All([](RowColumns& row) { return row.Number(); });
}

Result<std::vector<StoredFreeze>> SqliteReader::ListFreezes(const FrozenObject* after, std::size_t limit) {
  return Query(database_,
               "SELECT kind, object, environment, signer, name, time, reason FROM freezes "
               "WHERE (kind, object, environment) > (?1, ?2, ?3) ORDER BY kind, object, environment LIMIT ?4",
               after != nullptr ? Stored(after->kind) : std::int64_t{-1},
               after != nullptr ? after->id : std::string(),
               after != nullptr ? after->environment : std::string(), RowLimit(limit))
      .All(ReadFreeze);
}

Result<std::optional<StoredJournal>> SqliteReader::FindJournal(const Hash& machine,
                                                               std::string_view journal) {
  return Query(database_, "SELECT sequence, hash FROM journals WHERE machine = ?1 AND journal = ?2",
               machine.View(), journal)
      .One([](RowColumns& row) {
        const std::uint64_t sequence = row.Number();
        return StoredJournal{sequence, row.Digest()};
      });
}

}  // namespace grantfs

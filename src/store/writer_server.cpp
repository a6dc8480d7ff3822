#include "audit_appender_internal.h"
#include "grantfs/trust/names.h"
#include "query_internal.h"
#include "server_state_internal.h"
#include "writer_internal.h"

namespace grantfs {
namespace {

constexpr std::uint32_t kMaxReserved = 1000;
constexpr std::int64_t kKeptJournals = 999;
constexpr std::int64_t kLostChanges = 1'000'000;  ///< at most, of a vault that its backup is older than

Error MovedOn(const StoredStatement& statement) {
  return {Code::kConflict, "the list has moved on: read it again", 0, statement.list};
}

}  // namespace

// A conflict leaves the transaction as it was before the statement; after another failure nobody knows.
Status SqliteWriter::Note(Status status) {
  if (!status && status.error().code != Code::kConflict && !failure_) failure_ = status.error();
  return status;
}

Status SqliteWriter::TakeFailure() {
  if (const auto failure = std::exchange(failure_, std::nullopt)) return *failure;
  return {};
}

Status SqliteWriter::PutServer(const ServerState& state) {
  if (state.log_seed.size() != 32 || state.log_origin.empty()) {
    return Error{Code::kInvalid, "the audit log needs an origin and a seed of 32 bytes", 0, state.name};
  }
  audit_.ForgetKey();
  return Note(SaveServerState(database_, state));
}

// The one that it takes the place of may be in a stolen copy, and is to be nowhere else.
Status SqliteWriter::PutNextTls(const StoredTls& next) {
  erased_ = true;
  return Note(SaveNextTls(database_, next));
}

Status SqliteWriter::SwitchTls() {
  GRANTFS_CHECK(
      RunOnOne("there is no next key",
               "UPDATE server SET (tls_certificate, tls_key) = (SELECT certificate, key FROM tls_next) "
               "WHERE EXISTS (SELECT 1 FROM tls_next)"));
  erased_ = true;  // whoever finds the old key could answer in the server's place for a while
  return Run("DELETE FROM tls_next");
}

Status SqliteWriter::SetVaultId(const Hash& vault) {
  const auto now = GRANTFS_TRY(VaultId());
  if (now && *now != vault) return Error{Code::kConflict, "the vault has an id already", 0, now->Hex()};
  return Run("INSERT OR IGNORE INTO vault VALUES (1, ?1)", vault.View());
}

Status SqliteWriter::PutClaim(const StoredClaim& claim) {
  GRANTFS_CHECK(Run("DELETE FROM claim"));
  return Run("INSERT INTO claim VALUES (1, ?1, ?2, ?3)", claim.id, ByteView(claim.verify.bytes),
             ByteView(claim.seal.bytes));
}

Status SqliteWriter::RemoveClaim() { return RunOnOne("the claim was used already", "DELETE FROM claim"); }

Result<std::uint64_t> SqliteWriter::ReserveSecretNumbers(std::uint32_t count) {
  if (count < 1 || count > kMaxReserved)
    return Error{Code::kInvalid, "1 to 1000 numbers can be reserved at once"};
  const std::uint64_t first = GRANTFS_TRY(NextSecretNumber());
  if (first + count - 1 > kMaxSecretNumber) {
    return Error{Code::kNoSpace, "every number for a secret was used", 0, database_.path()};
  }
  GRANTFS_CHECK(Run("UPDATE counters SET value = value + ?1 WHERE name = 'secret'", count));
  return first;
}

Status SqliteWriter::GoOnFromBackup(const std::string& log_origin, std::uint64_t numbers) {
  auto server = GRANTFS_TRY(LoadServerState(database_));
  if (!server) return Error{Code::kConflict, "the audit log has no key yet", 0, database_.path()};
  server->log_origin = log_origin;
  GRANTFS_CHECK(PutServer(*server));
  // Those that are of the old origin narrow nothing down any more: whoever verifies expects the new one.
  GRANTFS_CHECK(Run("DELETE FROM audit_checkpoints"));
  GRANTFS_CHECK(Run("UPDATE counters SET value = max(value, ?1) WHERE name = 'secret'",
                    static_cast<std::int64_t>(numbers)));
  return Run("UPDATE counters SET value = value + ?1 WHERE name = 'change'", kLostChanges);
}

Result<std::uint64_t> SqliteWriter::NextChange() {
  GRANTFS_CHECK(Run("UPDATE counters SET value = value + 1 WHERE name = 'change'"));
  return CurrentChange();
}

Status SqliteWriter::AppendStatement(const StoredStatement& statement, const Hash& previous) {
  const auto head = GRANTFS_TRY(FindHead(statement.list));
  if (statement.head.sequence != (head ? head->sequence + 1 : 0)) return MovedOn(statement);
  return AppendAbove(head, statement, previous);
}

Status SqliteWriter::AppendRestore(const StoredStatement& statement, const Hash& previous) {
  const auto head = GRANTFS_TRY(FindHead(statement.list));
  if (!head || statement.head.sequence <= head->sequence) return MovedOn(statement);
  return AppendAbove(head, statement, previous);
}

Status SqliteWriter::AppendAbove(const std::optional<Head>& head, const StoredStatement& statement,
                                 const Hash& previous) {
  if (previous != (head ? head->hash : Hash{})) return MovedOn(statement);
  if (GRANTFS_TRY(FindStatement(statement.head.hash))) {
    return Error{Code::kConflict, "the statement is in a list already", 0, statement.head.hash.Hex()};
  }
  const auto sequence = static_cast<std::int64_t>(statement.head.sequence);
  GRANTFS_CHECK(
      Run("INSERT INTO lists (name, sequence, hash) VALUES (?1, ?2, ?3) ON CONFLICT (name) DO UPDATE SET "
          "sequence = excluded.sequence, hash = excluded.hash",
          statement.list, sequence, statement.head.hash.View()));
  return Run("INSERT INTO statements SELECT id, ?2, ?3, ?4, ?5 FROM lists WHERE name = ?1", statement.list,
             sequence, statement.head.hash.View(), statement.signer.View(), statement.envelope);
}

Status SqliteWriter::PutEnrolment(std::string_view invitation, std::string_view enrolment, std::int64_t now) {
  if (const auto there = GRANTFS_TRY(FindEnrolment(invitation))) {
    if (there->enrolment == enrolment) return {};
    return Error{Code::kConflict, "another enrolment was made with this invitation", 0,
                 std::string(invitation)};
  }
  return Run("INSERT INTO enrolments VALUES (?1, ?2, ?3, 0, ?3)", invitation, enrolment, now);
}

Status SqliteWriter::SetEnrolmentState(std::string_view invitation, EnrolmentState state, std::int64_t now) {
  return RunOnOne("no such enrolment", "UPDATE enrolments SET state = ?2, changed = ?3 WHERE invitation = ?1",
                  invitation, Stored(state), now);
}

Status SqliteWriter::RemoveEnrolment(std::string_view invitation) {
  return RunOnOne("no such enrolment", "DELETE FROM enrolments WHERE invitation = ?1", invitation);
}

Status SqliteWriter::PutFreeze(const StoredFreeze& freeze) {
  return Run("INSERT INTO freezes VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)", Stored(freeze.object.kind),
             freeze.object.id, freeze.object.environment, freeze.signer.View(), freeze.name, freeze.time,
             freeze.reason);
}

Status SqliteWriter::RemoveFreeze(const FrozenObject& object) {
  return RunOnOne("it is not frozen",
                  "DELETE FROM freezes WHERE kind = ?1 AND object = ?2 AND environment = ?3",
                  Stored(object.kind), object.id, object.environment);
}

// An old journal that comes back has a gap, which is recorded; its opens are known by their ids.
Status SqliteWriter::PutJournal(const Hash& machine, std::string_view journal, const StoredJournal& reached,
                                std::int64_t now) {
  GRANTFS_CHECK(Run("INSERT OR REPLACE INTO journals VALUES (?1, ?2, ?3, ?4, ?5)", machine.View(), journal,
                    static_cast<std::int64_t>(reached.sequence), reached.hash.View(), now));
  return Run(
      "DELETE FROM journals WHERE machine = ?1 AND changed < (SELECT changed FROM journals WHERE "
      "machine = ?1 ORDER BY changed DESC LIMIT 1 OFFSET ?2)",
      machine.View(), kKeptJournals);
}

Result<std::uint64_t> SqliteWriter::Audit(const AuditRecord& record) {
  auto sequence = audit_.Append(record);
  // What is not recorded must not happen, whatever the job makes of it.
  if (!sequence && !failure_) failure_ = sequence.error();
  return sequence;
}

}  // namespace grantfs

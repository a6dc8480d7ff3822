#pragma once

#include <optional>
#include <utility>

#include "grantfs/store/writer.h"
#include "reader_internal.h"

namespace grantfs {

class AuditAppender;

/// StoreWriter over the writing connection, within a transaction of its user's. Threads: the writer's.
class SqliteWriter final : public StoreWriter, public SqliteReader {
 public:
  SqliteWriter(Database& database, AuditAppender& audit) : SqliteReader(database), audit_(audit) {}

  Status PutServer(const ServerState& state) override;
  Status PutNextTls(const StoredTls& next) override;
  Status SwitchTls() override;
  Status SetVaultId(const Hash& vault) override;
  Status PutClaim(const StoredClaim& claim) override;
  Status RemoveClaim() override;
  Result<std::uint64_t> ReserveSecretNumbers(std::uint32_t count) override;
  Status GoOnFromBackup(const std::string& log_origin, std::uint64_t numbers) override;
  Result<std::uint64_t> NextChange() override;

  Status AppendStatement(const StoredStatement& statement, const Hash& previous) override;
  Status AppendRestore(const StoredStatement& statement, const Hash& previous) override;

  Status AddSecret(std::uint64_t number, std::string_view environment, std::string_view path) override;
  Status RemoveSecret(std::uint64_t number) override;
  Status SetDeleted(std::uint64_t number, bool deleted) override;
  Status PutGrant(const StoredGrant& grant) override;
  Status RemoveGrant(std::uint64_t secret, GranteeKind kind, std::uint64_t number) override;
  Status SetLabel(std::uint64_t secret, std::string_view label, std::uint32_t version,
                  std::int64_t now_ms) override;
  Status RemoveLabel(std::uint64_t secret, std::string_view label, std::int64_t now_ms) override;

  Status StageCiphertext(const StageKey& key, ByteView ciphertext, std::int64_t now) override;
  Status StageCopy(const StageKey& key, const Recipient& recipient, ByteView sealed,
                   std::int64_t now) override;
  Status StageEpochCopy(const Hash& signer, std::string_view environment, std::uint32_t epoch,
                        const EpochCopy& copy, std::int64_t now) override;
  Status StageGroupCopy(const Hash& signer, const GroupPlace& place, const GroupCopy& copy,
                        std::int64_t now) override;
  Status ExpireStaged(std::int64_t now) override;

  Status PublishVersion(const Hash& signer, const StoredVersion& version, std::int64_t now) override;
  Status RemoveVersion(std::uint64_t secret, std::uint32_t version) override;
  Result<Adopted> AdoptCopies(const Hash& signer, std::uint64_t secret, std::uint32_t version, bool replace,
                              std::int64_t now) override;
  Result<std::uint64_t> AdoptCopiesFor(const Hash& signer, std::uint64_t secret, const Recipient& to,
                                       bool replace, std::int64_t now) override;
  Status RemoveCopies(std::uint64_t secret, RecipientKind kind, std::uint64_t number) override;
  Result<Adopted> AdoptEpochCopies(const Hash& signer, std::string_view environment, std::uint32_t epoch,
                                   std::span<const Hash> recipients, bool replace, std::int64_t now) override;

  Status PutGroupCopies(const Hash& signer, const GroupPlace& place, const std::vector<GroupCopy>& copies,
                        bool anew) override;
  Status RemoveGroup(std::string_view environment, std::uint64_t group) override;
  Status PutPrefix(const StoredPrefix& prefix) override;
  Status RemovePrefix(std::string_view environment, std::string_view prefix, std::uint64_t group) override;

  Status PutEnrolment(std::string_view invitation, std::string_view enrolment, std::int64_t now) override;
  Status SetEnrolmentState(std::string_view invitation, EnrolmentState state, std::int64_t now) override;
  Status RemoveEnrolment(std::string_view invitation) override;

  Status PutFreeze(const StoredFreeze& freeze) override;
  Status RemoveFreeze(const FrozenObject& object) override;

  Status AddRequest(const StoredRequest& request) override;
  Status SettleRequest(const Hash& id, RequestState state, std::string_view by, std::string_view reason,
                       std::int64_t now) override;
  Status DropRequests(std::int64_t before) override;
  Status DropRequestsOf(const Hash& signer, std::string_view environment, bool consents, std::size_t keep,
                        std::int64_t now) override;

  Status PutCanary(const StoredCanary& canary) override;
  Status RemoveCanary(std::uint64_t secret) override;
  Status PutTripwire(const StoredTripwire& tripwire) override;
  Status SetAlertReached(std::string_view sink, std::uint64_t reached) override;
  Status ForgetAlertSink(std::string_view sink) override;

  Status PutJournal(const Hash& machine, std::string_view journal, const StoredJournal& reached,
                    std::int64_t now) override;

  Result<std::uint64_t> Audit(const AuditRecord& record) override;
  Result<AuditPurged> PurgeAudit(const AuditPurge& purge, std::uint64_t from, std::size_t limit) override;

  /// The first failure since the last call that left the transaction in doubt, whatever the job made of it.
  Status TakeFailure();
  /// Whether something was removed since the last call that must not stay in the log either.
  bool TakeErased() { return std::exchange(erased_, false); }

 private:
  template <typename... Values>
  Status Run(Sql sql, const Values&... values) {
    return Note(database_.Run(sql, values...));
  }
  /// Run, and kNotFound if no row was touched.
  template <typename... Values>
  Status RunOnOne(const char* missing, Sql sql, const Values&... values) {
    GRANTFS_CHECK(Run(sql, values...));
    if (database_.Changes() > 0) return {};
    return Error{Code::kNotFound, missing, 0, database_.path()};
  }
  Status Note(Status status);
  /// Behind the head, whose sequence the caller has held against the statement's.
  Status AppendAbove(const std::optional<Head>& head, const StoredStatement& statement, const Hash& previous);
  /// @param version  0 = all
  Status DropStaged(std::uint64_t secret, std::uint32_t version);
  Status Supersede(std::uint64_t secret, std::string_view label, std::uint32_t version, std::int64_t now_ms);
  Status CheckStagingBound(const Hash& signer, std::size_t bytes);
  Result<Adopted> CountAdopted(std::int64_t staged, std::int64_t kept, bool replace);

  AuditAppender& audit_;
  std::optional<Error> failure_;
  bool erased_ = false;
};

}  // namespace grantfs

#pragma once

#include "grantfs/sqlite/database.h"
#include "grantfs/store/reader.h"

namespace grantfs {

/// StoreReader over one connection, which it does not own.
class SqliteReader : public virtual StoreReader {
 public:
  explicit SqliteReader(Database& database) : database_(database) {}

  Result<std::optional<ServerState>> Server() override;
  Result<std::optional<StoredTls>> NextTls() override;
  Result<std::optional<Hash>> VaultId() override;
  Result<std::optional<StoredClaim>> Claim() override;
  Result<std::uint64_t> NextSecretNumber() override;
  Result<std::uint64_t> CurrentChange() override;

  Result<std::optional<Head>> FindHead(std::string_view list) override;
  Result<std::optional<StatementPlace>> FindStatement(const Hash& hash) override;
  Result<std::vector<std::string>> ListsOfSigner(const Hash& signer) override;
  Result<std::vector<StoredStatement>> ReadStatements(std::string_view list, std::uint64_t from,
                                                      std::size_t limit, std::size_t max_bytes) override;

  Result<std::optional<StoredSecret>> GetSecret(std::uint64_t number) override;
  Result<std::optional<StoredSecret>> FindSecret(std::string_view environment,
                                                 std::string_view path) override;
  Result<std::vector<StoredSecret>> ListSecrets(std::string_view environment, std::string_view after,
                                                std::size_t limit) override;
  Result<std::uint64_t> CountSecrets() override;

  Result<std::optional<StoredGrant>> FindGrant(std::uint64_t secret, GranteeKind kind,
                                               std::uint64_t number) override;
  Result<std::vector<StoredGrant>> GrantsOfSecret(std::uint64_t secret) override;
  Result<std::vector<StoredGrant>> GrantsOf(GranteeKind kind, std::uint64_t number, std::uint64_t after,
                                            std::size_t limit) override;
  Result<std::vector<std::string>> EnvironmentsOf(GranteeKind kind, std::uint64_t number) override;
  Result<bool> HasGrantIn(std::string_view environment, GranteeKind kind, std::uint64_t number) override;
  Result<std::optional<std::uint32_t>> FindLabel(std::uint64_t secret, std::string_view label) override;
  Result<std::vector<StoredLabel>> LabelsOf(std::uint64_t secret) override;
  Result<std::optional<std::int64_t>> SupersededAt(std::uint64_t secret, std::string_view label,
                                                   std::uint32_t version) override;

  Result<std::optional<StoredVersion>> FindVersion(std::uint64_t secret, std::uint32_t version) override;
  Result<std::vector<StoredVersion>> ListVersions(std::uint64_t secret, std::uint32_t after,
                                                  std::size_t limit) override;
  Result<std::optional<Bytes>> ReadCiphertext(std::uint64_t secret, std::uint32_t version) override;
  Result<std::optional<StoredCopy>> FindCopy(std::uint64_t secret, std::uint32_t version, RecipientKind kind,
                                             std::uint64_t number) override;
  Result<std::vector<StoredCopy>> CopiesFor(std::uint64_t secret, RecipientKind kind, std::uint64_t number,
                                            std::uint32_t after, std::size_t limit) override;
  Result<std::vector<MissingCopy>> MissingCopies(std::uint64_t secret, std::uint32_t version,
                                                 std::span<const Recipient> recipients,
                                                 std::size_t limit) override;
  Result<std::vector<StoredEpochCopy>> EpochCopies(std::string_view environment,
                                                   const Hash& recipient) override;

  Result<std::optional<StagedCiphertext>> FindStagedCiphertext(const StageKey& key,
                                                               std::int64_t now) override;
  Result<std::vector<Recipient>> StagedCopies(const StageKey& key, std::int64_t now) override;
  Result<std::vector<EpochCopy>> StagedEpochCopies(const Hash& signer, std::string_view environment,
                                                   std::uint32_t epoch, std::int64_t now) override;

  Result<std::vector<StoredGroupCopy>> GroupsOf(RecipientKind kind, std::uint64_t number) override;
  Result<std::optional<StoredGroupCopy>> FindGroupCopy(std::string_view environment, std::uint64_t group,
                                                       RecipientKind kind, std::uint64_t number) override;
  Result<std::vector<StoredGrant>> GroupGrantsOf(std::uint64_t secret, std::uint64_t machine) override;
  Result<std::vector<StoredPrefix>> PrefixesOf(std::string_view environment, std::string_view path,
                                               std::uint64_t machine) override;
  Result<std::vector<std::uint64_t>> SecretsFor(std::uint64_t machine, std::uint64_t after,
                                                std::size_t limit) override;
  Result<std::vector<GroupCopy>> StagedGroupCopies(const Hash& signer, const GroupPlace& place,
                                                   std::int64_t now) override;

  Result<std::optional<StoredEnrolment>> FindEnrolment(std::string_view invitation) override;
  Result<std::vector<StoredEnrolment>> ListEnrolments(EnrolmentState state, std::size_t limit) override;

  Result<std::optional<StoredFreeze>> FindFreeze(const FrozenObject& object) override;
  Result<std::optional<StoredFreeze>> FreezeOf(const Hash* machine, std::string_view environment) override;
  Result<std::vector<StoredFreeze>> FreezesOf(const Hash& machine, std::uint64_t number) override;
  Result<std::vector<std::uint64_t>> MachinesIn(std::string_view environment) override;
  Result<std::vector<StoredFreeze>> ListFreezes(const FrozenObject* after, std::size_t limit) override;

  Result<std::optional<StoredRequest>> FindRequest(const Hash& id) override;
  Result<std::vector<StoredRequest>> ListRequests(const RequestQuery& query) override;
  Result<std::uint64_t> CountOpenRequests(const Hash& signer, std::string_view environment,
                                          std::int64_t now) override;
  Result<std::vector<std::pair<std::string, Hash>>> OpenRotations(std::string_view environment,
                                                                  std::int64_t now) override;

  Result<bool> IsCanary(std::uint64_t secret) override;
  Result<std::vector<StoredCanary>> ListCanaries(std::string_view environment, std::uint64_t after,
                                                 std::size_t limit) override;
  Result<std::optional<StoredTripwire>> FindTripwire(std::string_view environment) override;
  Result<std::optional<std::uint64_t>> AlertReached(std::string_view sink) override;
  Result<std::vector<AuditEntry>> CriticalAudit(std::uint64_t from, std::size_t limit) override;
  Result<std::uint64_t> CountCritical(std::uint64_t from) override;

  Result<std::optional<StoredJournal>> FindJournal(const Hash& machine, std::string_view journal) override;

  Result<std::uint64_t> AuditSize() override;
  Result<std::vector<AuditEntry>> ReadAudit(std::uint64_t from, std::size_t limit, std::size_t max_bytes,
                                            bool bodies) override;
  Result<AuditFound> SearchAudit(const AuditQuery& query) override;
  Result<std::uint64_t> AuditBefore(std::int64_t before_ms) override;
  Result<AuditPurge> FindPurgeable(AuditPurge rule) override;
  Result<std::vector<Hash>> AuditNodes(unsigned level, std::uint64_t from, std::size_t limit) override;
  Result<std::optional<std::string>> LatestCheckpoint() override;

 protected:
  Database& database_;
};

}  // namespace grantfs

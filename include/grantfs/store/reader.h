#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "grantfs/store/audit.h"
#include "grantfs/store/audit_purge.h"
#include "grantfs/store/requests.h"
#include "grantfs/store/rows.h"
#include "grantfs/util/result.h"

namespace grantfs {

/// Reads of one state of the vault. All: an absent thing is an empty optional or vector, not an error.
/// Errors: kIntegrity (the database is damaged), kIo.  Threads: one at a time.
class StoreReader : public StoredRequestReader {
 public:
  ~StoreReader() override = default;

  // ---- the server itself
  virtual Result<std::optional<ServerState>> Server() = 0;
  virtual Result<std::optional<StoredTls>> NextTls() = 0;
  virtual Result<std::optional<Hash>> VaultId() = 0;  ///< absent until claimed
  virtual Result<std::optional<StoredClaim>> Claim() = 0;
  virtual Result<std::uint64_t> NextSecretNumber() = 0;  ///< all below were handed out
  virtual Result<std::uint64_t> CurrentChange() = 0;     ///< 0: none yet

  // ---- statements
  virtual Result<std::optional<Head>> FindHead(std::string_view list) = 0;
  virtual Result<std::optional<StatementPlace>> FindStatement(const Hash& hash) = 0;
  /// The lists in which somebody has signed a statement, in no order: all of them.
  virtual Result<std::vector<std::string>> ListsOfSigner(const Hash& signer) = 0;
  /// From sequence `from`, in order, until `limit` statements or `max_bytes` of envelopes; at least one if
  /// there is one.
  virtual Result<std::vector<StoredStatement>> ReadStatements(std::string_view list, std::uint64_t from,
                                                              std::size_t limit, std::size_t max_bytes) = 0;

  // ---- secrets
  virtual Result<std::optional<StoredSecret>> GetSecret(std::uint64_t number) = 0;
  virtual Result<std::optional<StoredSecret>> FindSecret(std::string_view environment,
                                                         std::string_view path) = 0;
  /// Ordered by path (bytes), those above `after`.
  virtual Result<std::vector<StoredSecret>> ListSecrets(std::string_view environment, std::string_view after,
                                                        std::size_t limit) = 0;
  virtual Result<std::uint64_t> CountSecrets() = 0;

  // ---- grants, labels
  virtual Result<std::optional<StoredGrant>> FindGrant(std::uint64_t secret, GranteeKind kind,
                                                       std::uint64_t number) = 0;
  /// Ordered by kind, then number: the order of the leaves under the grants' root.
  virtual Result<std::vector<StoredGrant>> GrantsOfSecret(std::uint64_t secret) = 0;
  /// A grantee's, ordered by secret, those above `after`.
  virtual Result<std::vector<StoredGrant>> GrantsOf(GranteeKind kind, std::uint64_t number,
                                                    std::uint64_t after, std::size_t limit) = 0;
  /// Where a grantee has standing grants, or a machine is in a group, in order of name.
  virtual Result<std::vector<std::string>> EnvironmentsOf(GranteeKind kind, std::uint64_t number) = 0;
  virtual Result<bool> HasGrantIn(std::string_view environment, GranteeKind kind, std::uint64_t number) = 0;
  virtual Result<std::optional<std::uint32_t>> FindLabel(std::uint64_t secret, std::string_view label) = 0;
  virtual Result<std::vector<StoredLabel>> LabelsOf(std::uint64_t secret) = 0;
  /// When the label moved away from that version: unix milliseconds. Kept for an hour at least.
  virtual Result<std::optional<std::int64_t>> SupersededAt(std::uint64_t secret, std::string_view label,
                                                           std::uint32_t version) = 0;

  // ---- versions and their keys
  virtual Result<std::optional<StoredVersion>> FindVersion(std::uint64_t secret, std::uint32_t version) = 0;
  /// Ordered by version, those above `after`.
  virtual Result<std::vector<StoredVersion>> ListVersions(std::uint64_t secret, std::uint32_t after,
                                                          std::size_t limit) = 0;
  virtual Result<std::optional<Bytes>> ReadCiphertext(std::uint64_t secret, std::uint32_t version) = 0;
  /// The copy of the recipient's newest epoch; a machine's has epoch 0.
  virtual Result<std::optional<StoredCopy>> FindCopy(std::uint64_t secret, std::uint32_t version,
                                                     RecipientKind kind, std::uint64_t number) = 0;
  /// A recipient's copies, all epochs, ordered by version, then epoch; of versions above `after`. The last
  /// version is whole: `limit` may be exceeded by its other epochs.
  virtual Result<std::vector<StoredCopy>> CopiesFor(std::uint64_t secret, RecipientKind kind,
                                                    std::uint64_t number, std::uint32_t after,
                                                    std::size_t limit) = 0;
  /// Which of `recipients` lack a copy of `version` (0 = of each version that there is); at most `limit`. A
  /// group with epoch 0: of any of its epochs.
  virtual Result<std::vector<MissingCopy>> MissingCopies(std::uint64_t secret, std::uint32_t version,
                                                         std::span<const Recipient> recipients,
                                                         std::size_t limit) = 0;
  /// Ordered by epoch.
  virtual Result<std::vector<StoredEpochCopy>> EpochCopies(std::string_view environment,
                                                           const Hash& recipient) = 0;

  // ---- groups. A machine is in a group if it has a copy of the group's key
  /// What one has of groups' keys, by environment and group.
  virtual Result<std::vector<StoredGroupCopy>> GroupsOf(RecipientKind kind, std::uint64_t number) = 0;
  virtual Result<std::optional<StoredGroupCopy>> FindGroupCopy(std::string_view environment,
                                                               std::uint64_t group, RecipientKind kind,
                                                               std::uint64_t number) = 0;
  /// The grants of a secret to groups that a machine is in, by group.
  virtual Result<std::vector<StoredGrant>> GroupGrantsOf(std::uint64_t secret, std::uint64_t machine) = 0;
  /// The grants by prefix that cover a path, to groups that a machine is in: longest first, then by group.
  virtual Result<std::vector<StoredPrefix>> PrefixesOf(std::string_view environment, std::string_view path,
                                                       std::uint64_t machine) = 0;
  /// What a machine is granted in any way, by number, those above `after`.
  virtual Result<std::vector<std::uint64_t>> SecretsFor(std::uint64_t machine, std::uint64_t after,
                                                        std::size_t limit) = 0;

  // ---- what signers have sent ahead; `now`: unix seconds, what has expired is not seen
  virtual Result<std::optional<StagedCiphertext>> FindStagedCiphertext(const StageKey& key,
                                                                       std::int64_t now) = 0;
  virtual Result<std::vector<Recipient>> StagedCopies(const StageKey& key, std::int64_t now) = 0;
  /// Ordered by recipient.
  virtual Result<std::vector<EpochCopy>> StagedEpochCopies(const Hash& signer, std::string_view environment,
                                                           std::uint32_t epoch, std::int64_t now) = 0;

  /// Ordered by recipient.
  virtual Result<std::vector<GroupCopy>> StagedGroupCopies(const Hash& signer, const GroupPlace& place,
                                                           std::int64_t now) = 0;

  // ---- enrolments
  virtual Result<std::optional<StoredEnrolment>> FindEnrolment(std::string_view invitation) = 0;
  /// Oldest first.
  virtual Result<std::vector<StoredEnrolment>> ListEnrolments(EnrolmentState state, std::size_t limit) = 0;

  // ---- freezes
  virtual Result<std::optional<StoredFreeze>> FindFreeze(const FrozenObject& object) = 0;
  /// What covers a read: of the machine (its identity id), else of the environment. @param machine  null: a
  /// person reads.
  virtual Result<std::optional<StoredFreeze>> FreezeOf(const Hash* machine, std::string_view environment) = 0;
  /// What stops this machine: its own first, then those of environments in which it is granted something.
  /// @param number  that its grants name it by.
  virtual Result<std::vector<StoredFreeze>> FreezesOf(const Hash& machine, std::uint64_t number) = 0;
  /// The machines that are granted something in an environment, or in a group of it: their numbers, ordered.
  virtual Result<std::vector<std::uint64_t>> MachinesIn(std::string_view environment) = 0;
  /// In the order of their objects. @param after  null: from the first.
  virtual Result<std::vector<StoredFreeze>> ListFreezes(const FrozenObject* after, std::size_t limit) = 0;

  // ---- tripwires
  virtual Result<bool> IsCanary(std::uint64_t secret) = 0;
  /// Of an environment's secrets, by number. @param after  0: from the first.
  virtual Result<std::vector<StoredCanary>> ListCanaries(std::string_view environment, std::uint64_t after,
                                                         std::size_t limit) = 0;
  /// Absent: nobody has set any, and the usual ones hold.
  virtual Result<std::optional<StoredTripwire>> FindTripwire(std::string_view environment) = 0;

  // ---- alerts
  /// Below which sequence all critical records have been told to a sink. Absent: it is not known.
  virtual Result<std::optional<std::uint64_t>> AlertReached(std::string_view sink) = 0;
  /// Critical records from sequence `from` on, in order, with bodies. @param limit  at most so many.
  virtual Result<std::vector<AuditEntry>> CriticalAudit(std::uint64_t from, std::size_t limit) = 0;
  /// How many there are from `from` on.
  virtual Result<std::uint64_t> CountCritical(std::uint64_t from) = 0;

  // ---- machines' journals
  virtual Result<std::optional<StoredJournal>> FindJournal(const Hash& machine, std::string_view journal) = 0;

  // ---- the audit log
  virtual Result<std::uint64_t> AuditSize() = 0;
  /// From sequence `from`, in order, at most `limit` and about `max_bytes`; at least one if there is one.
  virtual Result<std::vector<AuditEntry>> ReadAudit(std::uint64_t from, std::size_t limit,
                                                    std::size_t max_bytes, bool bodies) = 0;
  /// With bodies. Records whose body was purged are not found. Looks at `scan` records at most, those that an
  /// index leads to.
  virtual Result<AuditFound> SearchAudit(const AuditQuery& query) = 0;
  /// Hashes of the tree's whole subtrees of 256^level leaves, from the `from`th on, in order; level 0:
  /// leaves.
  virtual Result<std::vector<Hash>> AuditNodes(unsigned level, std::uint64_t from, std::size_t limit) = 0;
  /// No record from this sequence on is from before that time.
  virtual Result<std::uint64_t> AuditBefore(std::int64_t before_ms) = 0;
  /// Of the records from `first` to `end` (which a search narrows down) those that a purge by this rule would
  /// take: how many, the first, and behind the last. Looks at all of them.
  virtual Result<AuditPurge> FindPurgeable(AuditPurge rule) = 0;
  /// The newest signed checkpoint's text; absent while the log is empty.
  virtual Result<std::optional<std::string>> LatestCheckpoint() = 0;
};

}  // namespace grantfs

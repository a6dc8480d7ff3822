#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "grantfs/store/reader.h"

namespace grantfs {

/// How much one signer may have staged at once, and for how long.
inline constexpr std::uint64_t kMaxStagedItems = 100'000;
inline constexpr std::uint64_t kMaxStagedBytes = std::uint64_t{128} << 20;
inline constexpr std::int64_t kStagedSeconds = 3600;

struct AuditPurged {
  std::uint64_t next = 0;  ///< go on with; the purge's end: it is done
  std::size_t purged = 0;
};

/// What a job may change. It also reads what it has written so far. Lives only while the job runs.
/// Errors of all: kNoSpace (the disk is full), kConflict (what a row refers to is not there, or it exists
/// already), kInvalid (out of bounds), kIntegrity, kIo. After an error the job must end with one: all that it
/// did is undone.
class StoreWriter : public virtual StoreReader, public StoredRequestWriter {
 public:
  // ---- the server itself
  virtual Status PutServer(const ServerState& state) = 0;  ///< makes or replaces
  virtual Status PutNextTls(const StoredTls& next) = 0;    ///< makes or replaces
  /// Makes it the server's, whose key is gone then as what RemoveSecret takes. kNotFound if there is none.
  virtual Status SwitchTls() = 0;
  virtual Status SetVaultId(const Hash& vault) = 0;       ///< kConflict if it has another
  virtual Status PutClaim(const StoredClaim& claim) = 0;  ///< makes or replaces
  virtual Status RemoveClaim() = 0;                       ///< kNotFound if there is none: it was used
  /// Takes `count` (1..1000) numbers that no one was ever given. @return the first.  Errors: kNoSpace (all
  /// are used).
  virtual Result<std::uint64_t> ReserveSecretNumbers(std::uint32_t count) = 0;
  /// The vault goes on from a backup, of whose loss others may have seen more: its log gets this origin, the
  /// next number of a secret is at least this one, and changes are counted far above what was ever told.
  virtual Status GoOnFromBackup(const std::string& log_origin, std::uint64_t numbers) = 0;
  /// Adds one to the counter of changes that watches speak of. @return the new one.
  virtual Result<std::uint64_t> NextChange() = 0;

  // ---- statements
  /// Appends to a list, or begins it. Errors: kConflict if the sequence is not the next, `previous` is not
  /// the hash of the head (all zero at 0), or the hash is in a list already.
  virtual Status AppendStatement(const StoredStatement& statement, const Hash& previous) = 0;
  /// The same for a restore, the one act that leaves sequences out: it goes on from a head that there is, at
  /// any sequence above it.
  virtual Status AppendRestore(const StoredStatement& statement, const Hash& previous) = 0;

  // ---- what follows from statements
  virtual Status AddSecret(std::uint64_t number, std::string_view environment, std::string_view path) = 0;
  /// With all that hangs on it but its statements; its number stays taken. What it was is overwritten, and
  /// gone from the write-ahead log as soon as readers let it.
  virtual Status RemoveSecret(std::uint64_t number) = 0;
  virtual Status SetDeleted(std::uint64_t number, bool deleted) = 0;  ///< kNotFound
  virtual Status PutGrant(const StoredGrant& grant) = 0;              ///< replaces the grantee's
  virtual Status RemoveGrant(std::uint64_t secret, GranteeKind kind,
                             std::uint64_t number) = 0;  ///< kNotFound
  /// Points a label at a version that exists; where it moves, the old one counts as superseded from now on.
  virtual Status SetLabel(std::uint64_t secret, std::string_view label, std::uint32_t version,
                          std::int64_t now_ms) = 0;
  virtual Status RemoveLabel(std::uint64_t secret, std::string_view label, std::int64_t now_ms) = 0;

  // ---- values and keys, sent ahead. Errors also: kThrottled (the signer's bound is reached).
  /// `now`: unix seconds; expires kStagedSeconds later. The same again replaces and starts anew.
  virtual Status StageCiphertext(const StageKey& key, ByteView ciphertext, std::int64_t now) = 0;
  virtual Status StageCopy(const StageKey& key, const Recipient& recipient, ByteView sealed,
                           std::int64_t now) = 0;
  virtual Status StageEpochCopy(const Hash& signer, std::string_view environment, std::uint32_t epoch,
                                const EpochCopy& copy, std::int64_t now) = 0;
  virtual Status StageGroupCopy(const Hash& signer, const GroupPlace& place, const GroupCopy& copy,
                                std::int64_t now) = 0;
  /// Drops what has expired. Staging does it too; this is for a timer.
  virtual Status ExpireStaged(std::int64_t now) = 0;

  // ---- values and keys, moved in place when their statement is appended
  /// Makes the version of the ciphertext that `signer` staged for it. Errors: kNotFound (none with that
  /// commitment and hash is staged), kConflict (the version exists).
  virtual Status PublishVersion(const Hash& signer, const StoredVersion& version, std::int64_t now) = 0;
  /// With its ciphertext, copies and labels, and what is staged of it, as RemoveSecret; of one that was
  /// voided or destroyed.
  virtual Status RemoveVersion(std::uint64_t secret, std::uint32_t version) = 0;
  struct Adopted {
    std::uint64_t added = 0;
    std::uint64_t replaced = 0;
    std::uint64_t kept = 0;  ///< were in use and stayed as they were
  };
  /// Moves the copies that `signer` staged for the versions of `secret` in place, as far as their commitment
  /// is the version's. @param version 0 = all.  @param replace whether a copy that is in use may be replaced
  /// (an owner may).
  virtual Result<Adopted> AdoptCopies(const Hash& signer, std::uint64_t secret, std::uint32_t version,
                                      bool replace, std::int64_t now) = 0;
  /// The same for one recipient alone. @param replace  false: where there is none; true: where there is one.
  /// @return how many that were sent for it are left, as others are in use.
  virtual Result<std::uint64_t> AdoptCopiesFor(const Hash& signer, std::uint64_t secret, const Recipient& to,
                                               bool replace, std::int64_t now) = 0;
  virtual Status RemoveCopies(std::uint64_t secret, RecipientKind kind, std::uint64_t number) = 0;
  /// The same for the copies of an epoch that `recipients` get; what was staged of it for others is dropped.
  virtual Result<Adopted> AdoptEpochCopies(const Hash& signer, std::string_view environment,
                                           std::uint32_t epoch, std::span<const Hash> recipients,
                                           bool replace, std::int64_t now) = 0;

  // ---- groups
  /// Copies that `signer` had staged, and that were looked at. @param anew  in the place of all of the group.
  virtual Status PutGroupCopies(const Hash& signer, const GroupPlace& place,
                                const std::vector<GroupCopy>& copies, bool anew) = 0;
  /// Its keys' copies and its grants by prefix; not what is sealed to it, which may be much (RemoveCopies).
  virtual Status RemoveGroup(std::string_view environment, std::uint64_t group) = 0;
  virtual Status PutPrefix(const StoredPrefix& prefix) = 0;  ///< makes or replaces
  virtual Status RemovePrefix(std::string_view environment, std::string_view prefix, std::uint64_t group) = 0;

  // ---- enrolments
  /// A pending one. The same text again changes nothing. Errors: kConflict (another is there for that
  /// invitation).
  virtual Status PutEnrolment(std::string_view invitation, std::string_view enrolment, std::int64_t now) = 0;
  virtual Status SetEnrolmentState(std::string_view invitation, EnrolmentState state, std::int64_t now) = 0;
  virtual Status RemoveEnrolment(std::string_view invitation) = 0;

  // ---- freezes
  virtual Status PutFreeze(const StoredFreeze& freeze) = 0;     ///< kConflict (it is frozen)
  virtual Status RemoveFreeze(const FrozenObject& object) = 0;  ///< kNotFound

  // ---- tripwires and alerts
  virtual Status PutCanary(const StoredCanary& canary) = 0;  ///< kConflict (it is one, or there is no secret)
  virtual Status RemoveCanary(std::uint64_t secret) = 0;     ///< kNotFound
  virtual Status PutTripwire(const StoredTripwire& tripwire) = 0;  ///< makes or replaces
  virtual Status SetAlertReached(std::string_view sink, std::uint64_t reached) = 0;
  virtual Status ForgetAlertSink(std::string_view sink) = 0;  ///< one that there is not is no error

  // ---- machines' journals
  /// Of one machine the newest thousand are kept.
  virtual Status PutJournal(const Hash& machine, std::string_view journal, const StoredJournal& reached,
                            std::int64_t now) = 0;

  // ---- the audit log
  /// Appends a record; the group's commit signs a checkpoint over it. @return its sequence, or that of the
  /// first record with this open id.  Errors also: kConflict (there is no ServerState yet, so no key to sign
  /// with).
  virtual Result<std::uint64_t> Audit(const AuditRecord& record) = 0;
  /// Takes away bodies that `purge` names, from sequence `from` on, `limit` at most, overwritten and gone
  /// from the write-ahead log like what RemoveSecret takes. Its record is written before, in another job or
  /// this. Errors also: kIntegrity (a body is filed under what its leaf does not say).
  virtual Result<AuditPurged> PurgeAudit(const AuditPurge& purge, std::uint64_t from, std::size_t limit) = 0;
};

}  // namespace grantfs

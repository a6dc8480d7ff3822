#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "grantfs/api/alerts.h"
#include "grantfs/api/audit.h"
#include "grantfs/api/enrolments.h"
#include "grantfs/api/freezes.h"
#include "grantfs/api/lists.h"
#include "grantfs/api/log.h"
#include "grantfs/api/machine.h"
#include "grantfs/api/requests.h"
#include "grantfs/api/secrets.h"
#include "grantfs/api/tls.h"
#include "grantfs/api/tripwires.h"
#include "grantfs/crypto/secret.h"
#include "grantfs/store/store.h"
#include "grantfs/tlog/tile.h"
#include "grantfs/trust/invitation.h"
#include "grantfs/util/clock.h"
#include "grantfs/vault/alerts.h"
#include "grantfs/vault/caller.h"
#include "grantfs/vault/watch.h"

namespace grantfs {

struct VaultOptions {
  const Clock* clock = &SystemClock();
  std::string version;                     ///< of the program, for the status
  std::uint32_t usual_rate = kUsualRate;   ///< distinct secrets a minute by one machine over all environments
  std::size_t cached_statements = 50'000;  ///< of secrets' lists that are kept in memory
  std::size_t max_waiting_appends = 256;   ///< more are kThrottled
  std::chrono::milliseconds append_turn{50};  ///< for so long one append of much goes on while others wait
  std::size_t max_watches_of_one = 16;        ///< streams of one identity
  std::vector<std::shared_ptr<AlertSink>> alert_sinks;  ///< each of another kind
  AuditKeep keep_audit;                                 ///< for how long; empty: all is kept for ever
};

/// The server's side without HTTP: authorises, delivers, records. It decides with trust over lists that it
/// verified; whatever it releases was recorded durably before.
///
/// Functions that only read answer at once. Those that take a Done answer exactly once, before they return or
/// later on a thread of the store or of the vault; the function must not block. Errors of all: kUnauthentic
/// never (the caller was authenticated), kNotFound for what the caller may not know of, kDenied where a role
/// is missing, kIntegrity, kIo, kThrottled. Threads: all safe.
class Vault {
 public:
  template <typename T>
  using Done = std::function<void(Result<T>)>;

  /// Reads and verifies the vault's, the machines' and the environments' lists. `store` has a ServerState and
  /// must outlive the vault. Errors: kIntegrity (a list does not verify: restore a backup), kConflict (no
  /// ServerState), kIo.
  static Result<std::unique_ptr<Vault>> Open(Store& store, VaultOptions options);
  /// Ends watches and waiting appends, records what was only counted so far.
  ~Vault();

  // ---- who calls
  struct Key {
    VerifyKey verify;
    VaultCaller caller;  ///< without the evidence
    bool gone = false;   ///< the claim or invitation was used or has expired: 410 once the signature holds
  };
  /// The key that a request's keyid names. Absent: unknown, removed, expired.
  std::optional<Key> FindKey(std::string_view keyid) const;
  /// All zero until it is claimed.
  Hash vault_id() const;
  /// For watching over it; says nothing of anybody's names. Errors: those of the store.
  struct Figures {
    std::uint64_t audit_records = 0;
    std::uint64_t watches = 0;  ///< that are open
    std::uint64_t frozen_machines = 0, frozen_environments = 0;
    std::uint64_t failed_authentications = 0;  ///< since the start
    StoreFigures store;
    bool nearly_full = false;
  };
  Result<Figures> CurrentFigures() const;

  /// Counts a failed authentication; recorded per address and minute.
  void NoteFailedAuthentication(const std::string& remote);

  // ---- claim
  /// Makes a new one-use claim in place of any before. Errors: kConflict (claimed).  Blocks.
  Result<InviteSecret> MakeClaim();
  Result<api::ClaimInfo> ShowClaim(const VaultCaller& caller) const;
  /// `done` also: kExpired with kWhereGone (used already).
  void UseClaim(const VaultCaller& caller, const api::ClaimRequest& request, Done<api::ClaimResponse> done);
  /// Runs once, when the vault was claimed.
  void OnClaimed(std::function<void()> claimed);

  // ---- lists
  Result<api::StatusResponse> ShowStatus(const VaultCaller& caller) const;
  Result<api::ListReadResponse> ReadList(const VaultCaller& caller,
                                         const api::ListReadRequest& request) const;
  /// For members of the environment who may list. Errors: kNotFound (one of them is no secret of it).
  Result<api::TailsResponse> ReadTails(const VaultCaller& caller, const api::TailsRequest& request) const;
  /// Blocks: while what it appends to is verified, where that is not held in memory.
  void Append(const VaultCaller& caller, const api::AppendRequest& request, Done<api::AppendResponse> done);

  // ---- secrets
  void ReserveSecrets(const VaultCaller& caller, const api::ReserveRequest& request,
                      Done<api::ReserveResponse> done);
  Result<api::SecretsListResponse> ListSecrets(const VaultCaller& caller,
                                               const api::SecretsListRequest& request) const;
  Result<api::SecretFindResponse> FindSecret(const VaultCaller& caller,
                                             const api::SecretFindRequest& request) const;
  void StageCiphertext(const VaultCaller& caller, const api::StageCiphertextRequest& request,
                       Done<api::Nothing> done);
  void StageCopies(const VaultCaller& caller, const api::StageCopiesRequest& request,
                   Done<api::Nothing> done);
  void StageEpoch(const VaultCaller& caller, const api::StageEpochRequest& request, Done<api::Nothing> done);
  void StageGroup(const VaultCaller& caller, const api::StageGroupRequest& request, Done<api::Nothing> done);
  /// For those who manage the environment's members, and recovery.
  Result<api::GroupKeysResponse> GroupKeys(const VaultCaller& caller,
                                           const api::GroupKeysRequest& request) const;
  Result<api::EpochCopiesResponse> EpochCopies(const VaultCaller& caller,
                                               const api::EpochCopiesRequest& request) const;
  Result<api::SecretCopiesResponse> SecretCopies(const VaultCaller& caller,
                                                 const api::SecretCopiesRequest& request) const;
  void ReadValue(const VaultCaller& caller, const api::ValueRequest& request, Done<api::ValueResponse> done);

  // ---- enrolments
  void Enrol(const VaultCaller& caller, const api::EnrolRequest& request,
             Done<api::EnrolmentStateResponse> done);
  Result<api::EnrolmentStateResponse> EnrolmentState(const VaultCaller& caller) const;
  void Join(const VaultCaller& caller, const api::JoinRequest& request, Done<api::JoinResponse> done);
  Result<api::EnrolmentsResponse> ListEnrolments(const VaultCaller& caller) const;

  // ---- freezes
  /// All objects or none. Who may: of a machine the vault's owners, of an environment its owners and
  /// operators.
  void SetFreezes(const VaultCaller& caller, const api::FreezeRequest& request,
                  Done<api::FreezeResponse> done);
  /// What was not frozen is no error: it is not in the answer.
  void LiftFreezes(const VaultCaller& caller, const api::FreezeRequest& request,
                   Done<api::FreezeResponse> done);
  /// For those who may freeze the environment.
  Result<api::FollowedResponse> FreezeFollowed(const VaultCaller& caller,
                                               const api::FollowedRequest& request) const;
  Result<api::FreezesListResponse> ListFreezes(const VaultCaller& caller,
                                               const api::FreezesListRequest& request) const;

  // ---- tripwires: for those who may configure the environment, and nobody else is told
  /// Makes a secret a canary, or ends that.
  void SetCanary(const VaultCaller& caller, const api::CanaryRequest& request,
                 Done<api::CanaryResponse> done);
  Result<api::CanariesListResponse> ListCanaries(const VaultCaller& caller,
                                                 const api::CanariesListRequest& request) const;
  /// What the tripwires of an environment do.
  void SetTripwire(const VaultCaller& caller, const api::TripwireSetRequest& request,
                   Done<api::TripwireResponse> done);
  Result<api::TripwireResponse> ShowTripwire(const VaultCaller& caller,
                                             const api::TripwireShowRequest& request) const;

  // ---- requests to an environment's owners
  /// Keeps one; the same again is answered as before. `done` also: kThrottled (too many are open), kConflict
  /// (it was settled).
  void AskRequest(const VaultCaller& caller, const api::RequestAskRequest& request,
                  Done<api::RequestAskResponse> done);
  Result<api::RequestsListResponse> ListRequests(const VaultCaller& caller,
                                                 const api::RequestsListRequest& request) const;
  /// Refuses one (owners) or withdraws it (who asked). `done` also: kConflict (it is settled).
  void SettleRequest(const VaultCaller& caller, const api::RequestSettleRequest& request,
                     Done<api::Nothing> done);

  // ---- machines
  Result<api::GrantsResponse> MachineGrants(const VaultCaller& caller,
                                            const api::GrantsRequest& request) const;
  void MachineRead(const VaultCaller& caller, const api::ReadRequest& request, Done<api::ReadResponse> done);
  Result<api::Nothing> MachineCheck(const VaultCaller& caller, const api::CheckRequest& request) const;
  /// Records what the machine's mount refused. Of secrets that it is not granted nothing is recorded. `done`
  /// also: kThrottled (too many within a minute), kUnrecorded.
  void MachineRefused(const VaultCaller& caller, const api::RefusalsRequest& request,
                      Done<api::Nothing> done);
  /// Records what a machine has served by itself, each entry once. `done` also: kInvalid, kIntegrity (chain
  /// or signature), kConflict (entries are missing before the first).
  void MachineJournal(const VaultCaller& caller, const api::JournalRequest& request,
                      Done<api::JournalResponse> done);

  // ---- alerts: for owners of the vault
  Result<api::AlertsStateResponse> AlertsState(const VaultCaller& caller,
                                               const api::AlertsStateRequest& request) const;
  void TestAlert(const VaultCaller& caller, const api::AlertTestRequest& request,
                 Done<api::AlertTestResponse> done);

  // ---- the server's TLS keys: for owners of the vault
  Result<api::TlsResponse> ShowTls(const VaultCaller& caller) const;
  /// `done` also: kConflict (a list names the one that is to be replaced).
  void MakeNextTls(const VaultCaller& caller, const api::TlsNextRequest& request,
                   Done<api::TlsResponse> done);
  /// `done` also: kConflict (it is not the next one, or the vault's list does not name it).
  void SwitchTls(const VaultCaller& caller, const api::TlsSwitchRequest& request,
                 Done<api::TlsResponse> done);
  /// Runs on the store's thread whenever the key in the store has become another, which is to be shown.
  void OnTlsSwitch(std::function<Status()> switched);

  // ---- watches
  /// Sends the hello, then changes and a beat each second, until Unwatch or the sink fails. @return its
  /// number. Errors: kThrottled (too many of this identity).
  Result<std::uint64_t> Watch(const VaultCaller& caller, std::shared_ptr<WatchSink> sink);
  void Unwatch(std::uint64_t watch);
  Result<api::Nothing> Acknowledge(const VaultCaller& caller, const api::AckRequest& request);
  void Presence(const VaultCaller& caller, const api::PresenceRequest& request,
                Done<api::PresenceResponse> done);

  // ---- the audit log
  Result<api::AuditRecordsResponse> AuditRecords(const VaultCaller& caller,
                                                 const api::AuditRecordsRequest& request) const;
  Result<api::AuditSearchResponse> SearchAudit(const VaultCaller& caller,
                                               const api::AuditSearchRequest& request) const;
  Result<api::AuditReadersResponse> AuditReaders(const VaultCaller& caller,
                                                 const api::AuditReadersRequest& request) const;
  /// Proofs that records are in the log, with the bodies of the machine's own, over one state of it.
  /// Errors also: kThrottled.
  Result<api::MachineRecordsResponse> MachineRecords(const VaultCaller& caller,
                                                     const api::MachineRecordsRequest& request) const;
  /// Records what a client says against the log, once. `done` also: kInvalid (its evidence is none),
  /// kThrottled, kUnrecorded.
  void ComplainOfLog(const VaultCaller& caller, const api::LogComplaintRequest& request,
                     Done<api::LogComplaintResponse> done);
  /// The newest checkpoint. Errors also: kNotFound (the log is empty).
  Result<std::string> LogCheckpoint() const;
  /// The bytes of a tile: 32 a hash; of entries, each leaf behind its length in two bytes. Errors also:
  /// kNotFound (the log does not reach so far).
  Result<std::string> LogTile(const TileName& name) const;

  struct Core;

 private:
  explicit Vault(std::unique_ptr<Core> core);
  std::unique_ptr<Core> core_;
};

}  // namespace grantfs

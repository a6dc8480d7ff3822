#pragma once

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "grantfs/api/audit.h"
#include "grantfs/api/freezes.h"
#include "grantfs/api/routes.h"
#include "grantfs/client/home.h"
#include "grantfs/client/list_keeper.h"
#include "grantfs/client/owner_session.h"
#include "grantfs/client/recovery.h"
#include "grantfs/trust/sealing.h"

namespace grantfs {

/// The one implementation; its parts are in owner_*.cpp, by what they do.
class OwnerSessionImpl final : public OwnerSession {
 public:
  OwnerSessionImpl(Home home, PrivateIdentity identity, ClientOptions options)
      : home_(std::move(home)), me_(std::move(identity)), options_(std::move(options)) {}
  ~OwnerSessionImpl() override;
  /// Errors: as KnownStore::Open, VaultConnection::Create.
  Status Start();

  WhoAmIInfo WhoAmI() const override;
  Result<VaultStatusInfo> VaultStatus() override;
  Status CreateEnvironment(const std::string& environment, const std::string& reason) override;
  Result<std::vector<EnvironmentInfo>> ListEnvironments() override;
  Result<std::vector<ProjectInfo>> ListProjects() override;
  Result<std::vector<MemberInfo>> ListMembers(const std::string& environment) override;
  Result<Identity> FindPerson(const std::string& name) override;
  Status AddMember(const std::string& environment, const Identity& member, Role role,
                   const std::string& prefix, const std::string& reason) override;
  Status RemoveMember(const std::string& environment, const std::string& name,
                      const std::string& reason) override;
  Result<std::vector<SetSecretResult>> SetSecrets(const std::vector<NewValue>& values,
                                                  const SetSecretOptions& options) override;
  Result<SetSecretResult> SetSecret(const SecretName& name, const SecretValue& value,
                                    const SetSecretOptions& options) override;
  Result<SetSecretResult> SetTemplate(const SecretName& name, SecretValue text,
                                      const SetSecretOptions& options) override;
  Result<std::vector<SecretName>> WithParts(const std::vector<SecretName>& secrets) override;
  Result<GotSecret> GetSecret(const SecretName& name, const VersionChoice& choice) override;
  Result<std::vector<SecretInfo>> ListSecrets(const std::string& environment,
                                              const std::string& prefix) override;
  Result<SecretSurveys> SurveySecrets(const SecretSurveys& before) override;
  Result<std::vector<SecretInfo>> ListOverdue() override;
  Result<std::vector<VersionInfo>> SecretHistory(const SecretName& name) override;
  Result<std::vector<SecretEvent>> SecretEvents(const SecretName& name) override;
  Result<std::vector<ChangedSecret>> ChangeSecrets(LifeChange change, const std::vector<SecretName>& names,
                                                   const ChangeOptions& options) override;
  Result<std::vector<SecretName>> ExpandSecrets(const std::vector<std::string>& patterns) override;
  Result<InviteResult> Invite(const InviteOptions& options) override;
  Result<std::vector<OpenInvitation>> ListInvitations() override;
  Result<WithdrawResult> WithdrawInvitations(const std::string& name, const std::string& reason) override;
  Result<std::vector<PendingEnrolment>> ListPending() override;
  Result<IdentityInfo> Approve(const std::string& name, const std::string& fingerprint) override;
  Result<std::vector<IdentityInfo>> ListIdentities() override;
  Result<IdentityInfo> ShowIdentity(const std::string& name) override;
  Result<RemoveIdentityResult> RemoveIdentity(const std::string& name, const std::string& reason) override;
  Result<ReviewResult> Review(std::int64_t seconds) override;
  Result<OffboardResult> Offboard(const std::string& name, const std::string& reason, bool dry_run) override;
  Result<std::vector<IdentityInfo>> ListVaultOwners() override;
  Status AddVaultOwner(const Identity& owner, const std::string& reason) override;
  Status RemoveVaultOwner(const std::string& name, const std::string& reason) override;
  Result<GrantResult> GrantTo(const std::string& machine, const std::vector<SecretName>& secrets,
                              const GrantOptions& options) override;
  Result<RevokeResult> RevokeFrom(const std::string& machine, const std::vector<SecretName>& secrets,
                                  const std::string& reason, std::chrono::milliseconds wait) override;
  Result<RevokeResult> RevokeAll(const std::string& machine, const std::string& reason,
                                 std::chrono::milliseconds wait) override;
  Result<std::vector<GrantInfo>> ListGrants(const std::string& machine, const SecretName& secret) override;
  Result<FreezeResult> Freeze(const FreezeTarget& target, const std::string& reason,
                              std::chrono::milliseconds wait) override;
  Result<FreezeResult> Unfreeze(const FreezeTarget& target, const std::string& reason,
                                std::chrono::milliseconds wait) override;
  Result<std::vector<FreezeInfo>> ListFreezes() override;
  Result<bool> SetCanary(const SecretName& name, bool canary) override;
  Result<std::vector<CanaryInfo>> ListCanaries(const std::string& environment) override;
  Result<TripwireInfo> ShowTripwire(const std::string& environment) override;
  Result<TripwireInfo> SetTripwire(const std::string& environment, const TripwireChange& change) override;
  Result<std::vector<AlertSinkInfo>> AlertSinks() override;
  Result<std::uint64_t> TestAlert() override;
  Result<std::vector<AuditLine>> ListAudit(const AuditFilter& filter) override;
  Result<AuditPage> NextAudit(const AuditFilter& filter, std::uint64_t from) override;
  Result<ReadersReport> ReadersOf(const SecretName& name) override;
  Result<AuditProof> ProveAudit(std::optional<std::uint64_t> record) override;
  Result<AuditVerdict> VerifyAudit() override;
  Result<std::size_t> VouchFor(const ListId& list, const std::string& reason) override;
  Result<std::size_t> VoidTail(const ListId& list, const std::string& reason) override;
  Result<RestoreResult> AcceptBackup(const RestoreOptions& options) override;
  Result<ReplacedRecovery> ReplaceRecovery(const std::string& reason) override;
  Result<std::vector<std::string>> FollowRecovery(const std::string& reason) override;
  Status RaiseLevel(std::int64_t level, const std::string& reason) override;

  // ---- as the recovery identity (owner_recovery.cpp)
  /// That this key is the vault's recovery identity. Errors: kDenied.
  Status RequireRecovery();
  /// Makes it an owner of the vault and of each environment. Errors: kDenied (I am not the recovery identity).
  Result<RecoverResult> MakeOwner(const Identity& owner);
  /// Whether every copy that is kept for me opens.
  Result<std::vector<Finding>> RecoveryFindings();

 private:
  using StatementPtr = SignedList::StatementPtr;
  using Batch = std::vector<KnownStore::Verified>;

  // ---- appending (owner_append.cpp)
  std::int64_t Now() const { return options_.clock->WallSeconds(); }
  /// Signs the act as the next statement of a copy of a list, and appends it there: it may stand.
  Result<StatementPtr> Next(SignedList& list, const UpperLists& upper, Act act, const std::string& reason);
  Result<StatementPtr> Next(SecretList& list, const UpperLists& upper, Act act, const std::string& reason);
  Result<StatementPtr> SignNext(SignedList& list, const UpperLists& upper, Statement statement);
  Statement Draft(const SignedList& list, const UpperLists& upper, Act act, const std::string& reason) const;
  /// One atomic append; what was accepted is remembered. @return the vault's change number.
  Result<std::uint64_t> Submit(const Batch& batch);
  /// What becomes of a note about a change that the vault has taken: a warning, unless it shows a fork.
  static Status Noted(const Status& noted);
  /// The append alone.
  Result<std::uint64_t> Send(const Batch& batch);
  /// Runs `attempt` again while it ends in kConflict because others were quicker, a few times.
  template <typename Attempt>
  auto Retry(Attempt attempt) -> decltype(attempt());
  /// Marks an attempt's error as one that no other attempt mends.
  Error Settled(Error error);

  // ---- what commands begin with
  Status RefreshUpper(const std::string& environment);
  /// That I may see the machines, and have their newest list. Errors: kDenied.
  Status RequireMachines();
  /// The environment and that I may do this in it. Errors: kNotFound, kDenied.
  Status Enter(const std::string& environment, Operation operation);
  /// The same for the environments of these, each once.
  Status EnterAll(std::span<const SecretName> secrets, Operation operation);
  /// The environments in which my role allows this.
  Result<std::vector<std::string>> EnvironmentsWith(Operation operation);
  Status RequireVaultOwner();
  void Report(const char* what, std::uint64_t done, std::uint64_t total) const;
  std::string NameOf(const Hash& id) const;

  // ---- secrets
  struct Found {
    std::uint64_t number = 0;
    Head head;
  };
  Result<std::optional<Found>> Find(const SecretName& name);
  /// Errors: kNotFound with the command that shows what there is.
  Result<SecretList> FetchSecret(const SecretName& name);
  struct Listed {
    SecretName name;
    std::uint64_t number = 0;
    Head head;
  };
  std::vector<VersionInfo> VersionsOf(const SecretList& list) const;
  std::vector<GrantInfo> GrantsOf(const SecretName& name, const SecretList& list) const;
  Result<std::shared_ptr<const SecretSurvey>> Survey(const Listed& listed);
  /// Of the lists by which a secret is judged now.
  std::array<Head, 3> HeadsFor(const Listed& listed) const;
  Result<std::vector<Listed>> ListNames(const std::string& environment, const std::string& prefix);
  /// Sends the value ahead, and adds the version (and a secret that is new) to what is to be appended.
  ///
  /// @param set  the id of what is published together, "" if it is alone
  Result<SetSecretResult> PreparePublish(const NewValue& value, const SetSecretOptions& options,
                                         const std::string& set, Batch& batch);
  Result<std::uint64_t> ReserveNumber(const SecretName& name);
  /// Check-and-set. Errors: kConflict (another version than `after`).
  Status CheckAfter(const SecretList& list, const SecretName& name, const SetSecretOptions& options);
  /// Errors: kNotFound (it is deleted), kIntegrity (it was destroyed).
  static Status CheckLives(const SecretList& list, const SecretName& name);
  Status StageVersion(const SecretList& list, const VersionPublish& version,
                      const EncryptedVersion& encrypted, const std::vector<SecretList::Target>& targets);
  Status StageCopies(std::uint64_t number, std::uint32_t version, const Hash& commitment,
                     const SecretMemory& data_key, const std::vector<SecretList::Target>& targets);
  ValueContext ContextOf(std::uint64_t number, const VersionPublish& version) const;

  // ---- labels, deletion, destruction (owner_life.cpp)
  /// The act that does it; none: there is nothing to do.
  Result<std::optional<Act>> ActOf(LifeChange change, const SecretName& name, const SecretList& list,
                                   const ChangeOptions& options);
  Result<Act> RollBackAct(const SecretName& name, const SecretList& list, std::uint32_t to);
  Result<Act> DescribeAct(const SecretList& list, const ChangeOptions& options);
  Result<Act> DestroyAct(const SecretName& name, const SecretList& list,
                         const std::vector<std::uint32_t>& versions);
  std::vector<std::uint32_t> VersionsToPurge(const SecretList& list, const ChangeOptions& options) const;
  Result<ChangedSecret> PrepareChange(LifeChange change, const SecretName& name, const ChangeOptions& options,
                                      Batch& batch);

  // ---- templates (owner_templates.cpp)
  /// Errors: kNotFound (a part is not there), kInvalid (it is no value).
  Status CheckParts(const NewValue& value);
  /// Errors: kInvalid (a template where a value is published, or the other way round).
  static Status CheckType(const SecretList& list, const NewValue& value);
  /// The parts of what is granted, if it is a template / without those that the machine may read.
  static void NamePartsOf(const SecretList& list, GrantOutcome& outcome);
  void DropGrantedParts(std::uint64_t machine, const std::vector<SecretName>& granted, GrantOutcome& outcome);

  // ---- keys of environments (owner_keys.cpp)
  /// The private key of an epoch. Errors: kDenied (I hold no copy), kIntegrity.
  Result<const UnsealKey*> EpochKey(const EnvironmentList& environment, std::uint32_t epoch);
  Status FetchEpochKeys(const EnvironmentList& environment);
  /// Opens the data keys of all versions that the vault keeps and seals them to `target`. @return how many.
  Result<std::size_t> SealVersionsTo(const SecretList& list, const EnvironmentList& environment,
                                     const SecretList::Target& target, bool dry_run);
  Status StageEpoch(const std::string& environment, const NewEpoch& epoch);

  // ---- grants (the environments were entered)
  /// Seals what there is to the machine, and adds the grant to what is to be appended.
  Result<GrantOutcome> PrepareGrant(const MachinesList::Machine& machine, const SecretName& name,
                                    const GrantOptions& options, Batch& batch);
  /// A grant that has ended, and whose it was: several machines had one name, where all but the last were
  /// removed.
  struct Ended {
    SecretName secret;
    std::uint64_t number = 0;  ///< of the machine
    Hash id;
  };
  /// Adds the end of the grants of a machine to what is to be appended. @return none if it has none there.
  Result<std::vector<Ended>> PrepareRevoke(const std::string& machine, const SecretName& name,
                                           const std::string& reason, Batch& batch);
  Result<std::vector<Listed>> SecretsOfMine();
  /// @param each  a secret that is not granted is an error (kNotFound), and nothing of its append is done.
  Result<RevokeResult> RevokeListed(const std::string& machine, const std::vector<SecretName>& secrets,
                                    const std::string& reason, bool each, std::chrono::milliseconds wait);
  Delivery WaitFor(const Hash& machine, std::uint64_t change, std::chrono::milliseconds wait);
  // ---- the audit log (owner_audit.cpp)
  /// Refreshes the lists that names are in. Errors: kInvalid (several have the actor's name).
  Result<api::AuditSearchRequest> SearchFor(const AuditFilter& filter);
  AuditLine NamedLineOf(const AuditEntry& entry) const;
  /// Asks the audit log, newest first, on and on until there is no more or `limit` (0: none) are found.
  Status EachFound(api::AuditSearchRequest request, std::size_t limit,
                   const std::function<void(const AuditEntry&)>& take);
  /// What a machine has read of a secret, by the audit log.
  Result<std::optional<ReadReport>> ReadsOf(const Hash& machine, const SecretName& secret);
  /// The same, and whether the current value is among it.
  Result<std::optional<ReadReport>> ReportOf(const Hash& machine, const SecretName& secret);

  // ---- freezes
  Result<FrozenObject> MachineToFreeze(const std::string& name);
  /// @param left  is given the environments of the project that are not mine to freeze.
  Result<std::vector<FrozenObject>> ProjectToFreeze(const std::string& name, std::vector<std::string>& left);
  Result<FreezeResult> ChangeFreezes(const api::Route& route, const FreezeTarget& target,
                                     const std::string& reason, std::chrono::milliseconds wait);
  EnvironmentDelivery WaitForMachinesOf(const std::string& environment, std::uint64_t change,
                                        std::chrono::steady_clock::time_point until);
  std::vector<FreezeInfo> InfosOf(const std::vector<api::Freeze>& freezes) const;

  // ---- members
  Status RemoveMemberOnce(const std::string& environment, const Hash& id, const std::string& reason);
  /// Vouches in every secret's list whose end would not count without `leaver`.
  Status VouchBefore(const EnvironmentList& after, const std::string& reason);
  Status RemoveVaultOwnerOnce(const Hash& id, const std::string& reason, RemoveIdentityResult* identity_too);
  struct Uses;
  /// What the audit log of an environment tells, newest times alone.
  Result<Uses> UsesIn(const std::string& environment);
  Status ReviewGrants(const std::string& environment, const Uses& uses, ReviewResult& result);
  void ReviewMembers(const std::string& environment, const Uses& uses, ReviewResult& result);
  /// All that the lists tell of one who leaves, nothing due yet.
  Result<OffboardResult> FindLeaver(const std::string& name);
  void EndLeaver(const Hash& id, const std::string& reason, OffboardResult& result);
  Status AddDue(const Hash& id, const std::string& environment, OffboardResult& result);
  Result<IdentityInfo> LetIn(const Enrolment& enrolment);
  Result<std::size_t> Mend(const ListId& list, const std::string& reason, bool vouch);
  /// Nobody if there is none. Errors: kInvalid (several).
  Result<std::optional<Identity>> AnyoneNamed(const std::string& name) const;
  Status EndIdentity(const Identity& who, const std::string& reason, RemoveIdentityResult& result);
  Result<std::vector<OpenInvitation>> OpenInvitations();
  /// The statements for it, each taken into `machines`; counts them.
  Result<std::vector<SignedList::StatementPtr>> Withdraw(MachinesList& machines, const std::string& name,
                                                         const std::string& reason, WithdrawResult& result);
  void RevokeRemoved(const Hash& id, const std::string& reason, RemoveIdentityResult& result);
  Status CheckOwed(const std::string& environment, std::vector<std::string>& owed);

  Status MakeOwnerOf(const std::string& environment, const Identity& owner);
  struct Following {
    StatementPtr statement;
    NewEpoch epoch;
  };
  /// Of an environment, sealed as `vault` says.
  Result<Following> NextEpoch(const std::string& environment, const VaultList& vault, const std::string& reason);
  /// By what this home remembers.
  Result<bool> IsSeenDestroyed(std::uint64_t number);
  class Restorer;  // owner_restore_internal.h
  friend class Restorer;

  Home home_;
  PrivateIdentity me_;
  ClientOptions options_;
  bool reserve_given_up_ = false;
  std::unique_ptr<KnownStore> known_;
  std::unique_ptr<VaultConnection> vault_;
  std::unique_ptr<ListKeeper> keeper_;
  std::map<std::string, std::map<std::uint32_t, UnsealKey>> epoch_keys_;
  /// What NextAudit was asked for last, with the actor's name resolved.
  std::optional<std::pair<AuditFilter, api::AuditSearchRequest>> following_;
  bool settled_ = false;  ///< what Retry must not try again
};

/// How often an append is tried while others change the same lists.
inline constexpr int kAppendAttempts = 5;
/// Lists of one append: what is named together is done together, up to so many.
inline constexpr std::size_t kListsAtOnce = 100;
/// Copies of keys that are sent ahead of one append: a vault keeps so many waiting for a signer, and no more.
inline constexpr std::size_t kCopiesAtOnce = 20'000;

/// The same error; where something was appended before it, a warning says how much.
Error Halfway(const Error& error, std::size_t done, std::size_t all);

/// By the name or id of a machine.
bool IsGrantedTo(const SecretList& list, const std::string& machine);

template <typename Attempt>
auto OwnerSessionImpl::Retry(Attempt attempt) -> decltype(attempt()) {
  for (int tries = 1;; ++tries) {
    settled_ = false;
    auto result = attempt();
    if (result || settled_ || result.error().code != Code::kConflict || tries == kAppendAttempts)
      return result;
  }
}

}  // namespace grantfs

#pragma once

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "client/log/log_judge_internal.h"
#include "grantfs/api/audit.h"
#include "grantfs/api/freezes.h"
#include "grantfs/api/routes.h"
#include "grantfs/client/recovery.h"
#include "grantfs/trust/accept_line.h"
#include "grantfs/trust/sealing.h"
#include "owner_base_internal.h"
#include "owner_names_internal.h"
#include "owner_traces_internal.h"

namespace grantfs {

/// The one implementation; its parts are in owner_*.cpp, by what they do.
class OwnerSessionImpl final : public OwnerBase {
 public:
  using OwnerBase::OwnerBase;

  WhoAmIInfo WhoAmI() const override;
  Result<VaultStatusInfo> VaultStatus() override;
  Status CreateEnvironment(const std::string& environment, const std::string& reason) override;
  Result<std::vector<EnvironmentInfo>> ListEnvironments() override;
  Result<std::vector<ProjectInfo>> ListProjects() override;
  Result<std::vector<MemberInfo>> ListMembers(const std::string& environment) override;
  Result<Identity> FindPerson(const std::string& name) override;
  Result<std::vector<std::string>> AddMember(const std::string& environment, const Identity& member,
                                             Role role, const std::string& prefix,
                                             const std::string& reason) override;
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
  Result<std::vector<GroupSurvey>> SurveyGroups() override;
  Result<std::vector<SecretInfo>> ListOverdue() override;
  Result<std::vector<VersionInfo>> SecretHistory(const SecretName& name) override;
  Result<std::vector<SecretEvent>> SecretEvents(const SecretName& name) override;
  Result<std::vector<ChangedSecret>> ChangeSecrets(LifeChange change, const std::vector<SecretName>& names,
                                                   const ChangeOptions& options) override;
  Result<std::vector<SecretName>> ExpandSecrets(const std::vector<std::string>& patterns) override;
  Result<InviteResult> Invite(const InviteOptions& options) override;
  Result<InviteResult> InviteStanding(const StandingOptions& options) override;
  Result<std::vector<OpenInvitation>> ListInvitations() override;
  Result<WithdrawResult> WithdrawInvitations(const std::string& name, const std::string& reason) override;
  Result<std::vector<PendingEnrolment>> ListPending() override;
  Result<IdentityInfo> Approve(const std::string& name, const std::string& fingerprint,
                               std::int64_t lives) override;
  Result<RekeyResult> ApproveRekey(const std::string& name, const RekeyOptions& options) override;
  Result<RekeyResult> RekeyMember(const std::string& environment, const std::string& name,
                                  const RekeyOptions& options) override;
  Result<std::vector<PendingEnrolment>> CheckRequests(const std::vector<EnrolmentRequest>& requests) override;
  Result<AdmitResult> Admit(const std::vector<EnrolmentRequest>& requests, std::int64_t lives,
                            const std::string& reason) override;
  Result<std::string> AcceptLineFor(const std::string& name) override;
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
  Result<GrantResult> GrantPrefix(const std::string& who, const std::string& environment,
                                  const std::string& prefix, const GrantOptions& options) override;
  Result<RevokeResult> RevokePrefix(const std::string& who, const std::string& environment,
                                    const std::string& prefix, const std::string& reason,
                                    std::chrono::milliseconds wait) override;
  Result<GroupChange> CreateGroup(const std::string& environment, const std::string& name,
                                  const std::vector<std::string>& machines,
                                  const GroupOptions& options) override;
  Result<GroupChange> AddToGroup(const std::string& environment, const std::string& name,
                                 const std::vector<std::string>& machines,
                                 const GroupOptions& options) override;
  Result<GroupChange> RemoveFromGroup(const std::string& environment, const std::string& name,
                                      const std::vector<std::string>& machines,
                                      const GroupOptions& options) override;
  Status DeleteGroup(const std::string& environment, const std::string& name,
                     const GroupOptions& options) override;
  Result<std::vector<GroupInfo>> ListGroups(const std::string& environment, const std::string& name) override;
  Result<RevokeResult> RevokeAll(const std::string& machine, const std::string& reason,
                                 std::chrono::milliseconds wait) override;
  Result<std::vector<GrantInfo>> ListGrants(const std::string& machine, const SecretName& secret) override;
  Result<RequestInfo> AskFor(const std::string& environment, AnyAsk ask, const std::string& reason,
                             std::int64_t seconds) override;
  Result<std::vector<RequestInfo>> ListRequests(const RequestQueryOptions& options) override;
  Result<ApproveResult> ApproveRequest(const std::string& id, const ApproveOptions& options) override;
  Result<RequestInfo> RefuseRequest(const std::string& id, const std::string& reason) override;
  Result<RequestInfo> WithdrawRequest(const std::string& id, const std::string& reason) override;
  Result<std::vector<std::string>> SetTwoOwners(const std::string& environment, bool on,
                                                const std::string& reason) override;
  Result<bool> HasTwoOwners(const std::string& environment) override;
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
  Result<TlsKeys> ShowTlsKeys() override;
  Result<TlsKeys> MakeTlsKey() override;
  Result<TlsKeys> AnnounceTlsKey(const std::optional<Hash>& expected, const std::string& reason) override;
  Result<TlsKeys> SwitchTlsKey(bool force, const std::string& reason) override;
  Result<std::vector<AuditLine>> ListAudit(const AuditFilter& filter) override;
  Result<AuditPage> NextAudit(const AuditFilter& filter, std::uint64_t from) override;
  Result<ReadersReport> ReadersOf(const SecretName& name) override;
  Result<std::vector<AuditPurge>> AuditPurges() override;
  Result<AuditProof> ProveAudit(std::optional<std::uint64_t> record) override;
  Result<AuditVerdict> VerifyAudit() override;
  Result<std::vector<LostStatement>> MendList(const ListId& list, const MendOptions& options) override;
  Result<RestoreResult> AcceptBackup(const RestoreOptions& options) override;
  Result<ReplacedRecovery> ReplaceRecovery(const std::string& reason) override;
  Result<std::vector<std::string>> FollowRecovery(const std::string& reason) override;
  Status RaiseLevel(std::int64_t level, const std::string& reason) override;

  // ---- as the recovery identity (owner_recovery.cpp)
  /// That this key is the vault's recovery identity. Errors: kDenied.
  Status RequireRecovery();
  /// Makes it an owner of the vault and of each environment. Errors: kDenied (I am not recovery).
  Result<RecoverResult> MakeOwner(const Identity& owner);
  /// Whether every copy that is kept for me opens.
  Result<std::vector<Finding>> RecoveryFindings();

 private:
  using Waiting = std::map<std::string, std::vector<AskConsent::Item>>;  ///< by environment

  // ---- the server's key (owner_tls.cpp)
  Result<std::vector<std::string>> NotHeardSince(std::int64_t time);
  Status CheckAllHeard(const Hash& next);

  // ---- secrets
  std::vector<VersionInfo> VersionsOf(const SecretList& list) const;
  std::vector<GrantInfo> GrantsOf(const SecretName& name, const SecretList& list) const;
  Result<std::shared_ptr<const SecretSurvey>> Survey(const Listed& listed);
  /// Of the lists by which a secret is judged now.
  std::array<Head, 3> HeadsFor(const Listed& listed) const;
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
  void DropGrantedParts(const std::string& who, const std::vector<SecretName>& granted,
                        GrantOutcome& outcome);

  // ---- grants (the environments were entered)
  /// Seals what there is to the machine, and adds the grant to what is to be appended.
  /// @param waiting  is added to instead, where the environment asks for two owners' signatures.
  Result<GrantOutcome> PrepareGrant(const std::string& machine, const SecretName& name,
                                    const GrantOptions& options, Batch& batch, Waiting& waiting);
  /// A grant that has ended, and whose it was: several machines had one name, where all but the last were
  /// removed.
  struct Ended {
    SecretName secret;
    std::uint64_t number = 0;  ///< of the machine
    Hash id;
    bool group = false;
  };
  /// Adds the end of the grants of a machine to what is to be appended. @return none if it has none there.
  Result<std::vector<Ended>> PrepareRevoke(const std::string& machine, const SecretName& name,
                                           const std::string& reason, Batch& batch);
  Result<std::vector<Listed>> SecretsOfMine();
  /// @param each  a secret that is not granted is an error (kNotFound), and nothing of its append is done.
  Result<RevokeResult> RevokeListed(const std::string& machine, const std::vector<SecretName>& secrets,
                                    const std::string& reason, bool each, std::chrono::milliseconds wait);
  /// The machines that may read a secret, by name; `report` is told of groups that I cannot look into.
  Result<std::vector<GrantInfo>> WhoMayRead(const SecretName& name, const SecretList& list,
                                            ReadersReport& report);
  // ---- the audit log (owner_audit.cpp)
  /// Refreshes the lists that names are in. Errors: kInvalid (several have the actor's name).
  Result<api::AuditSearchRequest> SearchFor(const AuditFilter& filter);
  /// With what the home remembers, and remembers it; what contradicts is told to the vault.
  Result<Checkpoint> CompareLog(const ShownLog& log);
  void Complain(bool good);
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
  Result<FrozenObject> MachineToFreezeIn(const std::string& environment, const std::string& name);
  /// The machines that are granted something in an environment, by the grants there.
  Status LearnGrantees(const std::string& environment);
  std::map<Hash, std::string> grantees_;
  /// @param left  is given the environments of the project that are not mine to freeze.
  Result<std::vector<FrozenObject>> ProjectToFreeze(const std::string& name, std::vector<std::string>& left);
  Result<FreezeResult> ChangeFreezes(const api::Route& route, const FreezeTarget& target,
                                     const std::string& reason, std::chrono::milliseconds wait);
  EnvironmentDelivery WaitForMachinesOf(const std::string& environment, std::uint64_t change,
                                        std::chrono::steady_clock::time_point until);
  std::vector<FreezeInfo> InfosOf(const std::vector<api::Freeze>& freezes) const;

  // ---- groups (owner_groups.cpp). Whoever uses them has entered the environment, with the newest machines
  Status EnterGroups(const std::string& environment);
  /// @param after  without the one who leaves.
  Status VouchInGroups(const EnvironmentList& after, const std::string& reason);
  Result<std::vector<Grantee>> MachinesNamed(const std::vector<std::string>& names) const;
  Result<std::vector<StatementPtr>> NextMachines(GroupList& list, const UpperLists& upper,
                                                 const std::vector<Grantee>& machines, const UnsealKey& key,
                                                 std::uint32_t epoch, const std::string& reason);
  /// Takes machines out, and starts the next epoch in the same append.
  Result<std::uint64_t> TakeOut(const std::string& environment, GroupList group,
                                const std::vector<std::uint64_t>& machines, const std::string& reason);
  Status CheckGroupsOwed(const std::string& environment, std::vector<std::string>& owed);
  void LeaveGroups(const Hash& machine, const std::string& environment, const std::string& reason,
                   RemoveIdentityResult& result);
  static std::vector<std::string> MachineNamesOf(const std::vector<Grantee>& machines);
  /// Those (nullptr: all) of an environment that was entered, by number; their machines if I own it.
  Result<std::vector<GroupSurvey>> GroupsIn(const std::string& place, const std::set<std::uint64_t>* only);
  // ---- owner_prefixes.cpp
  struct GrantedTo {
    Grantee grantee;
    SecretList::Target target;
  };
  /// "web-1" (number 0: there is none), or "@web" of the environment. Errors: kNotFound (no such group).
  Result<GrantedTo> GranteeNamed(const std::string& who, const std::string& environment);
  std::vector<GrantInfo> PrefixGrantsIn(const EnvironmentList& list) const;
  /// Of which groups a machine is: "@web". None where I may not know.
  Result<std::set<std::string>> GroupsOf(const std::string& environment, const std::string& machine);
  // ---- requests (owner_requests.cpp)
  Result<SignedRequest> SignRequest(const std::string& environment, AnyAsk ask, const std::string& reason,
                                    std::int64_t time, std::int64_t expires);
  Result<Hash> SendRequest(const SignedRequest& request);
  /// Makes a request of this time and sends it. What was asked before in the same second, and settled, would
  /// be the same request: then it is one of the next.
  Result<SignedRequest> SendNewRequest(const std::function<Result<SignedRequest>(std::int64_t time)>& make);
  RequestInfo RequestInfoOf(const SignedRequest& request) const;
  Result<std::vector<RequestInfo>> RequestsIn(const std::string& environment, bool mine, bool all);
  static void NameWaiting(std::vector<RequestInfo>& infos);
  Result<RequestInfo> FindRequest(const std::string& id, bool mine);
  Result<RequestInfo> Settle(RequestInfo info, RequestState state, const std::string& reason);
  Status AddOpenRequests(const std::string& environment, VaultStatusInfo& info);
  // ---- approvals (owner_approve.cpp)
  Status Approve(const AskGrant& ask, const ApproveOptions& options, ApproveResult& result);
  Status Approve(const AskRevoke& ask, const ApproveOptions& options, ApproveResult& result);
  Status Approve(const AskMember& ask, const ApproveOptions& options, ApproveResult& result);
  Status Approve(const AskRotation& ask, const ApproveOptions& options, ApproveResult& result);
  Status Approve(const AskConsent& ask, const ApproveOptions& options, ApproveResult& result);
  // ---- two owners (owner_consents.cpp)
  /// Unsigned as yet, and without its times.
  AskConsent::Item ConsentTo(const SignedList& list, const UpperLists& upper, Act act) const;
  /// Signs them, and leaves them to another owner. @return ids of the requests.
  Result<std::vector<std::string>> Propose(const std::string& environment,
                                           std::vector<AskConsent::Item> items, const std::string& reason);
  /// To put them into a group, as many at once as a statement holds.
  std::vector<AskConsent::Item> ConsentToMachines(const GroupList& group, const UpperLists& upper,
                                                  const std::vector<Grantee>& machines) const;
  /// What stands by one owner's signature, to be signed by two: grants, and what is in groups.
  Result<std::vector<AskConsent::Item>> StandingGrants(const std::string& environment);
  Result<std::vector<AskConsent::Item>> StandingInGroups(const std::string& environment);
  class Seconding;                                                // owner_seconds_internal.h
  using Leads = std::set<std::pair<std::uint64_t, std::string>>;  ///< a group's number, an invitation's id
  void StartFor(const std::string& environment, const Leads& led);
  // ---- members
  Status ChangeMember(EnvironmentList list, MemberChange change, const std::string& reason);
  /// @param instead  gets the role that ends, in the same append; nullptr: nobody.
  Status RemoveMemberOnce(const std::string& environment, const Hash& id, const std::string& reason,
                          const Identity* instead = nullptr);
  // ---- what one who leaves has signed (owner_vouch.cpp)
  /// Vouches in every secret's list whose end would not count any more after `ending`, the statement that
  /// takes a role from `leaver` (`after`: the environment's list with it). Before the first vouch the vault
  /// is asked for that: it refuses, and freezes what the leaver appends.
  Status VouchBefore(const EnvironmentList& after, const Hash& leaver, const StatementPtr& ending,
                     const std::string& reason);
  struct Vouching;
  Status VouchIn(Vouching& vouching, std::span<const Listed> secrets, const std::string& reason);
  Status SendVouches(Vouching& vouching);
  Status FreezeLeaver(Vouching& vouching);
  SecretTraces traces_;
  Status RemoveVaultOwnerOnce(const Hash& id, const std::string& reason, RemoveIdentityResult* identity_too);
  /// What he leaves in the list of machines: a vouch where one is needed, and his standing invitations' end.
  Result<std::vector<StatementPtr>> EndPromises(const Hash& owner, const VaultList& after,
                                                MachinesList& machines, const std::string& reason);
  struct Uses;
  /// What the audit log of an environment tells, newest times alone.
  Result<Uses> UsesIn(const std::string& environment);
  Status ReviewGrants(const std::string& environment, const Uses& uses, ReviewResult& result);
  class Reviewing;
  void ReviewMembers(const std::string& environment, const Uses& uses, ReviewResult& result);
  /// All that the lists tell of one who leaves, nothing due yet.
  Result<OffboardResult> FindLeaver(const std::string& name);
  void EndLeaver(const Hash& id, const std::string& reason, OffboardResult& result);
  Status AddDue(const Hash& id, const std::string& environment, OffboardResult& result);
  Status TraceAll(const std::string& environment, const std::vector<Listed>& secrets,
                  std::vector<std::string>& problems);
  Result<IdentityInfo> LetIn(const Enrolment& enrolment, std::int64_t lives);

  // ---- many machines (owner_fleet.cpp)
  /// Takes away what has ended by itself: machines past their end, standing invitations that have expired. It
  /// goes along with whatever an owner does to the list. Each statement is taken into `machines`.
  Result<std::vector<StatementPtr>> Tidy(MachinesList& machines);
  /// Those that came by it and are in still.
  std::vector<std::string> LetInBy(const MachinesList& machines, const std::string& standing) const;
  /// Refreshes, and says of each request what stands against it.
  Result<std::vector<Status>> JudgeRequests(const std::vector<EnrolmentRequest>& requests);
  /// Appends some. @return their lines' machines
  Result<std::vector<AdmittedMachine>> AdmitSome(std::span<const EnrolmentRequest> requests,
                                                 std::int64_t lives, const std::string& reason);
  /// Asks for a second owner's signature under it, where two sign. @return ids of the requests.
  Result<std::vector<std::string>> ProposeLeads(const std::vector<std::string>& places,
                                                const StandingInvitation& invitation, std::uint64_t number);
  /// What makes a standing invitation lead into a group. @param number  of its statement
  Result<KnownStore::Verified> LeadInto(const std::string& place, const StandingInvitation& invitation,
                                        std::uint64_t number);
  /// Adds to what is to be appended that these invitations lead into no group of mine any more, and the next
  /// epochs of those that they did. @param groups  is given their names: "shop/prod@web"
  Status ShutOut(const std::set<std::string>& invitations, const MachinesList& machines,
                 const std::string& reason, Batch& batch, std::vector<std::string>& groups);
  /// The same in an append of its own.
  Status ShutOutNow(const std::set<std::string>& invitations, const std::string& reason,
                    std::vector<std::string>& groups);
  /// Of those that Tidy withdrew. What cannot be done is told as a warning.
  void ShutOutExpired();
  AcceptLine LineFor(const Hash& identity) const;
  Result<SecretMemory> InviteLineOf(const InviteSecret& secret, IdentityKind kind, const std::string& name,
                                    bool standing) const;
  Result<std::vector<LostStatement>> MendOnce(const ListId& id, const MendOptions& options);
  Result<SecretName> RefreshAbove(const ListId& id);
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
    std::vector<StatementPtr> statements;  ///< its own, and those of its groups
    NewEpoch epoch;
  };
  /// Of an environment, sealed as `vault` says; the groups' keys are sent ahead.
  Result<Following> NextEpoch(const std::string& environment, const VaultList& vault,
                              const std::string& reason);
  /// By what this home remembers.
  Result<bool> IsSeenDestroyed(std::uint64_t number);
  class Restorer;  // owner_restore_internal.h
  class Rekeyer;   // owner_rekey.cpp

  /// What NextAudit was asked for last, with the actor's name resolved.
  std::optional<std::pair<AuditFilter, api::AuditSearchRequest>> following_;
  std::set<std::string> expired_standing_;  ///< that Tidy withdrew, whose groups have no new keys yet
};

}  // namespace grantfs

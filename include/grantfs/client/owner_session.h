#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "grantfs/client/audit.h"
#include "grantfs/client/group_results.h"
#include "grantfs/client/options.h"
#include "grantfs/client/owner_results.h"
#include "grantfs/client/rekey_results.h"
#include "grantfs/client/request_results.h"
#include "grantfs/store/audit_purge.h"
#include "grantfs/trust/enrol_request.h"
#include "grantfs/trust/statement.h"
#include "grantfs/util/result.h"

namespace grantfs {

/// A person's or agent's side of a vault: what commands do. Everything that the vault says is verified
/// against lists that the home remembers; everything that is changed is signed here. Blocks. Threads: one at
/// a time.
///
/// Errors of all functions, beside their own: kUnreachable, kUnauthentic (the vault does not accept this
/// key), kDenied (the role does not allow it), kNotFound (no such thing, or not visible), kConflict (others
/// changed the same thing, again and again), kIntegrity (the vault serves something forged, forked or rolled
/// back: which list, and why), kThrottled, kUnrecorded, kIo. `where` is a whole clause with the mend;
/// `subject` says which thing.
class OwnerSession {
 public:
  static constexpr std::size_t kMaxSetAtOnce = 250;  ///< secrets of one SetSecrets

  /// Errors: as Home::Open; kInvalid (the home is a machine's).
  static Result<std::unique_ptr<OwnerSession>> Open(const std::string& home_directory,
                                                    ClientOptions options = {});
  virtual ~OwnerSession() = default;

  virtual WhoAmIInfo WhoAmI() const = 0;  ///< asks nothing of the vault
  virtual Result<VaultStatusInfo> VaultStatus() = 0;

  // ---- environments

  /// Makes it, and oneself its owner. Vault owners. Errors: kInvalid (name), kConflict (exists).
  virtual Status CreateEnvironment(const std::string& environment, const std::string& reason) = 0;
  virtual Result<std::vector<EnvironmentInfo>> ListEnvironments() = 0;
  virtual Result<std::vector<ProjectInfo>> ListProjects() = 0;
  virtual Result<std::vector<MemberInfo>> ListMembers(const std::string& environment) = 0;
  /// A user or agent of the vault's list, or an owner of the vault, by name or id: whoever can be made a
  /// member. Errors: kNotFound (nobody, or a machine), kInvalid (several).
  virtual Result<Identity> FindPerson(const std::string& name) = 0;
  /// Adds a user or agent, whose keys FindPerson gave or were learnt elsewhere. An owner or reader is sealed
  /// the newest epoch's key. One who is a member gets that role in place of his own, in one step, with the
  /// vouches and the epoch that this needs. Environment owners. Errors: kInvalid (an agent as owner or
  /// reader; oneself), kConflict (has that role).
  ///
  /// @return  ids of the request by which a new owner waits for a second owner's signature, where the
  /// environment asks for two; else none, and it is done.
  virtual Result<std::vector<std::string>> AddMember(const std::string& environment, const Identity& member,
                                                     Role role, const std::string& prefix,
                                                     const std::string& reason) = 0;
  /// Removes one, vouches for what needs it, and starts a new epoch where an owner or reader leaves.
  virtual Status RemoveMember(const std::string& environment, const std::string& name,
                              const std::string& reason) = 0;

  // ---- secrets

  /// Publishes a version of each; makes the secrets that there are not. All in one change, or nothing.
  /// Errors: kInvalid (a name, a size, a name that comes twice, too many), kConflict (another version than
  /// `after`).
  ///
  /// @param values  at most kMaxSetAtOnce
  /// @return one for each value, in their order
  virtual Result<std::vector<SetSecretResult>> SetSecrets(const std::vector<NewValue>& values,
                                                          const SetSecretOptions& options) = 0;
  /// The same for one.
  virtual Result<SetSecretResult> SetSecret(const SecretName& name, const SecretValue& value,
                                            const SetSecretOptions& options) = 0;
  /// The same for a template: a text with `{{ name }}` for values of secrets of its environment (crypto's
  /// template.h). Errors, beside those: kInvalid (the text, with its line), kNotFound (a secret that it
  /// names).
  virtual Result<SetSecretResult> SetTemplate(const SecretName& name, SecretValue text,
                                              const SetSecretOptions& options) = 0;
  /// These and the parts of the templates among them, each once, parts before templates. Errors: kNotFound.
  virtual Result<std::vector<SecretName>> WithParts(const std::vector<SecretName>& secrets) = 0;
  /// Reads a value; the vault records it. Owners and readers. Errors: kNotFound (secret, version or label).
  virtual Result<GotSecret> GetSecret(const SecretName& name, const VersionChoice& choice) = 0;
  /// Ordered by path. @param prefix "" or the beginning of paths ("tls/").
  virtual Result<std::vector<SecretInfo>> ListSecrets(const std::string& environment,
                                                      const std::string& prefix) = 0;
  /// Those of all environments that one may list whose rotation is overdue, the longest first, and those
  /// whose list does not verify.
  virtual Result<std::vector<SecretInfo>> ListOverdue() = 0;
  /// Every secret that one may list, ordered by full name.
  ///
  /// @param before an earlier answer: what it has of lists that have not moved since is taken over,
  /// unverified anew.
  virtual Result<SecretSurveys> SurveySecrets(const SecretSurveys& before) = 0;
  /// The groups of those environments, by environment, then number. One request for each.
  virtual Result<std::vector<GroupSurvey>> SurveyGroups() = 0;
  /// Newest first; with those that were destroyed.
  virtual Result<std::vector<VersionInfo>> SecretHistory(const SecretName& name) = 0;
  /// All that was signed of it, the newest first.
  virtual Result<std::vector<SecretEvent>> SecretEvents(const SecretName& name) = 0;
  /// Does one thing to secrets, all or none by the hundred as GrantTo. Rolls back, promotes or withdraws a
  /// version, and describes: owners and writers; else owners. Errors: kNotFound (a secret, or the version),
  /// kConflict (it is so already), kInvalid (a version that cannot be rolled back to, or destroyed).
  virtual Result<std::vector<ChangedSecret>> ChangeSecrets(LifeChange change,
                                                           const std::vector<SecretName>& names,
                                                           const ChangeOptions& options) = 0;
  /// Names of secrets: each pattern is a full name, or one that ends in "/*" and stands for all that are
  /// below it now. Errors: kNotFound (a pattern that matches nothing), kInvalid.
  virtual Result<std::vector<SecretName>> ExpandSecrets(const std::vector<std::string>& patterns) = 0;

  // ---- identities

  virtual Result<InviteResult> Invite(const InviteOptions& options) = 0;
  /// An invitation that lets many machines in without an approval of each. Vault owners; for its groups their
  /// environments' owners too. Where two sign, it leads into the group once another has approved that
  /// (InviteResult::waiting), with whoever has come by it before. Errors also: kNotFound (group).
  virtual Result<InviteResult> InviteStanding(const StandingOptions& options) = 0;
  /// Those that can be used, or were used by a request that waits. Vault owners.
  virtual Result<std::vector<OpenInvitation>> ListInvitations() = 0;
  /// Takes back what is open: whoever holds one of these is not let in, and requests that were made with them
  /// are gone. Vault owners. Errors: kNotFound (none is open).
  ///
  /// @param name  whom they let in, or one's id
  virtual Result<WithdrawResult> WithdrawInvitations(const std::string& name, const std::string& reason) = 0;
  virtual Result<std::vector<PendingEnrolment>> ListPending() = 0;
  /// Lets the pending enrolment of that name in.
  ///
  /// @param fingerprint what the person saw on the other machine, "" = was compared by eye.
  /// @param lives  of a machine: for how long, in seconds; 0 = as its invitation says.
  /// Errors: kNotFound (none pending), kIntegrity (another fingerprint; not made with the invitation),
  /// kConflict (two pending).
  virtual Result<IdentityInfo> Approve(const std::string& name, const std::string& fingerprint,
                                       std::int64_t lives = 0) = 0;
  /// Lets the pending enrolment of that name in as a new key of the user or agent of this name, whose key
  /// before is removed from the vault for good; and gives it that one's roles in the environments that I own.
  /// Vault owners, and none of them his own. Errors: as Approve; kInvalid (my own key, another kind),
  /// kConflict (too few owners are left in an environment without the key before, and `lost` was not said).
  virtual Result<RekeyResult> ApproveRekey(const std::string& name, const RekeyOptions& options) = 0;
  /// The same for one environment, where a member's key was replaced in the vault: the role moves, with
  /// vouches for what the key before signed, and a new epoch where that one could read. Environment owners.
  /// Errors: kNotFound (no member of that name or id whose key was replaced), kIntegrity (another
  /// fingerprint), kDenied (that key was removed too).
  virtual Result<RekeyResult> RekeyMember(const std::string& environment, const std::string& name,
                                          const RekeyOptions& options) = 0;
  /// What stands against letting these in: of each a `problem`, "" for none. Vault owners.
  virtual Result<std::vector<PendingEnrolment>> CheckRequests(
      const std::vector<EnrolmentRequest>& requests) = 0;
  /// Lets in machines that have asked without an invitation, hundreds in one change. Where something stands
  /// against one, none is let in. Vault owners. Errors: kConflict (a name or key is taken, or stands twice),
  /// kExpired, kInvalid (lives).
  virtual Result<AdmitResult> Admit(const std::vector<EnrolmentRequest>& requests, std::int64_t lives,
                                    const std::string& reason) = 0;
  /// The line once more that grantfs enroll --accept takes on a machine that was let in. Errors: kNotFound.
  virtual Result<std::string> AcceptLineFor(const std::string& name) = 0;
  virtual Result<std::vector<IdentityInfo>> ListIdentities() = 0;
  virtual Result<IdentityInfo> ShowIdentity(const std::string& name) = 0;
  /// Ends a machine (user, agent): removed in the machines and vault lists at once, its grants revoked in the
  /// environments that one owns. Says what it has read. Vault owners. Calling it again finishes what was
  /// left.
  virtual Result<RemoveIdentityResult> RemoveIdentity(const std::string& name, const std::string& reason) = 0;

  /// The grants that no read was recorded under, the machines that have read nothing by a group that they are
  /// in, and the members that nothing was recorded of, for so many seconds or since they were made, if that
  /// is longer ago. A group's grant is used where any of its machines reads by it. Of the environments whose
  /// secrets and audit log are mine to see.
  virtual Result<ReviewResult> Review(std::int64_t seconds) = 0;

  /// Ends all that a user or agent is, as far as it is mine to end: for an owner of the vault its place in
  /// the vault and every membership in the environments that I own, else those memberships. Vouches for what
  /// it signed, starts new epochs, and names the secrets whose current value it could read or has set.
  /// Calling it again finishes what was left and names what is due still.
  ///
  /// @param dry_run  changes nothing: says what would be ended. Errors: kNotFound, kInvalid (several; a
  /// machine; oneself).
  virtual Result<OffboardResult> Offboard(const std::string& name, const std::string& reason,
                                          bool dry_run) = 0;

  /// Owners of the vault, and recovery. Whoever the vault knows may ask.
  virtual Result<std::vector<IdentityInfo>> ListVaultOwners() = 0;
  /// Makes a user one more owner of the vault / ends that. Vault owners.
  virtual Status AddVaultOwner(const Identity& owner, const std::string& reason) = 0;
  virtual Status RemoveVaultOwner(const std::string& name, const std::string& reason) = 0;

  // ---- grants

  /// `machine` is a machine's name, or "@web": a group of each secret's environment. Seals the keys of every
  /// version kept to it, appends the grants, and waits until its mount has
  /// them or it is known to be offline. Up to 100 secrets are granted all or none; of more, the hundreds that
  /// were appended before an error stay granted. Errors: kNotFound (machine or secret), kDenied (the machine
  /// was removed), kExpired (its not_after), kInvalid (terms).
  ///
  /// @param secrets  each named once
  virtual Result<GrantResult> GrantTo(const std::string& machine, const std::vector<SecretName>& secrets,
                                      const GrantOptions& options) = 0;
  /// All or none by the hundred, as GrantTo. Errors: kNotFound (one is not granted).
  ///
  /// @param secrets  each named once
  virtual Result<RevokeResult> RevokeFrom(const std::string& machine, const std::vector<SecretName>& secrets,
                                          const std::string& reason, std::chrono::milliseconds wait) = 0;
  /// Lets a group read whatever is or will be below a prefix; seals the keys of what is there now.
  /// Environment owners. Errors: kNotFound (group), kInvalid (a machine; terms).
  ///
  /// @param who     "@web"
  /// @param prefix  "" or "tls/"
  virtual Result<GrantResult> GrantPrefix(const std::string& who, const std::string& environment,
                                          const std::string& prefix, const GrantOptions& options) = 0;
  virtual Result<RevokeResult> RevokePrefix(const std::string& who, const std::string& environment,
                                            const std::string& prefix, const std::string& reason,
                                            std::chrono::milliseconds wait) = 0;
  /// Everything in the environments that one owns.
  virtual Result<RevokeResult> RevokeAll(const std::string& machine, const std::string& reason,
                                         std::chrono::milliseconds wait) = 0;
  /// Those of a machine ("" = all) on secrets of one name ("" parts = all). Ordered by secret, then machine.
  virtual Result<std::vector<GrantInfo>> ListGrants(const std::string& machine, const SecretName& secret) = 0;

  // ---- groups: environment owners. Names of machines are those of the vault

  /// Where two owners sign, it is made without machines, which wait (GroupChange::waiting). Errors: kConflict
  /// (it exists), kNotFound (a machine).
  virtual Result<GroupChange> CreateGroup(const std::string& environment, const std::string& name,
                                          const std::vector<std::string>& machines,
                                          const GroupOptions& options) = 0;
  /// Those that are in it already stay; where two owners sign, the others wait. Errors: kNotFound (group or
  /// machine).
  virtual Result<GroupChange> AddToGroup(const std::string& environment, const std::string& name,
                                         const std::vector<std::string>& machines,
                                         const GroupOptions& options) = 0;
  /// Takes machines out and starts the group's next key, which they do not have. Errors: kNotFound.
  virtual Result<GroupChange> RemoveFromGroup(const std::string& environment, const std::string& name,
                                              const std::vector<std::string>& machines,
                                              const GroupOptions& options) = 0;
  virtual Status DeleteGroup(const std::string& environment, const std::string& name,
                             const GroupOptions& options) = 0;
  /// By number. Members of the environment; who is in a group its owners alone. @param name  "" = all
  virtual Result<std::vector<GroupInfo>> ListGroups(const std::string& environment,
                                                    const std::string& name) = 0;

  // ---- requests: what operators and agents ask owners for

  /// Asks for something, for so many seconds (1..kMaxRequestSeconds). Whose role allows asking. Errors:
  /// kConflict (too many are open).
  virtual Result<RequestInfo> AskFor(const std::string& environment, AnyAsk ask, const std::string& reason,
                                     std::int64_t seconds) = 0;
  /// By environment, newest first. One's own, or as an owner everybody's.
  virtual Result<std::vector<RequestInfo>> ListRequests(const RequestQueryOptions& options) = 0;
  /// Does what was asked for, from what its asker signed and one's own verified lists; what needs two owners
  /// waits for the other. Owners. Errors: kNotFound, kConflict (it is settled), kDenied (the asker may not,
  /// or no more; one's own signature is both), and those of the act.
  ///
  /// @param id  or its first digits, at least 6
  virtual Result<ApproveResult> ApproveRequest(const std::string& id, const ApproveOptions& options) = 0;
  virtual Result<RequestInfo> RefuseRequest(const std::string& id, const std::string& reason) = 0;
  /// One's own.
  virtual Result<RequestInfo> WithdrawRequest(const std::string& id, const std::string& reason) = 0;

  // ---- the two-owner rule

  /// Asks the other owners to sign that two owners sign from now on, or that one is enough; for the first
  /// also every standing grant, and the machines and standing invitations that are in groups. Owners. Errors:
  /// kConflict (it is so), kInvalid (there is one owner).
  /// @return ids of the requests, in the order in which they are approved.
  virtual Result<std::vector<std::string>> SetTwoOwners(const std::string& environment, bool on,
                                                        const std::string& reason) = 0;
  virtual Result<bool> HasTwoOwners(const std::string& environment) = 0;

  // ---- freezes

  /// Stops all reads of a machine, an environment, or those environments of a project that one may freeze;
  /// what is frozen already stays as it is. It waits for the mounts that are online. Environment owners and
  /// operators; of a machine vault owners. Errors: kNotFound (no such machine or project).
  virtual Result<FreezeResult> Freeze(const FreezeTarget& target, const std::string& reason,
                                      std::chrono::milliseconds wait) = 0;
  /// Ends it. Errors: kNotFound also where nothing of it is frozen.
  virtual Result<FreezeResult> Unfreeze(const FreezeTarget& target, const std::string& reason,
                                        std::chrono::milliseconds wait) = 0;
  /// What one may see; machines first, by id.
  virtual Result<std::vector<FreezeInfo>> ListFreezes() = 0;

  // ---- tripwires: environment owners and operators

  /// Makes a secret a canary, or ends that. @return whether it was not so before.  Errors: kNotFound.
  virtual Result<bool> SetCanary(const SecretName& name, bool canary) = 0;
  /// @param environment  "": of all that one may configure.
  virtual Result<std::vector<CanaryInfo>> ListCanaries(const std::string& environment) = 0;
  virtual Result<TripwireInfo> ShowTripwire(const std::string& environment) = 0;
  virtual Result<TripwireInfo> SetTripwire(const std::string& environment, const TripwireChange& change) = 0;

  // ---- alerts: vault owners

  virtual Result<std::vector<AlertSinkInfo>> AlertSinks() = 0;
  /// Makes a critical record. @return its sequence.
  virtual Result<std::uint64_t> TestAlert() = 0;

  // ---- the server's TLS key: vault owners

  virtual Result<TlsKeys> ShowTlsKeys() = 0;
  /// Has another next key made, in place of one that was not announced. Signs nothing. Errors: kConflict
  /// (announced).
  virtual Result<TlsKeys> MakeTlsKey() = 0;
  /// Signs that clients accept the server's next key too; has one made where there is none. @param expected
  /// it must be this one.  Errors: kIntegrity (it is another, or the server does not show the current one).
  virtual Result<TlsKeys> AnnounceTlsKey(const std::optional<Hash>& expected, const std::string& reason) = 0;
  /// Has the server show it, and signs that clients accept nothing else. Errors: kConflict (not announced; a
  /// machine has not been heard since, unless `force`).
  virtual Result<TlsKeys> SwitchTlsKey(bool force, const std::string& reason) = 0;

  // ---- audit

  /// Newest first. Errors also: kInvalid (more than kMaxListedRecords).
  virtual Result<std::vector<AuditLine>> ListAudit(const AuditFilter& filter) = 0;
  /// From record `from` on, in order; `filter.limit` is not looked at. Who goes on from `next` sees every
  /// record once.
  virtual Result<AuditPage> NextAudit(const AuditFilter& filter, std::uint64_t from) = 0;
  /// What the vault says its retention has purged, in order. Errors also: kIntegrity (no rule makes such a
  /// purge); VerifyAudit proves them.
  virtual Result<std::vector<AuditPurge>> AuditPurges() = 0;
  /// Who has read which version of a secret last, by the log as far as it keeps the records' bodies; and the
  /// machines that may read it, by grants of their own and of their groups, and have not.
  virtual Result<ReadersReport> ReadersOf(const SecretName& name) = 0;
  /// Proves that the newest checkpoint continues the one that the home remembers, and that a record is in it,
  /// by the log's tiles; remembers the newest. @param record  absent: the first alone.  Errors: kIntegrity
  /// (forged, forked or shrunk; the home goes on remembering what it saw), kNotFound (no such record).
  virtual Result<AuditProof> ProveAudit(std::optional<std::uint64_t> record) = 0;
  /// Reads the whole log and verifies it against the log's key and the checkpoint that the home remembers;
  /// remembers the new one.
  virtual Result<AuditVerdict> VerifyAudit() = 0;

  // ---- mending a list whose tail does not count

  /// What stands in the list from the first statement on that does not count, the oldest first; and signs
  /// that all of it is good, or takes it back, if it is told to. Errors: kNotFound (nothing to mend), kDenied
  /// (it is not this owner's to mend, or could never stand, so that nobody can vouch for it), as
  /// `options.confirm`.
  virtual Result<std::vector<LostStatement>> MendList(const ListId& list, const MendOptions& options) = 0;

  // ---- a restored backup

  /// Accepts, list by list, that the vault goes on from a backup that has less than this home has seen: signs
  /// a restore for every list that is mine to sign, does again what ended something for somebody, and starts
  /// new epochs. Called again it goes on where it was interrupted. Owners of the vault first, then those of
  /// environments. Errors: kConflict (others changed the same lists: run it again).
  virtual Result<RestoreResult> AcceptBackup(const RestoreOptions& options) = 0;

  // ---- the recovery identity, and the format level

  /// Puts a new one in its place, and starts a new epoch in the environments that I own. Vault owners.
  /// Errors: kConflict (an environment of others has an act of the old one without a successor: its owner
  /// follows first).
  virtual Result<ReplacedRecovery> ReplaceRecovery(const std::string& reason) = 0;
  /// Starts a new epoch in each environment that I own whose key is not sealed to the recovery identity as it
  /// is now. @return those.
  virtual Result<std::vector<std::string>> FollowRecovery(const std::string& reason) = 0;
  /// Lets acts of that level be written. Vault owners. Errors: kInvalid (it is that high, or this build knows
  /// less).
  virtual Status RaiseLevel(std::int64_t level, const std::string& reason) = 0;
};

}  // namespace grantfs

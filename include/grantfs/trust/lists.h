#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "grantfs/crypto/merkle_tree.h"
#include "grantfs/trust/groups.h"
#include "grantfs/trust/sealing.h"
#include "grantfs/trust/signed_list.h"

namespace grantfs {

/// From which sequence of its list on somebody held something, and until before which.
struct Tenure {
  std::uint64_t from = 0;
  std::optional<std::uint64_t> until;
  bool At(std::uint64_t sequence) const { return sequence >= from && (!until || sequence < *until); }
};

/// Genesis, vault owners, environments, TLS pins, the log's key, removed identities. Every client verifies
/// it.
class VaultList : public SignedList {
 public:
  VaultList() : SignedList(ListId::Vault()) {}

  struct EnvironmentEntry {
    Hash genesis;
    std::uint64_t number = 0;  ///< sequence of its EnvironmentAdd: its address as a recipient
  };

  /// The hash of the genesis statement. The list must not be empty.
  const Hash& vault_id() const { return vault_id_; }
  const Identity& recovery() const { return recoveries_.back().identity; }
  /// The sequence of the statement that made it the recovery identity.
  std::uint64_t recovery_since() const { return recoveries_.back().tenure.from; }
  bool IsRecovery(const Hash& id) const { return WasRecovery(id, next_sequence()); }
  /// As WasOwner and WasOwnerThrough.
  bool WasRecovery(const Hash& id, std::uint64_t sequence) const;
  bool WasRecoveryThrough(const Hash& id, std::uint64_t from, std::uint64_t to) const;
  /// What may be written into its lists: acts whose LevelOf is no higher.
  std::int64_t level() const { return level_; }
  const std::vector<Hash>& pins() const { return pins_; }
  const std::string& log_origin() const { return log_origin_; }
  const VerifyKey& log_key() const { return log_key_; }
  const std::map<std::string, EnvironmentEntry>& environments() const { return environments_; }
  std::vector<Identity> Owners() const;
  bool IsOwner(const Hash& id) const { return WasOwner(id, next_sequence()); }
  /// At the state after statement `sequence`.
  bool WasOwner(const Hash& id, std::uint64_t sequence) const;
  /// An owner without a break from the state after statement `from` to that after `to`.
  bool WasOwnerThrough(const Hash& id, std::uint64_t from, std::uint64_t to) const;
  /// Named by an IdentityRemove, or replaced: nobody seals to it.
  bool IsRemoved(const Hash& id) const { return removed_.contains(id); }
  /// The last of the keys that took the place of this one, itself removed since or not; nullptr: none did.
  const Identity* ReplacementOf(const Hash& id) const;
  const Identity* FindIdentity(const Hash& id) const;  ///< present and former owners and recoveries
  /// A user or agent that was let in, removed since or not.
  const Identity* FindPerson(const Hash& id) const;
  /// The lowest number that a secret may have whose creation names the head `sequence`: lower ones may have
  /// been another's, which was lost.
  std::uint64_t NumbersFrom(std::uint64_t sequence) const;
  /// The users and agents that were let in and not removed, by id; not those who only own the vault.
  std::vector<Identity> People() const;
  /// Whether an owner, recovery, or one of them has this name.
  bool HasPersonNamed(const std::string& name) const;

 protected:
  Result<Permission> Needed(const Statement& statement) const override;
  const Identity* SignerOf(const Statement& statement, const UpperLists& upper) const override;
  bool Holds(const Hash& signer, Permission permission, const Act& act, const SeenHeads* at,
             const UpperLists& upper) const override;
  bool HeldSince(const Statement& statement, const SeenHeads* at, const UpperLists& upper) const override;
  Status Apply(const StatementPtr& statement, const UpperLists& upper) override;
  void Reset() override;

 private:
  struct Owner {
    Identity identity;
    std::vector<Tenure> tenures;
  };
  Status ApplyCreate(const VaultCreate& act, const SignedStatement& statement);
  Status ApplyOwnerAdd(const VaultOwnerAdd& act, std::uint64_t sequence);
  Status ApplyOwnerRemove(const VaultOwnerRemove& act, const Statement& statement);
  Status ApplyIdentityAdd(const IdentityAdd& act);
  Status ApplyIdentityReplace(const IdentityReplace& act, const Statement& statement);
  Hash vault_id_;
  std::map<Hash, Owner> owners_;
  struct Recovery {
    Identity identity;
    Tenure tenure;
  };
  Status ApplyRecovery(const RecoveryReplace& act, std::uint64_t sequence);
  std::vector<Recovery> recoveries_;  ///< the last one is in force
  std::int64_t level_ = 1;
  std::vector<Hash> pins_;
  std::string log_origin_;
  VerifyKey log_key_;
  std::map<std::string, EnvironmentEntry> environments_;
  std::map<Hash, Identity> people_;
  std::map<Hash, std::string> removed_;
  std::map<Hash, Hash> replaced_;                        ///< key before -> the one in its place
  std::map<std::uint64_t, std::uint64_t> numbers_from_;  ///< by the sequence of the restore
};

/// Invitations, approvals, removals. Only vault owners' clients and the vault itself verify it.
class MachinesList : public SignedList {
 public:
  MachinesList() : SignedList(ListId::Machines()) {}
  struct Machine {
    Identity identity;
    std::uint64_t number = 0;   ///< sequence of its approval: its address as a recipient
    std::int64_t approved = 0;  ///< unix seconds, by the approver's clock
    bool removed = false;
    std::string standing;  ///< the id of the standing invitation that it came by, "" for none
    bool HasEnded(std::int64_t now) const { return identity.not_after != 0 && identity.not_after <= now; }
  };
  enum class InvitationState { kOpen, kUsed, kWithdrawn };
  struct InvitationEntry {
    Invitation invitation;
    InvitationState state = InvitationState::kOpen;
  };
  struct StandingEntry {
    StandingInvitation invitation;
    Hash issuer;
    std::uint32_t used = 0;
    bool withdrawn = false;
    std::uint64_t number = 0;  ///< sequence of its creation: its address as a recipient
    /// That it lets somebody in still, as far as this list and the vault's tell: not what its expiry says.
    bool IsOpen(const VaultList& vault) const {
      return !withdrawn && used < invitation.uses && vault.IsOwner(issuer);
    }
  };
  const std::map<std::uint64_t, Machine>& machines() const { return machines_; }  ///< by number
  const std::map<std::string, InvitationEntry>& invitations() const { return invitations_; }
  const std::map<std::string, StandingEntry>& standing() const { return standing_; }  ///< by id
  const Machine* FindByName(const std::string& name) const;                           ///< the one not removed
  const Machine* FindById(const Hash& id) const;                                      ///< removed or not

 protected:
  Result<Permission> Needed(const Statement& statement) const override;
  const Identity* SignerOf(const Statement& statement, const UpperLists& upper) const override;
  bool Holds(const Hash& signer, Permission permission, const Act& act, const SeenHeads* at,
             const UpperLists& upper) const override;
  bool HeldSince(const Statement& statement, const SeenHeads* at, const UpperLists& upper) const override;
  Status Apply(const StatementPtr& statement, const UpperLists& upper) override;
  void Reset() override;
  Status CheckNew(const Statement& statement, const UpperLists& upper) const override;

 private:
  /// Whose right the statement rests on: its signer's, or the issuer's of the invitation that it uses.
  const Hash& RightOf(const Statement& statement) const;
  Status ApplyInvite(const InvitationCreate& act);
  Status ApplyStand(const InvitationStand& act, const Statement& statement);
  Status ApplyWithdraw(const InvitationWithdraw& act);
  Status ApplyApprove(const MachineApprove& act, const Statement& statement);
  Status ApplyAdmit(const MachineAdmit& act, const Statement& statement);
  Status ApplyJoin(const MachineJoin& act, const Statement& statement);
  Status ApplyRemove(const MachineRemove& act, const Statement& statement);
  Status CheckFree(const Identity& who) const;
  void LetIn(Identity who, std::int64_t not_after, const Statement& statement, const std::string& standing);
  std::map<std::uint64_t, Machine> machines_;
  std::map<Hash, std::uint64_t> by_id_;
  std::map<std::string, std::uint64_t> by_name_;
  std::map<std::string, InvitationEntry> invitations_;
  std::map<std::string, StandingEntry> standing_;
};

/// Members, epochs, groups and grants by prefix of one environment.
class EnvironmentList : public SignedList {
 public:
  explicit EnvironmentList(std::string name) : SignedList(ListId::Environment(std::move(name))) {}
  /// A time with one role and prefix: what is signed in it is judged by these.
  struct RoleTenure : Tenure {
    Role role = Role::kOwner;
    std::string prefix;
  };
  struct Member {
    Identity identity;
    Role role = Role::kOwner;  ///< now, or last
    std::string prefix;
    std::vector<RoleTenure> tenures;
    bool present = false;
  };
  const std::string& name() const { return id().environment; }
  const std::map<Hash, Member>& members() const { return members_; }  ///< also former ones
  const std::vector<Epoch>& epochs() const { return epochs_; }        ///< [0] is number 1
  const Epoch& newest_epoch() const { return epochs_.back(); }
  /// The sequence of the statement that started the newest epoch.
  std::uint64_t newest_epoch_sequence() const { return epoch_sequences_.back(); }
  /// Whether its newest key is sealed to the vault's recovery identity as it is now.
  bool HasFollowedRecovery(const VaultList& vault) const;
  const EnvironmentGroups& groups() const { return groups_; }
  /// The number of the newest epoch at the state after statement `sequence`; 0 for none.
  std::uint32_t EpochAt(std::uint64_t sequence) const;
  /// The role that somebody holds now / held at the state after statement `sequence`.
  std::optional<Role> RoleOf(const Hash& id) const;
  std::optional<Role> RoleAt(const Hash& id, std::uint64_t sequence) const;
  /// What he holds now / held at the state after statement `sequence`; nullptr: nothing.
  const RoleTenure* TenureOf(const Hash& id) const;
  const RoleTenure* TenureAt(const Hash& id, std::uint64_t sequence) const;
  /// A member, with one role and prefix, without a break from the state after statement `from` to that after
  /// `to`.
  bool WasMemberThrough(const Hash& id, std::uint64_t from, std::uint64_t to) const;
  const Identity* FindIdentity(const Hash& id) const;
  /// The two-owner rule (trust/consent.h): now, and at the state after statement `sequence`.
  bool two_owners() const { return !rules_.empty() && rules_.back().second.two_owners; }
  bool TwoOwnersAfter(std::uint64_t sequence) const;
  /// Everyone whom a new epoch's key must be sealed to: owners, readers, recovery. None that the vault list
  /// names as removed.
  std::vector<Identity> EpochRecipients(const VaultList& vault) const;
  /// That this list begins with the genesis that the vault list names. Errors: kIntegrity, kNotFound.
  Status CheckGenesis(const VaultList& vault) const;

 protected:
  Result<Permission> Needed(const Statement& statement) const override;
  const Identity* SignerOf(const Statement& statement, const UpperLists& upper) const override;
  bool Holds(const Hash& signer, Permission permission, const Act& act, const SeenHeads* at,
             const UpperLists& upper) const override;
  bool HeldSince(const Statement& statement, const SeenHeads* at, const UpperLists& upper) const override;
  bool MayFollow(const Hash& signer, const SeenHeads* at, const UpperLists& upper) const override;
  bool TwoOwnersAt(const Statement& statement, const UpperLists& upper) const override;
  bool OwnsThrough(const Consent& consent, const Statement& statement,
                   const UpperLists& upper) const override;
  Status Apply(const StatementPtr& statement, const UpperLists& upper) override;
  void Reset() override;

 private:
  /// Those, and since when, who are owners by a former recovery identity's word alone.
  std::set<std::pair<Hash, std::uint64_t>> Unfounded(const SeenHeads* at, const UpperLists& upper) const;
  Status ApplyMemberAdd(const MemberAdd& act, const Statement& statement, const VaultList& vault);
  Status ApplyMemberRemove(const MemberRemove& act, const Statement& statement, const VaultList& vault);
  Status ApplyMemberChange(const MemberChange& act, const Statement& statement);
  Status ApplyEpoch(const Epoch& epoch, std::uint64_t sequence);
  Status ApplyRestore(const Restore& act, std::uint64_t sequence);
  std::map<Hash, Member> members_;
  std::vector<Epoch> epochs_;
  std::vector<std::uint64_t> epoch_sequences_;             ///< of the statements that started them
  std::vector<std::pair<std::uint64_t, RulesSet>> rules_;  ///< by the sequences that set them
  EnvironmentGroups groups_;
};

/// Versions, labels and grants of one secret. Owners, writers and the vault hold it whole; a machine holds it
/// from a statement that set the grants' root (Partial), and then sees labels, root and what it is shown by
/// proof.
class SecretList : public SignedList {
 public:
  explicit SecretList(std::uint64_t number) : SignedList(ListId::Secret(number)) {}
  /// To begin in the middle: the first statement received must be an owner's grant, revocation or the
  /// creation itself.
  static SecretList Partial(std::uint64_t number, std::uint64_t first_sequence);

  struct Version {
    VersionPublish publish;
    StatementPtr statement;
  };
  struct StandingGrant {
    Grant grant;
    std::uint64_t sequence = 0;  ///< of the statement that granted
    Hash leaf;                   ///< GrantLeaf
    StatementPtr statement;
    /// Whether it reads anything, by the newest rule: an environment's that asks for two owners' signatures.
    bool IsInForce(const EnvironmentList& environment) const {
      return !environment.two_owners() || statement->statement().consent.has_value();
    }
  };
  using GrantKey = std::pair<GranteeKind, std::uint64_t>;

  const SecretCreate& create() const { return create_; }  ///< zero where a partial list did not see it
  /// Owner and description as they are now. Of a whole list.
  const SecretDescribe& about() const { return about_; }
  bool IsDestroyed() const { return destroyed_; }
  /// Labels resolved: label -> hash of a version's statement. The grants' root, path, newest number.
  const SecretState& state() const { return state_; }
  const std::map<std::uint32_t, Version>& versions() const { return versions_; }  ///< of a whole list: all
  /// Those that were destroyed: statements of the version and of its end.
  struct Ended {
    Version version;
    StatementPtr by;
  };
  const std::map<std::uint32_t, Ended>& ended() const { return ended_; }
  /// Those that point at one of these versions, in order.
  std::vector<std::string> LabelsAt(const std::vector<std::uint32_t>& versions) const;
  const std::map<GrantKey, StandingGrant>& grants() const { return grants_; }  ///< of a whole list: all
  const Version* FindVersion(const Hash& statement) const;
  const Version* Current() const;  ///< the one labelled `current`, nullptr if none
  std::uint32_t next_version() const { return state_.version + 1; }

  /// For a keeper of the list that let in each of its statements itself, so that none is without right:
  /// whether all of it counts because of the last one alone, whose signer may do everything and could ever
  /// since. False: the list itself tells.
  static bool CountsByLast(const Statement& last, const UpperLists& upper);

  /// The state that a statement with this act must claim if it is the next. For a Void: the state before what
  /// it takes back. Whole lists only. Errors: kNotFound (revoking what is not granted), kInvalid.
  Result<SecretState> StateAfter(const Act& act, const UpperLists& upper) const;

  /// Audit path of one standing grant under state().grants. Whole lists only.
  struct GrantProof {
    std::uint64_t index = 0;
    std::uint64_t leaves = 0;
    std::vector<Hash> path;
  };
  std::optional<GrantProof> ProveGrant(const GrantKey& key) const;

  /// A machine's check: `grant` is a statement of this list that grants to `machine`, by one who was an owner
  /// at the heads that it names, and stands under state().grants. Errors: kIntegrity.
  Result<Grant> VerifyGrant(const SignedStatement& grant, const GrantProof& proof, const Identity& machine,
                            const UpperLists& upper) const;
  /// The same for a grant to a group that is in the environment's list. Whether the machine is in the group
  /// is known by whether it holds the group's key.
  Result<Grant> VerifyGroupGrant(const SignedStatement& grant, const GrantProof& proof,
                                 const UpperLists& upper) const;
  /// A machine's check: `version` is the statement that `label` points at, by one who could publish. Errors:
  /// kIntegrity, kNotFound.
  Result<VersionPublish> VerifyVersion(const std::string& label, const SignedStatement& version,
                                       const UpperLists& upper) const;
  /// The same for a version that no label points at any more (a grace read): only its signature and place are
  /// checked.
  Result<VersionPublish> VerifyOldVersion(const SignedStatement& version, const UpperLists& upper) const;

  /// Everyone whom a version's data key must be sealed to when it is published at `time` (unix seconds, the
  /// statement's): the environment's newest epoch, each standing grantee that is not removed or expired by
  /// then, and each group to which a prefix of the path is granted, with their keys. Each once. None whose
  /// grant lacks the second signature that the rule asks for.
  struct Target {
    Recipient recipient;
    SealKey key;
    std::string name;
  };
  std::vector<Target> SealTargets(std::int64_t time, const UpperLists& upper) const;

 protected:
  Result<Permission> Needed(const Statement& statement) const override;
  const Identity* SignerOf(const Statement& statement, const UpperLists& upper) const override;
  bool Holds(const Hash& signer, Permission permission, const Act& act, const SeenHeads* at,
             const UpperLists& upper) const override;
  bool HeldSince(const Statement& statement, const SeenHeads* at, const UpperLists& upper) const override;
  bool TwoOwnersAt(const Statement& statement, const UpperLists& upper) const override;
  bool OwnsThrough(const Consent& consent, const Statement& statement,
                   const UpperLists& upper) const override;
  Status Apply(const StatementPtr& statement, const UpperLists& upper) override;
  void Reset() override;
  void PassOver(const Statement& statement) override;
  bool MayLeaveOut() const override { return !partial_; }
  Status CheckNew(const Statement& statement, const UpperLists& upper) const override;
  Status CheckClaimedState(const SignedStatement& statement) const override;

 private:
  Status ApplyFirstOfPartial(const SignedStatement& statement, const UpperLists& upper);
  Status ApplyAct(const StatementPtr& statement, const UpperLists& upper);
  Status ApplyCreate(const SecretCreate& act, const Statement& statement, const UpperLists& upper);
  Status ApplyVersion(const VersionPublish& act, const StatementPtr& statement, const UpperLists& upper);
  Status ApplyGrant(const Grant& grant, const StatementPtr& statement);
  Status ApplyRevoke(const GrantRevoke& act, const StatementPtr& statement);
  // secret_life.cpp
  Status ApplyLife(const StatementPtr& statement);
  /// What the act leads to; none: it is not one of a secret's life. Errors: kInvalid, kConflict.
  std::optional<Result<SecretState>> StateOfLife(const Act& act) const;
  /// Whether the version is there, or may be: a machine's list does not have those from before it begins.
  bool MayBeThere(std::uint32_t version) const;
  Result<SecretState> StateAfterMove(const LabelMove& act) const;
  Result<SecretState> StateAfterDestroying(const VersionDestroy& act) const;
  Result<Grant> VerifyStanding(const SignedStatement& grant, const GrantProof& proof,
                               const UpperLists& upper) const;
  Status CheckGroups(std::int64_t time, const UpperLists& upper) const;
  Status VerifyLoose(const SignedStatement& statement, Permission permission, const UpperLists& upper) const;
  /// How many grants stand before it: its leaf's place in the tree.
  std::size_t PlaceOf(std::map<GrantKey, StandingGrant>::const_iterator grant) const;
  /// In a tree that is as grants_ is: puts the leaf of a grant, or takes it away (nullptr). @return whether
  /// it stands.
  bool SetLeaf(MerkleTree& tree, const GrantKey& key, const Hash* leaf) const;
  void PutGrant(const GrantKey& key, StandingGrant standing);
  bool DropGrant(const GrantKey& key);  ///< @return whether it stood
  void DropGrants();
  SecretCreate create_;
  SecretDescribe about_;
  SecretState state_;
  std::map<std::uint32_t, Version> versions_;
  std::map<std::uint32_t, Ended> ended_;
  std::set<std::uint32_t> gone_;  ///< destroyed ones that a machine's list never had
  std::map<GrantKey, StandingGrant> grants_;
  MerkleTree grants_tree_;  ///< of their leaves, in the same order
  bool partial_ = false;
  bool destroyed_ = false;
};

}  // namespace grantfs

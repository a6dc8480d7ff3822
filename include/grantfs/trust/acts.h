#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "grantfs/crypto/hash.h"
#include "grantfs/json/json.h"
#include "grantfs/trust/enrol_request.h"
#include "grantfs/trust/head.h"
#include "grantfs/trust/identity.h"
#include "grantfs/trust/invitation.h"
#include "grantfs/trust/roles.h"
#include "grantfs/trust/standing.h"

namespace grantfs {

// The acts that statements carry, by list. Their JSON is in contrib/FORMATS.md; an unknown act or field is
// refused.

// ---- vault list

/// Sequence 0: makes the vault. Its hash is the vault's id.
struct VaultCreate {
  Identity owner;
  Identity recovery;       ///< a key kept offline; may add and remove owners, nothing else
  std::vector<Hash> pins;  ///< SHA-256 of the TLS public key: current, then next; 1 or 2
  std::string log_origin;  ///< of the audit log's checkpoints
  VerifyKey log_key;
  std::int64_t level = 1;  ///< format level: no client writes above it
};
struct VaultOwnerAdd {
  Identity owner;
};
struct VaultOwnerRemove {
  Hash id;
};
/// Lets a user or agent in: from then on the vault knows its key, and roles can be given to it by name.
struct IdentityAdd {
  Identity identity;
};
/// A machine (or user) is removed before its not_after; also in the lists that every client verifies, so that
/// none seals to it.
struct IdentityRemove {
  Hash id;
  std::string name;
};
struct EnvironmentAdd {
  std::string environment;
  Hash genesis;  ///< of the environment's first statement
};
struct PinsSet {
  std::vector<Hash> pins;
};
/// Another recovery identity from here on: what the one before signed needs a successor then, and each
/// environment follows by a new epoch.
struct RecoveryReplace {
  Identity recovery;
};
/// From here on acts may be written that only newer programs know: all of them up to this level.
struct LevelRaise {
  std::int64_t level = 0;
};

// ---- machines list

struct MachinesCreate {};
struct InvitationCreate {
  Invitation invitation;
};
/// Lets machines in that nobody watches: each joins by itself (MachineJoin), as far as this says.
struct InvitationStand {
  StandingInvitation invitation;
};
/// Of either kind.
struct InvitationWithdraw {
  std::string id;
};
/// Embeds the enrolment of a machine, user or agent: the invitation's use is thus in the list. A user or
/// agent is let in by the IdentityAdd that the vault demands beside it.
struct MachineApprove {
  Enrolment enrolment;
  std::int64_t not_after = 0;  ///< when the machine's life ends: unix seconds, 0 = never
};
/// Lets a machine in that has asked without an invitation.
struct MachineAdmit {
  EnrolmentRequest request;
  std::int64_t not_after = 0;  ///< the same
};
/// A machine lets itself in by a standing invitation. It signs this itself: the statement counts because an
/// owner has approved the invitation in advance.
struct MachineJoin {
  Enrolment enrolment;
  std::int64_t not_after = 0;  ///< the same; as the invitation says
};
/// Withdraws the standing invitation that the machine came by, unless its life had ended.
struct MachineRemove {
  Hash id;
};

// ---- environment list

/// A new key pair of an environment. The private half is sealed to every owner and reader and to recovery;
/// those copies are kept by the vault, their hashes are committed to here.
struct Epoch {
  std::uint32_t number = 1;  ///< 1.., without gaps
  SealKey key;
  Hash copies_root;  ///< EpochCopiesRoot (sealing.h): recipients and copies, ordered by recipient
  std::uint32_t copies = 0;
  Bytes previous;  ///< the previous epoch's private key sealed to `key`; empty for number 1
};
struct EnvironmentCreate {
  std::string environment;
  Identity owner;
  Epoch epoch;
};
struct MemberAdd {
  Identity member;
  Role role = Role::kOwner;
  std::string prefix;  ///< of a writer: "" or "tls/"
  Hash
      copy;  ///< hash (BLAKE2b-256) of the newest epoch's private key sealed to an owner or reader; else zero
};
struct MemberRemove {
  Hash id;
  std::optional<Epoch> epoch;  ///< required where an owner or reader leaves
};
struct EpochStart {
  Epoch epoch;
};
/// Another role, or prefix, for one who is a member: in one act, so that there is no moment without any.
struct MemberChange {
  Hash id;
  Role role = Role::kOwner;
  std::string prefix;  ///< as in MemberAdd
  Hash copy;           ///< as in MemberAdd, where one becomes owner or reader who was neither; else zero
  std::optional<Epoch> epoch;  ///< required where an owner or reader becomes neither, as he leaves
};
/// The environment's rules, all of them, from here on.
struct RulesSet {
  bool two_owners = false;  ///< what trust/consent.h names needs the signatures of two owners
};

// ---- secret list

enum class SecretType { kValue, kTemplate };

/// Sequence 0 of a secret's list.
struct SecretCreate {
  std::uint64_t number = 0;
  std::string environment;
  std::string path;
  SecretType type = SecretType::kValue;
  std::string owner;        ///< who answers for it: free text of at most 255 bytes
  std::string description;  ///< at most 1024 bytes
};

/// One immutable value. Labels move with it: current to it, previous to what current was. It repeats where it
/// belongs, so that a machine, which sees only the end of the list, needs no other statement to know the
/// name.
struct VersionPublish {
  std::string environment;
  std::string path;
  std::uint32_t version = 1;  ///< 1.., the next after the newest there was, voided or not
  std::uint64_t size = 0;     ///< of the plaintext
  Hash ciphertext;            ///< BLAKE2b-256
  Hash commitment;            ///< CommitToKey(data key, ValueContext)
  std::uint32_t epoch = 1;    ///< of the environment's key that the data key is sealed to
  std::string set;            ///< published as one act with others: their common id, or ""
  /// Of a template, and of no other secret: the paths, in order, of the secrets of its environment that its
  /// file is made of. They stand here so that a mount knows without a read whether it may show the file.
  std::vector<std::string> parts;
  /// Seconds after this statement's time at which the secret is due to be rotated, 0 = never. It stands in
  /// each version, so that a machine, which sees no more of the secret than that, ends its leases there.
  std::int64_t rotate_after = 0;

  /// Seconds after this statement's time at which reads of this version end, 0 = never.
  std::int64_t expires_after = 0;
  /// The label that points at it from now on: "" = `current`, as ever; else kNextLabel, and `current` stays.
  std::string label;

  /// When the next rotation is due, in unix seconds, 0 = never. @param time  of the version's statement
  std::int64_t RotationDue(std::int64_t time) const { return rotate_after == 0 ? 0 : time + rotate_after; }
  /// When its reads end, likewise.
  std::int64_t ExpiresAt(std::int64_t time) const { return expires_after == 0 ? 0 : time + expires_after; }
};
inline constexpr char kCurrentLabel[] = "current", kPreviousLabel[] = "previous", kNextLabel[] = "next";
/// Of `rotate_after`, `expires_after`, and of a grant's lease and offline time: ten years.
inline constexpr std::int64_t kMaxTermSeconds = 10LL * 366 * 86400;
inline constexpr std::size_t kMaxTemplatePartBytes =
    24 * 1024;  ///< of all their paths, of which there are at most Template::kMaxNames

enum class GranteeKind { kMachine, kGroup };
const char* GranteeKindName(GranteeKind kind);  ///< "machine", "group"

/// Whom a data key is sealed to. Numbers: a machine's is the sequence of its approval in the machines list
/// (epoch 0), a group's that of its creation in the environment list, an environment's that of its
/// EnvironmentAdd in the vault list.
struct Grantee {
  GranteeKind kind = GranteeKind::kMachine;
  std::uint64_t number = 0;
  Hash id;  ///< Identity::Id of a machine; of a group the hash of its list's first statement
  std::string name;
  SealKey seal;                ///< of the machine; zero for a group, whose epochs have the keys
  std::int64_t not_after = 0;  ///< of the machine
  bool operator==(const Grantee&) const = default;
};

/// A machine may read this secret. The fields that this build cannot enforce are carried, and deny the grant
/// at the mount.
struct Grant {
  Grantee grantee;
  std::string label = "current";
  std::string owner;  ///< user shown: name or number, "" = whoever mounted
  std::string group;
  std::uint32_t mode = 0400;            ///< of 0777
  std::vector<std::string> conditions;  ///< trust/conditions.h; at most 32 of 1..1024 bytes
  std::int64_t lease = 0;               ///< seconds
  std::int64_t offline = 0;             ///< seconds
  std::string record = "each";          ///< each, sync, aggregate
  std::int64_t expires = 0;             ///< unix seconds, 0 = never
  bool strict = false;                  ///< page-cache fills are refused
};
struct GrantAdd {
  Grant grant;
};  ///< replaces the grantee's standing one
struct GrantRevoke {
  GranteeKind kind = GranteeKind::kMachine;
  std::uint64_t number = 0;
};

/// `current` points at this version from now on, and `previous` at what it pointed at. A `next` that points
/// at the same version is gone. So it is rolled back, and so a next version is promoted.
struct LabelMove {
  std::uint32_t version = 0;
  Hash statement;  ///< of the version, by which a machine knows it that sees no other of the list
};
/// The label points at nothing any more. Only kNextLabel is taken away so.
struct LabelRemove {
  std::string label = kNextLabel;
};
/// Ciphertext and sealed keys of these versions are erased for good; the labels that pointed at them go too.
/// `current` never does.
struct VersionDestroy {
  std::vector<std::uint32_t> versions;  ///< 1..kMaxDestroyed, ascending
  std::vector<std::string> labels;      ///< that point at one of them, in order
};
inline constexpr std::size_t kMaxDestroyed = 1000;
/// Who answers for the secret, and what it is, in the place of what its creation says.
struct SecretDescribe {
  std::string owner;        ///< at most 255 bytes
  std::string description;  ///< at most 1024 bytes
};
/// Nobody reads it any more, while versions, labels and grants stay for SecretUndelete.
struct SecretDelete {};
struct SecretUndelete {};
/// All its versions are erased for good, its grants end, and its name is free. Nothing follows but a vouch.
struct SecretDestroy {};

// ---- environment list, groups. A group is known by the sequence of the statement that created it.

/// A new key pair of a group. The private half is sealed to the environment's newest epoch, to each machine
/// of the group and to each invitation in force that leads into it (sealing.h: MakeGroupEpoch).
struct GroupEpoch {
  Epoch epoch;                          ///< copies_root is GroupCopiesRoot
  std::uint32_t environment_epoch = 1;  ///< that it is sealed to: the newest
  /// The last statement of the group's list that the copies take into account: whom it took out has none.
  std::uint64_t list_sequence = 0;
  Hash list_hash;
};
struct GroupCreate {
  std::string name;
  Hash genesis;  ///< of the first statement of the group's list
  GroupEpoch epoch;
};
struct GroupEpochStart {
  std::uint64_t group = 0;
  GroupEpoch epoch;
};
/// The group is no more, nor is anything granted to it; its name is free.
struct GroupDelete {
  std::uint64_t group = 0;
};
/// A group may read whatever is or will be below a prefix. Replaces the standing one of this group and
/// prefix.
struct PrefixGrant {
  std::string prefix;  ///< "" = the whole environment, or "tls/"
  Grant grant;         ///< to a group
};
struct PrefixRevoke {
  std::string prefix;
  std::uint64_t group = 0;
};
/// Of one environment, at one time: every machine of it verifies and keeps them.
inline constexpr std::size_t kMaxGroups = 1000, kMaxPrefixGrants = 1000;

// ---- group list

/// Sequence 0 of a group's list.
struct GroupListCreate {
  std::string environment;
  std::uint64_t number = 0;  ///< of the GroupCreate that names this statement
  std::string name;
};
/// These machines are in the group from now on. Each has its copy of the newest epoch's private key.
struct GroupMachinesAdd {
  std::uint32_t epoch = 1;        ///< that the copies are of
  std::vector<Grantee> machines;  ///< 1..kMaxGroupMachines, by number
  Hash copies_root;               ///< GroupCopiesRoot of their copies
};
inline constexpr std::size_t kMaxGroupMachines = 100;
/// They are not, and never will have a key that begins after this: the group's next epoch is due at once.
struct GroupMachinesRemove {
  std::vector<std::uint64_t> machines;  ///< 1..kMaxGroupMachinesRemoved numbers, ascending
};
inline constexpr std::size_t kMaxGroupMachinesRemoved = 1000;
/// A standing invitation leads into the group: who holds it can open the group's keys, and the machines that
/// come by it are in the group.
struct GroupInvitationAdd {
  std::uint64_t number = 0;  ///< sequence of its InvitationCreate: its address as a recipient
  std::string id;
  SealKey seal;
  std::int64_t expires = 0;  ///< unix seconds: no later epoch's key is sealed to it
  std::uint32_t epoch = 1;   ///< that the copy is of
  Hash copy;                 ///< GroupCopiesRoot of that copy alone
};
/// It does no more; who came by it stays. The group's next epoch is due at once.
struct GroupInvitationRemove {
  std::uint64_t number = 0;
  std::uint64_t last = 0;  ///< the highest number of a machine that is in the group by it
};

// ---- every list

/// Says that all before it in the list is good in the signer's eyes: it is the successor that statements of a
/// leaver need.
struct Vouch {};
/// Takes back the tail from `from` up to the statement before this one, none of which counts. Final.
struct Void {
  std::uint64_t from = 0;  ///< sequence
  Hash hash;               ///< of the statement there
};
/// Accepts a list that goes on from a backup. Its sequence is far above every one that somebody may have seen
/// of what was lost (the one act that leaves some out), so that a client that saw more neither takes it for
/// the same history nor for a lower one: restore.h says when it takes it.
struct Restore {
  Head accepted;             ///< the statement before this one, where the backup ends
  std::optional<Head> lost;  ///< the newest that the signer had seen of what the backup does not have
  // Of the vault's list:
  std::string log_origin;     ///< of the audit log from here on, which goes on from the backup too
  std::uint64_t numbers = 0;  ///< the first number that a secret made from here on may have
  // Of an environment's list:
  std::optional<Epoch> epoch;
  // Of a secret's list:
  std::uint32_t version = 0;  ///< all numbers of versions up to this one count as used
};

// clang-format off
using Act = std::variant<
    VaultCreate, VaultOwnerAdd, VaultOwnerRemove, IdentityAdd, IdentityRemove, EnvironmentAdd, PinsSet,    // vault
    MachinesCreate, InvitationCreate, InvitationStand, InvitationWithdraw,                                 // machines
    MachineApprove, MachineAdmit, MachineJoin, MachineRemove,
    EnvironmentCreate, MemberAdd, MemberRemove, EpochStart, MemberChange, RulesSet,                                           // environment
    SecretCreate, VersionPublish, GrantAdd, GrantRevoke, LabelMove, LabelRemove, VersionDestroy,           // secret
    SecretDescribe, SecretDelete, SecretUndelete, SecretDestroy,
    GroupCreate, GroupEpochStart, GroupDelete, PrefixGrant, PrefixRevoke,                                  // environment
    GroupListCreate, GroupMachinesAdd, GroupMachinesRemove, GroupInvitationAdd, GroupInvitationRemove,     // group
    Vouch, Void, Restore, RecoveryReplace, LevelRaise>;                                                                                      // each
// clang-format on

template <typename... Ts>
bool IsAnyOf(const Act& act) {
  return (std::holds_alternative<Ts>(act) || ...);
}

/// Whether it sets the root of a secret's grants, which stays until the next that does.
inline bool SetsGrantsRoot(const Act& act) {
  return IsAnyOf<SecretCreate, GrantAdd, GrantRevoke, Restore>(act);
}

/// The format level that this build writes, and the highest that it reads.
inline constexpr std::int64_t kFormatLevel = 2;
/// The least level of a vault in whose lists the act may be written: 1 for what the first release knew, as far
/// as it has no member that is newer.
std::int64_t LevelOf(const Act& act);

/// "vault.create", "member.add", ...
const char* ActName(const Act& act);
Json ActToJson(const Act& act);
/// Errors: kInvalid, kUnsupported (unknown act), kIntegrity (a key's binding or an enrolment's signature).
Result<Act> ActFromJson(const Json& json);

/// The state of a secret after a statement: it stands in every statement of the secret's list, so that a
/// machine needs no more than the last ones.
struct SecretState {
  std::map<std::string, Hash>
      labels;                 ///< label -> hash of the version's statement; all zero = this very statement
  Hash grants;                ///< GrantsRoot
  std::string path;           ///< of the secret, by which a writer's prefix is judged
  std::uint32_t version = 0;  ///< the newest version's number, also of a voided one: none is used twice
  bool deleted = false;       ///< nobody reads it
  /// The version that a grant by this label reads: `next` stands for `current` while nothing is next.
  /// nullptr: none, as of what is deleted.
  const Hash* ReadBy(const std::string& label) const;
  Json ToJson() const;
  static Result<SecretState> FromJson(const Json& json);
  bool operator==(const SecretState&) const = default;
};

/// The leaf hash of one standing grant under SecretState::grants: kind, number, the sequence of the statement
/// that granted, and BLAKE2b-256 of the act's JSON as ActToJson writes it. (Not the statement's hash: the
/// statement names the root.) Leaves are ordered by kind, then number.
Hash GrantLeaf(const Grant& grant, std::uint64_t sequence);

}  // namespace grantfs

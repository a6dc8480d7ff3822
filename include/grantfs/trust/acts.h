#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "grantfs/crypto/hash.h"
#include "grantfs/json/json.h"
#include "grantfs/trust/head.h"
#include "grantfs/trust/identity.h"
#include "grantfs/trust/machine_acts.h"
#include "grantfs/trust/roles.h"
#include "grantfs/trust/secret_acts.h"

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
/// Another key in the place of a person's or agent's, under the same name: the one before is removed for
/// good, and what it was in the vault the new one is. Its roles stay where they are until each environment's
/// own list gives them to the new key.
struct IdentityReplace {
  Hash id;  ///< of the key before
  Identity identity;
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
  std::uint64_t number = 0;  ///< sequence of its InvitationStand: its address as a recipient
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
  // Of an environment's list:
  bool two_owners = false;  ///< the rule holds from here on, which the backup may be too old to have
};

// clang-format off
using Act = std::variant<
    VaultCreate, VaultOwnerAdd, VaultOwnerRemove, IdentityAdd, IdentityRemove, EnvironmentAdd, PinsSet,    // vault
    MachinesCreate, InvitationCreate, InvitationStand, InvitationWithdraw,                                 // machines
    MachineApprove, MachineAdmit, MachineJoin, MachineRemove,
    EnvironmentCreate, MemberAdd, MemberRemove, EpochStart, MemberChange, RulesSet,                        // environment
    SecretCreate, VersionPublish, GrantAdd, GrantRevoke, LabelMove, LabelRemove, VersionDestroy,           // secret
    SecretDescribe, SecretDelete, SecretUndelete, SecretDestroy,
    GroupCreate, GroupEpochStart, GroupDelete, PrefixGrant, PrefixRevoke,                                  // environment
    GroupListCreate, GroupMachinesAdd, GroupMachinesRemove, GroupInvitationAdd, GroupInvitationRemove,     // group
    Vouch, Void, Restore,                                                                                  // each
    RecoveryReplace, LevelRaise, IdentityReplace>;                                                         // vault
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
/// A statement with a second signature has a member that the first release refuses.
inline constexpr std::int64_t kConsentLevel = 2;
/// The least level of a vault in whose lists the act may be written: 1 for what the first release knew.
std::int64_t LevelOf(const Act& act);

/// "vault.create", "member.add", ...
const char* ActName(const Act& act);
Json ActToJson(const Act& act);
/// Errors: kInvalid, kUnsupported (unknown act), kIntegrity (a key's binding or an enrolment's signature).
Result<Act> ActFromJson(const Json& json);
/// What machines have signed in an act of theirs: their keys' binding, and the enrolment or the request.
/// Errors: kIntegrity.
Status CheckMachineSignatures(const Act& act);

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

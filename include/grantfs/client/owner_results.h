#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "grantfs/client/restore_results.h"
#include "grantfs/client/secret_results.h"
#include "grantfs/crypto/secret.h"
#include "grantfs/trust/acts.h"
#include "grantfs/trust/names.h"
#include "grantfs/trust/roles.h"
#include "grantfs/trust/statement.h"
#include "grantfs/trust/tripwire.h"

namespace grantfs {

// What OwnerSession's functions take and give. Times are unix seconds; they are what signers' clocks said.

struct WhoAmIInfo {
  std::string name;
  IdentityKind kind = IdentityKind::kUser;
  std::string id;  ///< hex
  std::string fingerprint;
  std::string vault;  ///< hex
  std::string address;
  std::string home;
};

/// What can be frozen; a project stands for those of its environments that one may freeze.
struct FreezeTarget {
  enum class Kind { kMachine, kEnvironment, kProject, kMachineIn };
  Kind kind = Kind::kEnvironment;
  std::string name;              ///< of a machine: or its id, 64 digits
  std::string environment = {};  ///< of a machine in one: that
};

struct FreezeInfo {
  FreezeTarget::Kind kind = FreezeTarget::Kind::kEnvironment;  ///< never a project
  std::string name;  ///< of a machine: its id where the name is not known
  std::string id;    ///< of a machine, "" else
  std::string by;
  std::int64_t time = 0;
  std::string reason;
  std::string environment = {};  ///< of a machine in one
  bool IsMachine() const { return !id.empty(); }
  bool operator==(const FreezeInfo&) const = default;
};

struct VaultStatusInfo {
  std::string vault;
  std::string name;       ///< what the server calls itself
  std::string version;    ///< of the server's program
  std::int64_t time = 0;  ///< by the server's clock
  std::int64_t level = 0;
  std::uint64_t vault_sequence = 0;
  std::uint64_t log_size = 0;  ///< of the audit log, by its signed checkpoint
  std::string log_problem;     ///< it contradicts what this home has seen; "" = it continues that
  bool vault_owner = false;    ///< the asker is one
  std::vector<std::string>
      owed;  ///< one sentence each: what removals still leave to do in one's environments
  std::vector<FreezeInfo> frozen;  ///< as ListFreezes
  struct OpenRequest {
    std::string id, environment, asker, what;
  };
  std::vector<OpenRequest> requests;  ///< that wait for the asker as an owner, and can be acted on
};

struct EnvironmentInfo {
  std::string name;
  std::optional<Role> role;  ///< of the asker; without one the rest is not known
  std::size_t members = 0;
  std::uint32_t epoch = 0;
};

struct ProjectInfo {
  std::string name;
  std::vector<std::string> environments;  ///< full names
};

struct MemberInfo {
  std::string name;
  IdentityKind kind = IdentityKind::kUser;
  std::string id;
  std::string fingerprint;
  Role role = Role::kOwner;
  std::string prefix;
  bool removed_from_vault = false;
  std::string replaced_by = {};  ///< fingerprint of the key that took its place in the vault, or ""
};

inline constexpr std::int64_t kMinInvitationSeconds = 1;
inline constexpr std::int64_t kMaxInvitationSeconds = 30 * 24 * 3600;

struct InviteOptions {
  IdentityKind kind = IdentityKind::kMachine;
  std::string name;
  std::int64_t ttl = 3600;  ///< seconds, within the two bounds above
  std::int64_t lives = 0;  ///< of a machine: how long it lives from its approval on, in seconds; 0 = for ever
  bool rekey = false;      ///< for a new key of the user or agent of this name, who has the kind already
};
struct StandingOptions {
  std::string pattern;  ///< CheckNamePattern
  std::uint32_t uses = 1;
  std::int64_t ttl = 3600;
  std::int64_t lives = 0;           ///< of each machine, from then on that it joins
  std::vector<std::string> groups;  ///< that it leads into: "shop/prod@web", each once
};
struct InviteResult {
  SecretMemory line;  ///< what is pasted there
  std::string id;     ///< not secret
  std::int64_t expires = 0;
  /// Ids of the requests by which another owner signs that a standing one leads into its groups, where two
  /// sign.
  std::vector<std::string> waiting = {};
};

/// An invitation that somebody may still be let in by.
struct OpenInvitation {
  std::string name;  ///< whom it lets in: of a standing one the pattern
  std::string id;
  std::int64_t expires = 0;  ///< for who has not asked by then
  std::size_t waiting = 0;   ///< requests to enrol that were made with it
  std::int64_t lives = 0;    ///< of a machine that it lets in: seconds, 0 = for ever
  std::uint32_t uses = 0;    ///< of a standing one; 0: it is none
  std::uint32_t used = 0;
};

struct WithdrawResult {
  std::size_t withdrawn = 0;        ///< invitations
  std::size_t waiting = 0;          ///< requests to enrol with those
  std::vector<std::string> let_in;  ///< machines that came by a standing one of these, and are in still
  std::string standing;             ///< the id of the one that a removed machine came by
  std::vector<std::string> groups;  ///< "shop/prod@web": that it led into, and that have new keys now
};

struct PendingEnrolment {
  std::string name;
  IdentityKind kind = IdentityKind::kMachine;
  std::string id;
  std::string fingerprint;
  std::string problem;  ///< non-empty: it must not be approved, and why
};

struct IdentityInfo {
  std::string name;
  IdentityKind kind = IdentityKind::kMachine;
  std::string id;
  std::string fingerprint;
  std::uint64_t number = 0;  ///< of a machine
  std::int64_t approved = 0;
  std::int64_t not_after = 0;  ///< 0 = never
  std::string standing;        ///< of a machine: the id of the standing invitation that it came by, or ""
  bool removed = false;
  bool vault_owner = false;
  bool recovery = false;
  bool operator==(const IdentityInfo&) const = default;
};

/// A machine that was let in by its request, and the line that it waits for.
struct AdmittedMachine {
  IdentityInfo info;
  std::string line;
};
struct AdmitResult {
  std::vector<AdmittedMachine> machines;  ///< in the order of the requests
  std::optional<Error> stopped;           ///< why the rest was not let in
};

struct GrantInfo {
  SecretName secret;
  SecretType type = SecretType::kValue;
  std::string machine;
  std::string machine_id;  ///< of a group, whose name begins with @: the hash of its list's first statement
  Grant grant;
  std::int64_t time = 0;
  std::string signer;
  bool prefix = false;  ///< of whatever is below `secret`, whose path is "" or ends in a slash
  /// Of a machine that reads by its group, where reports name it in the group's place: "@web",
  /// "@web shop/prod/tls/". "": by its own grant.
  std::string by = {};
};

/// All that reports tell of one secret, from one look at its verified list.
struct SecretSurvey {
  SecretInfo info;
  std::vector<VersionInfo> versions;  ///< newest first
  std::vector<GrantInfo> grants;      ///< by machine
  /// The lists that it was verified at: the secret's, its environment's, the vault's.
  std::array<Head, 3> heads;
};
using SecretSurveys = std::vector<std::shared_ptr<const SecretSurvey>>;

/// What a machine has read, from the audit log: what should be rotated when it loses the right.
struct ReadReport {
  SecretName secret;
  std::vector<std::uint32_t> versions;  ///< ascending
  std::int64_t last = 0;
  bool holds_current = false;  ///< it has read the version that is current
};

/// Whether a machine has what was just done.
struct Delivery {
  enum class State {
    kAcknowledged,  ///< its mount shows it
    kPending,       ///< online, but did not say so in time
    kOffline,
    kUnknown,  ///< the vault did not say
  };
  State state = State::kUnknown;
  std::int64_t last_seen = 0;  ///< 0 = not since the server started
};

struct GrantOptions {
  Grant terms;  ///< label, owner, group, mode, conditions, lease, ...; the grantee is filled in
  std::string reason;
  bool dry_run = false;                  ///< verifies and says what would be sealed; appends nothing
  std::chrono::milliseconds wait{5000};  ///< for the machine's acknowledgement
};
struct GrantOutcome {
  SecretName secret;
  std::size_t versions = 0;         ///< whose keys were sealed to the machine
  bool replaced = false;            ///< it had a grant already, which this one replaces
  std::vector<SecretName> lacking;  ///< parts of this template that the machine is not granted
  bool needs_second = false;        ///< another owner has to sign it: nothing is sealed yet
  std::int64_t overdue = 0;  ///< since when its rotation is, so that no lease of it holds; 0: it is not
};
/// How far the machines of an environment have followed what was just done there.
struct EnvironmentDelivery {
  std::string environment;
  bool known = false;  ///< false: the vault did not say
  std::uint64_t machines = 0;
  std::uint64_t followed = 0;
  std::uint64_t pending = 0;  ///< have not, though they are online
  struct Behind {
    std::string machine;
    Delivery delivery;
  };
  std::vector<Behind> behind;  ///< at most 100, the online ones first
};

struct GrantResult {
  std::string machine;
  std::string fingerprint;
  std::vector<GrantOutcome> secrets;
  Delivery delivery;
  std::string prefix;                         ///< that was granted: "shop/prod/tls/"; `secrets` are there now
  std::vector<EnvironmentDelivery> followed;  ///< in the place of `delivery`, for a group
  /// Ids of the requests by which those wait for a second owner's signature whose environment asks for two.
  std::vector<std::string> waiting;
};

/// What is done to groups.
struct GroupOptions {
  std::string reason;
  std::chrono::milliseconds wait{5000};  ///< for the machines' acknowledgement
};
struct GroupChange {
  std::string environment;
  std::string group;
  std::vector<std::string> machines;  ///< that came or went
  EnvironmentDelivery followed;
  std::vector<std::string> waiting;  ///< as in GrantResult: the requests by which they wait to come
};
struct GroupInfo {
  std::string name;
  std::uint64_t number = 0;
  std::uint32_t epoch = 0;
  std::vector<std::string> prefixes;  ///< granted to it: "shop/prod/tls/"
  bool members_known = false;         ///< to owners of the environment
  std::vector<std::string> machines;
  std::size_t invitations = 0;  ///< in force that lead into it
};

struct FreezeResult {
  std::vector<FreezeInfo> freezes;            ///< that were made / that were lifted
  std::vector<FreezeInfo> before;             ///< what was frozen already, and is as it was
  std::vector<EnvironmentDelivery> followed;  ///< of each environment that was changed
  std::vector<std::string> left;              ///< environments of a project that are not one's to freeze
  std::optional<Delivery> delivery;           ///< of a machine, if anything was changed
};

/// A secret that nobody has a reason to read.
struct CanaryInfo {
  SecretName name;
  std::string by;
  std::int64_t time = 0;
};

/// What the tripwires of an environment do.
struct TripwireInfo {
  std::string environment;
  std::string by;         ///< who set it; "": nobody, it is as usual
  std::int64_t time = 0;  ///< 0 with it
  TripwirePolicy policy;
};

/// What of it is to become otherwise; what is absent stays.
struct TripwireChange {
  std::optional<TripAction> canary;
  std::optional<TripScope> scope;
  std::optional<std::uint32_t> rate;
  std::optional<TripAction> rate_action;
  std::optional<std::vector<std::string>> passes;  ///< instead of those that there are
};

/// The server's TLS keys by their pins.
struct TlsKeys {
  struct Listed {
    Hash pin;
    std::int64_t since = 0;  ///< the list names it: unix seconds, by its owner's clock
  };
  std::vector<Listed> listed;  ///< in the vault's list, which is what clients accept: current, then next
  Hash shown;                  ///< by the server
  std::optional<Hash> next;    ///< that the server has ready
  std::int64_t made = 0;       ///< when, unix seconds
};

/// A sink of alerts, as the vault sees it.
struct AlertSinkInfo {
  std::string sink;             ///< its kind: "webhook"
  std::uint64_t reached = 0;    ///< below that record all critical ones were told
  std::uint64_t waiting = 0;    ///< how many were not
  std::uint64_t delivered = 0;  ///< since the vault was started
  std::uint64_t failures = 0;   ///< in a row
  std::int64_t since = 0;       ///< of the first of them: unix seconds
  std::string error;            ///< the last one
};

struct RevokeResult {
  std::string machine;
  std::vector<SecretName> revoked;
  std::vector<ReadReport> read;  ///< of the revoked ones
  bool reads_known = true;       ///< false: the audit log could not be asked
  Delivery delivery;
  std::string prefix;                         ///< that was granted
  std::vector<EnvironmentDelivery> followed;  ///< in the place of `delivery`, for a group
};

struct RemoveIdentityResult {
  std::vector<std::string> groups;  ///< that a machine was taken out of: "shop/prod@web"
  std::string name;
  WithdrawResult invitations;  ///< of that name, that nobody was let in by
  std::vector<SecretName> revoked;
  std::vector<ReadReport> read;
  bool reads_known = true;
  std::vector<std::string> not_owned;  ///< environments where others must revoke, by their owners' `status`
  std::vector<std::string> problems;   ///< one sentence each: what could not be revoked; run it again
};

/// What a user or agent who leaves is, and what becomes of it.
struct LeaverMembership {
  std::string environment;
  Role role = Role::kOwner;
  std::string prefix;
  bool mine = false;     ///< I am an owner there
  bool present = false;  ///< still a member
};
/// A secret whose current value the leaver could read, or has set.
struct DueSecret {
  SecretName name;
  std::uint32_t version = 0;
  bool set_by_leaver = false;
  std::int64_t last_read = 0;  ///< of any version, by the audit log; 0: it tells of none
};
struct OffboardResult {
  std::string name;
  IdentityKind kind = IdentityKind::kUser;
  std::string id;
  std::string fingerprint;
  bool vault_owner = false;         ///< was one when this began
  bool removed_from_vault = false;  ///< the vault answers this key no more
  std::vector<LeaverMembership> memberships;
  std::vector<std::string> unseen;    ///< environments whose members are not mine to see
  std::vector<DueSecret> due;         ///< of the environments that are mine
  bool reads_known = true;            ///< false: the audit log could not be asked
  std::vector<std::string> problems;  ///< one sentence each: what was not done; run it again
};

}  // namespace grantfs

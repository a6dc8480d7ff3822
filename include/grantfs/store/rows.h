#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>

#include "grantfs/crypto/hash.h"
#include "grantfs/crypto/keys.h"
#include "grantfs/crypto/secret.h"
#include "grantfs/trust/acts.h"
#include "grantfs/trust/sealing.h"
#include "grantfs/trust/statement.h"
#include "grantfs/trust/tripwire.h"

namespace grantfs {

// What the vault keeps, row by row (contrib/FORMATS.md, "The database"). The store checks keys, order and
// bounds; what a statement means, and so which rows follow from it, is the vault's to say.

/// What makes this server itself: its TLS identity and the audit log's key. Move-only.
struct ServerState {
  std::string name;             ///< what the vault is called: "vault.lan"
  std::string tls_certificate;  ///< PEM
  SecretMemory tls_key;         ///< PEM
  std::string log_origin;       ///< first line of the log's checkpoints
  SecretMemory log_seed;        ///< 32 bytes: of the key that signs them
};

/// The TLS key that follows the server's own. Move-only.
struct StoredTls {
  std::string certificate;  ///< PEM
  SecretMemory key;         ///< PEM
  std::int64_t made = 0;    ///< unix seconds
};

/// The one use of an empty vault: who holds the matching keys may make it his.
struct StoredClaim {
  std::string id;  ///< InviteSecret::id
  VerifyKey verify;
  SealKey seal;
};

struct StoredStatement {
  std::string list;  ///< ListId::Text
  Head head;         ///< its own sequence and hash
  Hash signer;
  std::string envelope;
};

struct StatementPlace {
  std::string list;
  std::uint64_t sequence = 0;
};

struct StoredSecret {
  std::uint64_t number = 0;
  std::string environment;
  std::string path;
  bool deleted = false;      ///< nobody reads it; read only
  bool destroyed = false;    ///< only its list is left; read only, and of GetSecret alone
  std::optional<Head> head;  ///< of the list "secret/NUMBER"; read only
};

/// A standing grant, as far as a read needs it. The rest is in its statement.
struct StoredGrant {
  std::uint64_t secret = 0;
  GranteeKind kind = GranteeKind::kMachine;
  std::uint64_t number = 0;    ///< of the grantee
  Hash grantee;                ///< Identity::Id of a machine
  std::uint64_t sequence = 0;  ///< of the granting statement in the secret's list
  std::string label;
  std::int64_t expires = 0;  ///< unix seconds, 0 = never
  Hash leaf;                 ///< GrantLeaf: what the grants' root is made of
};

/// How far a machine's journal has been recorded.
struct StoredJournal {
  std::uint64_t sequence = 0;  ///< of the last entry
  Hash hash;                   ///< JournalHash of it
};

/// Of which group and epoch a key is.
struct GroupPlace {
  std::string environment;
  std::uint64_t group = 0;
  std::uint32_t epoch = 0;
};

/// The private key of a group's newest epoch, sealed to one recipient.
struct StoredGroupCopy {
  std::string environment;
  std::uint64_t group = 0;
  std::uint32_t epoch = 0;
  GroupCopy copy;
};

/// A standing grant by prefix, as far as a read needs it.
struct StoredPrefix {
  std::string environment;
  std::string prefix;
  std::uint64_t group = 0;
  std::string label;
  std::int64_t expires = 0;  ///< unix seconds, 0 = never
};

struct StoredLabel {
  std::string label;
  std::uint32_t version = 0;
};

struct StoredVersion {
  std::uint64_t secret = 0;
  std::uint32_t version = 0;
  Head statement;  ///< in the secret's list
  Hash commitment;
  Hash ciphertext;           ///< BLAKE2b-256
  std::uint64_t size = 0;    ///< of the plaintext, bytes
  std::uint32_t epoch = 0;   ///< of the environment's key
  std::int64_t time = 0;     ///< of the statement: unix seconds
  std::int64_t expires = 0;  ///< unix seconds from which it is delivered to no machine, 0 = never
};

/// A data key of one version, sealed to one recipient.
struct StoredCopy {
  std::uint32_t version = 0;
  Recipient recipient;
  Bytes sealed;
};

struct MissingCopy {
  std::uint32_t version = 0;
  Recipient recipient;
};

/// What a signer has sent ahead of the statement that needs it is filed under this.
struct StageKey {
  Hash signer;
  std::uint64_t secret = 0;
  std::uint32_t version = 0;
  Hash commitment;
};

struct StagedCiphertext {
  Hash hash;               ///< BLAKE2b-256
  std::uint64_t size = 0;  ///< of the ciphertext, bytes
};

/// A private key of an environment's epoch, sealed to one identity.
struct StoredEpochCopy {
  std::uint32_t epoch = 0;
  Bytes sealed;
};

/// What can be frozen: no value of it is delivered then. A machine in one environment: nothing of that.
enum class FrozenKind { kMachine, kEnvironment, kMachineIn };
struct FrozenObject {
  FrozenKind kind = FrozenKind::kEnvironment;
  std::string id;                ///< a machine's identity id as 64 digits, an environment's name
  std::string environment = {};  ///< of kMachineIn: where
  auto operator<=>(const FrozenObject&) const = default;
  bool IsMachine() const { return kind != FrozenKind::kEnvironment; }
  /// The environment that it is of; "": of a machine everywhere.
  const std::string& Where() const { return kind == FrozenKind::kEnvironment ? id : environment; }
};

/// The server's own state, which nobody signed: it can only deny.
struct StoredFreeze {
  FrozenObject object;
  Hash signer;            ///< who froze it
  std::string name;       ///< of him, as the vault knew it
  std::int64_t time = 0;  ///< unix seconds
  std::string reason;     ///< ""
};

/// A secret that nobody has a reason to read: whoever does is told of. The server's own state, as freezes
/// are.
struct StoredCanary {
  std::uint64_t secret = 0;
  std::string name;       ///< of who made it one
  std::int64_t time = 0;  ///< unix seconds
};

struct StoredTripwire {
  std::string environment;
  Hash signer;            ///< who set it
  std::string name;       ///< of him
  std::int64_t time = 0;  ///< unix seconds
  TripwirePolicy policy;
  /// Of a project's scope: those of its environments that who set it might freeze then, and so for good.
  std::vector<std::string> reach;
};

enum class EnrolmentState { kPending, kApproved };

struct StoredEnrolment {
  std::string invitation;     ///< Invitation::id
  std::string enrolment;      ///< JSON
  std::int64_t received = 0;  ///< unix seconds
  EnrolmentState state = EnrolmentState::kPending;
  std::int64_t changed = 0;  ///< when `state` was set: unix seconds
};

}  // namespace grantfs

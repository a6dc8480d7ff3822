#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "grantfs/crypto/hash.h"
#include "grantfs/trust/identity.h"

namespace grantfs {

// The acts of a secret's list.

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

}  // namespace grantfs

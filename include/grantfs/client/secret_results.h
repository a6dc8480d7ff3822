#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "grantfs/crypto/secret.h"
#include "grantfs/trust/acts.h"
#include "grantfs/trust/names.h"
#include "grantfs/trust/statement.h"

namespace grantfs {

// What OwnerSession's functions about secrets take and give. Times are unix seconds; they are what signers'
// clocks said.

struct SetSecretOptions {
  std::string owner;        ///< of a new secret: who answers for it
  std::string description;  ///< of a new secret
  std::string reason;
  /// Only if this is the newest version, 0: only if there is no such secret (check-and-set).
  std::optional<std::uint32_t> after;
  bool dry_run = false;  ///< says what would be done; sends no value, changes nothing
  /// Seconds (at most kMaxTermSeconds) after which the secret is due to be rotated, 0: never. Without one, as
  /// the version before has it.
  std::optional<std::int64_t> rotate_after = {};
  /// Seconds after which reads of it end, likewise.
  std::optional<std::int64_t> expires_after = {};
  std::string label = {};  ///< "": it becomes current; kNextLabel: it is next, and current stays
};
/// A value on its way in, which stays the caller's.
struct NewValue {
  SecretName name;
  const SecretValue* value = nullptr;
  /// Of a template: paths of the secrets of its environment that it names, in order. Empty: it is a value.
  std::vector<std::string> parts = {};
};
struct SetSecretResult {
  SecretName name;
  std::uint64_t number = 0;  ///< 0 of a new secret in a dry run
  std::uint32_t version = 0;
  bool created = false;            ///< the secret is new
  std::size_t sealed_to = 0;       ///< machines that can open this version
  std::int64_t rotate_after = 0;   ///< seconds; 0 = never
  std::int64_t expires_after = 0;  ///< seconds; 0 = never
};

/// What is done to secrets beside setting them.
enum class LifeChange {
  kRollBack,
  kPromote,
  kWithdraw,
  kDescribe,
  kDelete,
  kUndelete,
  kDestroy,
  kDestroyVersions,
  kPurge
};
struct ChangeOptions {
  std::string reason;
  bool dry_run = false;
  std::uint32_t to = 0;                           ///< of kRollBack: 0 = the previous version
  std::vector<std::uint32_t> versions;            ///< of kDestroyVersions: ascending, each once
  std::optional<std::string> owner, description;  ///< of kDescribe; none = as it is
  std::size_t keep = 0;                           ///< of kPurge: so many of the newest versions stay
  std::int64_t older_than = 0;                    ///< of kPurge: only those published before so many seconds
};
struct ChangedSecret {
  SecretName name;
  std::uint32_t before = 0, current = 0;  ///< the current version, 0 = none
  std::vector<std::uint32_t> destroyed;   ///< versions
  bool changed = true;                    ///< false: there was nothing to do
};

/// Which version: a number, else a label.
struct VersionChoice {
  std::uint32_t version = 0;
  std::string label = "current";
};
struct GotSecret {
  SecretValue value;
  std::uint32_t version = 0;
  std::uint64_t record = 0;  ///< the read's place in the audit log
};

struct SecretInfo {
  SecretName name;
  SecretType type = SecretType::kValue;
  std::uint64_t number = 0;
  std::uint32_t version = 0;  ///< the current one, 0 = none
  std::uint64_t size = 0;
  std::int64_t time = 0;
  std::size_t grants = 0;
  std::string owner;
  std::string description;
  std::int64_t rotate_after = 0;  ///< seconds after `time`, 0 = never
  std::int64_t rotate_due = 0;    ///< unix seconds, 0 = never
  bool IsOverdue(std::int64_t now) const { return rotate_due != 0 && rotate_due <= now && !deleted; }
  std::int64_t expires_after = 0;  ///< seconds after `time`, 0 = never
  std::int64_t expires = 0;        ///< unix seconds, 0 = never
  bool HasExpired(std::int64_t now) const { return expires != 0 && expires <= now; }
  std::uint32_t next = 0;  ///< the version labelled so, 0 = none
  bool deleted = false;
  std::vector<std::string> parts;  ///< of a template: the paths of what its current version is made of
  std::string problem;  ///< non-empty: its list was refused, and why; then only name and number are known
};

struct VersionInfo {
  std::uint32_t version = 0;
  std::uint64_t size = 0;
  std::int64_t time = 0;
  std::string signer;  ///< name
  std::string reason;
  std::vector<std::string> labels;  ///< that point at it now
  std::string statement;            ///< hash, hex
  std::int64_t expires = 0;         ///< unix seconds, 0 = never
  bool destroyed = false;           ///< nothing of it is left but this
};

/// One statement of a secret's list.
struct SecretEvent {
  std::uint64_t sequence = 0;
  std::int64_t time = 0;
  std::string signer;  ///< name
  std::string action;  ///< "version.publish"
  std::string about;   ///< "version 2", "web-1"; "" = the secret as a whole
  std::string reason;
  bool voided = false;
};

}  // namespace grantfs

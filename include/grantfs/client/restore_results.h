#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "grantfs/crypto/hash.h"
#include "grantfs/crypto/secret.h"
#include "grantfs/util/result.h"

namespace grantfs {

// What accepting a restored backup, mending a list, and replacing the recovery identity take and give.

/// What took the recovery identity's place.
struct ReplacedRecovery {
  SecretMemory code;                  ///< to be shown once
  std::vector<std::string> followed;  ///< environments whose keys are sealed to it
  std::vector<std::string> others;    ///< those whose owners have yet to do that
};

struct RestoreOptions {
  bool dry_run = false;
  bool raise_level = false;  ///< where the vault's format level does not know restores yet
  bool anyway = false;       ///< though this home has seen nothing that the vault does not have
  bool vouch = false;        ///< also for what those signed since (RestoreResult::since)
  /// The key that the server shows, which the backup's list names: from before it was replaced.
  std::optional<Hash> pin = {};
  std::string reason;
};

/// A statement in words: one that this home has seen and the vault does not have any more, or one that does
/// not count.
struct LostStatement {
  std::string where;  ///< "the vault", "its machines", "shop/prod", "shop/prod/db-password"
  std::string what;   ///< "version 4", "carol removed"
  std::string by;
  std::int64_t time = 0;
  bool again = false;  ///< it took something from somebody, and is (or would be) done again
};

struct RestoreResult {
  bool needed = false;       ///< the vault goes on from a backup, and not all of it that is mine was accepted
  std::size_t accepted = 0;  ///< lists whose restore was (or would be) signed
  std::size_t repeated = 0;  ///< acts that were (or would be) done again
  std::vector<LostStatement> lost;
  /// What is there that this home has not seen, by those whom it saw leave and who are back with the backup.
  std::vector<LostStatement> since;
  std::vector<std::string> new_epochs;  ///< environments that have a new key
  std::vector<std::string> others;      ///< sentences: what others have to accept
  std::vector<std::string> problems;    ///< sentences: what could not be done
};

/// What becomes of a list that has a tail which does not count.
struct MendOptions {
  enum class How { kLook, kVouch, kVoid };  ///< nothing; all of it is good; it is taken back
  How how = How::kLook;
  std::string reason;
  /// Asked, with what it is about, before anything is signed; again where the list went on meanwhile. Its
  /// error ends it. May be empty.
  std::function<Status(const std::vector<LostStatement>&)> confirm = {};
};

}  // namespace grantfs

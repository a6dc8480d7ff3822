#pragma once

#include <string>
#include <vector>

#include "grantfs/client/doctor.h"
#include "grantfs/client/options.h"
#include "grantfs/crypto/secret.h"
#include "grantfs/net/address.h"
#include "grantfs/util/result.h"

namespace grantfs {

/// Which vault, for a computer that has no home of it: nothing of it is secret.
struct VaultPlace {
  Address address;
  Hash vault;
  Hash pin;
};

struct RecoverResult {
  std::string name;
  std::string fingerprint;
  std::vector<std::string> environments;  ///< of which the new identity is an owner now
  std::vector<std::string> problems;      ///< sentences: environments of which it is not
  std::vector<std::string> owners;        ///< of the vault, who were there before
};

/// Makes a new owner's home, and by the recovery code an owner of the vault and of all its environments of it. An
/// interrupted call is gone on with by calling it again.
///
/// @param code  as `init` has shown it.
/// Errors: kInvalid (mistyped), kConflict (the home has an identity), kDenied (it is not this vault's recovery
/// code, or no more), kUnreachable, kIntegrity, kIo.  Blocks.
Result<RecoverResult> RecoverOwner(const std::string& home_directory, const VaultPlace& place,
                                   const SecretMemory& code, const std::string& owner_name,
                                   const ClientOptions& options = {});

/// Whether the code opens the copies of every environment's keys that are kept for it.
///
/// @param home_directory  a person's, by whose lists the copies are judged.
/// Errors: kInvalid (mistyped), kDenied (not the code of this vault), kUnreachable.  Blocks.
Result<std::vector<Finding>> CheckRecoveryCopies(const std::string& home_directory, const SecretMemory& code,
                                                 const ClientOptions& options = {});

}  // namespace grantfs

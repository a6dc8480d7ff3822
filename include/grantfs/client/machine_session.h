#pragma once

#include <memory>
#include <optional>
#include <string>

#include "grantfs/client/home.h"
#include "grantfs/client/options.h"
#include "grantfs/client/secret_source.h"
#include "grantfs/crypto/secret.h"
#include "grantfs/util/result.h"

namespace grantfs {

class HttpClient;
class KeptMemory;

struct MachineOptions {
  const Clock* clock = &SystemClock();
  bool watch = true;                           ///< false: for one read, no stream of changes
  std::shared_ptr<HttpClient> http;            ///< for the home's address and pins, made before; or null
  KeptMemory* kept = nullptr;                  ///< where leases outlive this process; outlives the session
  std::optional<SecretMemory> seed;            ///< where the home's own may not be read by this process
  std::chrono::milliseconds deadline{10'000};  ///< of each request but opens and checks
  /// May be null; is told, on any thread, how long is waited until the vault is asked again after a failure.
  std::function<void(std::chrono::milliseconds)> pausing;
};

/// A machine's secrets over a vault: what a mount and `grantfs read` read from.
///
/// Its listing comes from lists that it verified itself and keeps in the home (known.db): it stands at once,
/// with the vault down too. A thread of its own follows the vault: a stream of changes with heartbeats, taken
/// up again after a failure; what changed is asked for, verified, shown, and then acknowledged. A secret
/// whose lists do not verify stays listed as it was, its opens fail with kIntegrity, and CurrentStatus says
/// why; others are not touched by it.
///
/// An open is one request. The vault records it; what it answers is checked against the verified lists (newer
/// heads: those are fetched and verified first), opened and decrypted here. Threads: all functions are safe;
/// destruction cancels what is under way and must not happen on a thread of the source.
class MachineSession : public SecretSource {
 public:
  /// Reads home and known.db; asks nothing of the vault. Errors: kNotFound, kConflict (not approved yet),
  /// kDenied, kIntegrity, kInvalid (the home is not a machine's), kIo.
  static Result<std::unique_ptr<MachineSession>> Start(const std::string& home_directory,
                                                       MachineOptions options = {});

  /// The same for a process that may not enter the home and was handed what it needs (mount_home.h).
  /// `options.seed` is required.
  static Result<std::unique_ptr<MachineSession>> StartHanded(Home home, MachineOptions options);

  /// Waits until the vault was asked once after the start and what it said is in the listing; for `grantfs
  /// read`, and for a mount that wants to begin complete. Errors: kUnreachable (not within `wait`),
  /// kUnauthentic, kIntegrity: the listing is as it was.
  virtual Status WaitUntilCurrent(std::chrono::milliseconds wait) = 0;
};

/// Opens once and waits for it; asks the vault for its listing first where the home does not know the name
/// yet. Errors: as SecretSource::Open; kNotFound for a name that is not granted; kDenied where the grant has
/// conditions, which only a mount enforces.
///
/// @param full_name  "shop/prod/db-password".
Result<OpenedSecret> ReadSecretOnce(MachineSession& source, std::string_view full_name, const Caller& caller,
                                    std::chrono::milliseconds deadline);

}  // namespace grantfs

#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "grantfs/client/machine_session.h"
#include "grantfs/util/result.h"
#include "grantfs/util/unique_fd.h"

namespace grantfs {

/// What a mount's privileged part takes out of a machine's home for its workers, which may not enter it.
///
/// They keep what they verify in a known.db of their own (HOME/mount-ID/, ID being the machine's), so that no
/// program of the home's owner ever reads a database that they wrote, and nothing else of the home is theirs
/// to write. It begins as the home's, and never knows less than that: each mount that begins takes the home's
/// newest heads over. The journal and what is kept for offline use (HOME/journal/, HOME/offline/) are theirs
/// too; `grantfs read` reads and adds files there, and trusts what it reads no more than what comes from the
/// network.
struct MountHome {
  std::string identity;  ///< the machine's, in hexadecimal
  UniqueFd profile;      ///< identity.json, sealed
  UniqueFd seed;         ///< sealed
  UniqueFd known;        ///< the home's known.db as it is now, sealed
  UniqueFd state;        ///< the directory, for its path alone
  UniqueFd journal;      ///< the same
  UniqueFd offline;      ///< the same

  /// In the order of HandedHome.
  std::vector<int> Descriptors() const {
    return {profile.get(), seed.get(), known.get(), state.get(), journal.get(), offline.get()};
  }
};

/// Makes the directory where it is missing. @param user, group whom the workers run as.
/// Errors: as MachineSession::Start; kIo (the home cannot be written).
Result<MountHome> OpenMountHome(const std::string& directory, uid_t user, gid_t group);

/// In a worker: the descriptors of a MountHome.
struct HandedHome {
  int profile = -1;
  int seed = -1;
  int known = -1;
  int state = -1;
  int journal = -1;
  int offline = -1;
};

/// In a worker that stands by: makes what of a session's beginning takes its time and needs neither known.db
/// nor the vault, so that readers do not wait for it later. @return null if it cannot be made; why shows
/// itself then.
std::shared_ptr<HttpClient> WarmUpMountSession(const HandedHome& handed);

/// @param first the first worker of a mount: takes over what the home knows.
/// @param http of WarmUpMountSession, or null.
/// @param kept where leases outlive the worker; outlives the session.
/// Errors: as MachineSession::Start.
Result<std::unique_ptr<MachineSession>> StartMountSession(const HandedHome& handed, bool first,
                                                          std::shared_ptr<HttpClient> http, KeptMemory* kept);

}  // namespace grantfs

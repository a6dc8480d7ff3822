#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "grantfs/client/secret_source.h"
#include "grantfs/log/log.h"
#include "grantfs/util/result.h"
#include "grantfs/util/unique_fd.h"

namespace grantfs {

class KeptMemory;

// A mount of several processes. The *supervisor* holds the FUSE connection and the memory with the requests
// that wait for an answer, and reads nothing that comes from a network. A *worker*, an unprivileged process
// of the same program, serves the files; another stands ready, and goes on where the first one was when that
// one ends, whatever ended it: readers notice a pause of milliseconds.

/// The descriptors that a worker is given by whoever starts the mount begin with this number.
inline constexpr int kFirstWorkerDescriptor = 7;

struct StoredDescriptor {
  std::string name;
  UniqueFd fd;
};

/// A place outside of this process where descriptors outlive it, as systemd's store is
/// (FileDescriptorStoreMax=). The supervisor puts there what its mount consists of, and takes it away when
/// the mount ends in order.
struct DescriptorStore {
  std::vector<StoredDescriptor> kept;  ///< what the process before this one had put there; taken out
  /// Empty: it takes nothing. @return false if it could not be told.
  std::function<bool(std::string_view name, int fd)> put;
  std::function<void(std::string_view name)> remove;  ///< all of that name
};

struct SupervisorOptions {
  std::string mount_point;
  bool allow_other = false;  ///< as MountOptions say, and the next ones too
  std::string on_change;
  std::chrono::seconds on_change_limit{60};
  std::string root;
  unsigned threads = 4;
  std::chrono::milliseconds open_deadline{2000};
  /// The words that lead this program to RunWorker; its own arguments follow.
  std::vector<std::string> worker_words;
  /// Become kFirstWorkerDescriptor, ... in each worker.
  std::vector<int> worker_descriptors;
  /// Whom workers run as, if this process is root.
  uid_t user = 0;
  gid_t group = 0;
  /// What workers write to standard error goes through this process: it may write elsewhere later.
  bool relay_log = false;
  /// Where the mount outlives this process; a mount that is kept there is gone on with, if it is of this
  /// mount point, root and identity. Null: nowhere.
  DescriptorStore* store = nullptr;
  std::string identity;                       ///< whose secrets it shows
  std::string version;                        ///< of this program
  std::string control_directory;              ///< for UpgradeMount; made (0700) where it is missing
  std::chrono::milliseconds heartbeat{5000};  ///< a worker that is silent for so long is replaced
  std::function<void(LogLevel, std::string_view line)> log;  ///< empty: grantfs::Log
  std::function<void()> ready;                               ///< runs once, when the files can be read
  std::function<void(std::string_view state)> tell;  ///< how it stands, for a service manager; may be empty
};

/// As RunMount, by workers. What keeps the first one from starting is returned as its error, and nothing is
/// mounted then. Threads: one, which is the only one of its process that forks.
/// Errors: as RunMount; those of the worker's source; kCancelled (told to end before it was ready).
Status RunSupervisor(const SupervisorOptions& options);

/// Has a running mount start workers of this program, which may be a newer one than the mount began with: the
/// worker that serves finishes what it is at, and one of them takes over.
/// Errors: kNotFound (no such mount runs), kDenied, kUnsupported (this program cannot take over from that
/// one), kIo.
Status UpgradeMount(const std::string& mount_point, const std::string& control_directory);

/// Makes a worker's source of secrets. @param first it is the mount's first worker, and what fails is told to
/// whoever mounts; else it takes over at once what another one served. @param kept memory that the next one
/// takes over too, for kinds of 16 and more; outlives the source.
using MakeSource = std::function<Result<std::unique_ptr<SecretSource>>(bool first, KeptMemory* kept)>;

/// A worker: with the words behind `worker_words`. Returns the exit status of its process, which must end
/// with _exit. Threads: it is called with one thread, and before anything else.
///
/// @param version  of this program, for who asks the supervisor how it stands.
/// @param warm_up  runs in a worker that stands by: whatever makes make_source(false) quicker. May be empty.
int RunWorker(const std::vector<std::string>& words, const MakeSource& make_source,
              const std::function<void()>& warm_up = {}, std::string_view version = {});

/// The words that workers are started with in the grantfs program.
inline constexpr const char* kWorkerWord = "mount-worker";

}  // namespace grantfs

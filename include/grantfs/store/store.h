#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "grantfs/store/reader.h"
#include "grantfs/store/writer.h"
#include "grantfs/util/result.h"

namespace grantfs {

/// For watching over it.
struct StoreFigures {
  std::uint64_t commits = 0;   ///< groups that were committed since the start
  std::uint64_t jobs = 0;      ///< jobs in them
  std::uint64_t failures = 0;  ///< commits that failed, each of which is tried again job by job
  std::uint64_t queued = 0;    ///< jobs that wait now
  std::uint64_t database_bytes = 0;
  std::uint64_t disk_free_bytes = 0;
};

/// How much is left of the disk that a store is on.
enum class DiskRoom {
  kEnough,
  kLow,         ///< less than 1 GiB, or a quarter of a small disk: somebody should look
  kNearlyFull,  ///< less than 256 MiB, or a tenth: what can be told later waits
  kReserve,     ///< less than 64 MiB, or a twenty-fifth: for critical records and those who mend alone
};

/// The vault's whole state and its audit log. One implementation is embedded (SQLite, one file); another
/// behind the same interface may be a database server. Threads: all safe.
class Store {
 public:
  virtual ~Store() = default;

  /// Runs on the writer's thread, one job at a time, so it must be short and must not wait for anything. It
  /// may run more than once (when the group that it was in could not be committed, it runs again alone), so
  /// it sets what it captured and does not add to it.
  using Job = std::function<Status(StoreWriter&)>;
  /// Runs exactly once, on a thread of the store (the writer's, while nothing else is to be written), in the
  /// order of the commits. It must neither call WriteAndWait nor take a lock that is held over one.
  /// Success: the job's changes and records are on the disk. An error: none of them is, and none will be.
  using Done = std::function<void(Status)>;

  /// Queues a job. Jobs are committed in groups, a failing one does not spoil its group.
  /// Errors told to `done`: the job's own; kNoSpace, kIo (the commit failed); kThrottled (the queue is full);
  /// kCancelled (the store is closing).
  virtual void Write(Job job, Done done) = 0;
  /// The same, and waits. Not from a job or a `done`.
  Status WriteAndWait(Job job);

  /// A view of what is committed now; it stays as it is while it is held. Hold it shortly: it keeps the log
  /// of changes from being folded, and there are few. Errors: kThrottled (all readers stayed busy), kIo.
  virtual Result<std::unique_ptr<StoreReader>> Read() = 0;

  /// @param percent  of these bounds: with more than 100 it eases later than it came.
  virtual DiskRoom Room(unsigned percent = 100) const = 0;
  /// Whether what can be told later should wait.
  bool IsNearlyFull() const { return Room() >= DiskRoom::kNearlyFull; }

  virtual StoreFigures Figures() const = 0;

  /// Writes all of it, the server's keys too, to a new file (0600), which a vault can start from.
  /// Errors: kConflict (the file exists), kNoSpace, kIo.
  virtual Status Backup(const std::string& path) = 0;
};

struct StoreOptions {
  std::string directory;                        ///< made 0700 if it is not there
  std::size_t max_queued = 10'000;              ///< jobs that wait
  std::size_t max_group = 512;                  ///< jobs in one commit
  std::size_t max_readers = 16;                 ///< views at once
  std::chrono::milliseconds reader_wait{5000};  ///< for one of them
};

/// The file names within StoreOptions::directory.
inline constexpr char kDatabaseFile[] = "vault.db";
inline constexpr char kLockFile[] = "vault.lock";

/// Opens the embedded store, making or migrating its database. Closing it runs every queued job first.
/// Errors, each a sentence: kConflict (another process serves this directory), kDenied (others may enter the
/// directory), kUnsupported (a newer schema), kIntegrity (damaged; the log and its last checkpoint contradict
/// each other), kInvalid (another program's database), kNoSpace, kIo.
Result<std::unique_ptr<Store>> OpenEmbeddedStore(const StoreOptions& options);

}  // namespace grantfs

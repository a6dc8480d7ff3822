#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include "audit_appender_internal.h"
#include "grantfs/store/store.h"
#include "writer_internal.h"

namespace grantfs {

/// A job on its way through the store.
struct QueuedJob {
  Store::Job job;
  Store::Done done;
  Status status;
};

/// Runs the `done` functions one after the other, in order: on a thread of its own, so that they hold no
/// commit back, or on the writer's while nothing waits for a commit.
class DoneLoop {
 public:
  DoneLoop() : thread_([this] { Run(); }) {}
  ~DoneLoop() { Close(); }
  /// Runs what is left, and ends. Once.
  void Close();
  /// @param here  on the caller's thread, unless others run already
  void Add(std::vector<QueuedJob> jobs, bool here);

 private:
  void Run();
  void RunWaiting(std::unique_lock<std::mutex>& lock);
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<QueuedJob> waiting_;
  bool running_ = false;  ///< some thread is in RunWaiting
  bool closing_ = false;
  std::thread thread_;
};

/// The one thread that writes: drains the queue, runs the jobs of a group in one transaction, commits it
/// once.
class CommitLoop {
 public:
  /// Takes the one writing connection. Load() before the first job.
  CommitLoop(Database database, const StoreOptions& options);
  ~CommitLoop();  ///< Close, then folds the write-ahead log into the file

  Status Load() { return audit_.Load(); }
  void Start();
  void Write(Store::Job job, Store::Done done);
  StoreFigures Figures();
  /// Commits what is queued and runs every `done`; later writes are refused. Once.
  void Close();

 private:
  void Run();
  std::vector<QueuedJob> Take();
  bool IsIdle();
  void Commit(std::span<QueuedJob> group);
  Status TryCommit(std::span<QueuedJob> group);
  Status RunJob(const Store::Job& job);
  void EmptyLog();

  Database database_;
  AuditAppender audit_;
  SqliteWriter writer_;
  const std::size_t max_queued_;
  const std::size_t max_group_;
  bool erased_ = false;                              ///< the log may still hold what was erased
  std::chrono::steady_clock::time_point next_wait_;  ///< for readers that keep it so, at the earliest
  std::atomic<std::uint64_t> commits_{0}, jobs_{0}, failures_{0};
  std::optional<Error> lost_;  ///< why the group's transaction can no longer be committed
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<QueuedJob> queue_;
  bool closing_ = false;
  DoneLoop done_;
  std::thread thread_;
};

}  // namespace grantfs

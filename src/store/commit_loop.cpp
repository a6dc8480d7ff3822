#include <iterator>
#include <utility>

#include "commit_loop_internal.h"
#include "grantfs/log/log.h"

namespace grantfs {
namespace {

/// For readers, whose views are short.
constexpr std::chrono::milliseconds kPatience{200};
/// A backup reads for minutes: not every commit waits for it meanwhile.
constexpr std::chrono::seconds kNextWait{5};

}  // namespace

void DoneLoop::Close() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void DoneLoop::Add(std::vector<QueuedJob> jobs, bool here) {
  std::unique_lock lock(mutex_);
  std::move(jobs.begin(), jobs.end(), std::back_inserter(waiting_));
  if (running_) return;  // who is at it goes on until nothing waits
  if (here) return RunWaiting(lock);
  lock.unlock();
  changed_.notify_one();
}

void DoneLoop::RunWaiting(std::unique_lock<std::mutex>& lock) {
  running_ = true;
  while (!waiting_.empty()) {
    std::vector<QueuedJob> jobs = std::exchange(waiting_, {});
    lock.unlock();
    for (QueuedJob& job : jobs) {
      if (job.done) job.done(std::move(job.status));
    }
    jobs.clear();  // what the functions hold is let go of before the lock is taken
    lock.lock();
  }
  running_ = false;
}

void DoneLoop::Run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return !running_ && (closing_ || !waiting_.empty()); });
    if (waiting_.empty()) return;
    RunWaiting(lock);
  }
}

CommitLoop::CommitLoop(Database database, const StoreOptions& options)
    : database_(std::move(database)),
      audit_(database_),
      writer_(database_, audit_),
      max_queued_(options.max_queued),
      max_group_(options.max_group) {}

void CommitLoop::Close() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
  done_.Close();
}

CommitLoop::~CommitLoop() {
  Close();
  // Without it the log stays beside the file, which is as good, but no single file.
  if (const auto folded = database_.Checkpoint(); !folded) {
    Log(LogLevel::kWarning, "could not fold the database's log into its file", folded.error());
  }
}

void CommitLoop::Start() {
  thread_ = std::thread([this] { Run(); });
}

void CommitLoop::Write(Store::Job job, Store::Done done) {
  QueuedJob queued{std::move(job), std::move(done), {}};
  {
    const std::lock_guard lock(mutex_);
    if (!closing_ && queue_.size() < max_queued_) {
      queue_.push_back(std::move(queued));
      if (queue_.size() == 1) changed_.notify_one();
      return;
    }
    queued.status = closing_ ? Error{Code::kCancelled, "the vault is closing"}
                             : Error{Code::kThrottled, "too many changes wait for the disk: try again"};
  }
  std::vector<QueuedJob> refused;
  refused.push_back(std::move(queued));
  done_.Add(std::move(refused), /*here=*/false);
}

StoreFigures CommitLoop::Figures() {
  StoreFigures figures;
  figures.commits = commits_.load(std::memory_order_relaxed);
  figures.jobs = jobs_.load(std::memory_order_relaxed);
  figures.failures = failures_.load(std::memory_order_relaxed);
  const std::lock_guard lock(mutex_);
  figures.queued = queue_.size();
  return figures;
}

bool CommitLoop::IsIdle() {
  const std::lock_guard lock(mutex_);
  return queue_.empty();
}

std::vector<QueuedJob> CommitLoop::Take() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return closing_ || !queue_.empty(); });
  const std::size_t count = std::min(queue_.size(), max_group_);
  const auto end = queue_.begin() + static_cast<std::ptrdiff_t>(count);
  std::vector<QueuedJob> group(std::make_move_iterator(queue_.begin()), std::make_move_iterator(end));
  queue_.erase(queue_.begin(), end);
  return group;
}

void CommitLoop::Run() {
  for (;;) {
    std::vector<QueuedJob> group = Take();
    if (group.empty()) return;  // closing, and nothing is left
    Commit(group);
    EmptyLog();
    for (QueuedJob& job : group) job.job = nullptr;
    // While nobody waits for the next commit, a change of threads would only make the answers later.
    done_.Add(std::move(group), /*here=*/IsIdle());
  }
}

// What was erased stands in the log's older pages until it is emptied. Where a reader keeps it from that, the
// next commit tries again: there is one each minute at least.
void CommitLoop::EmptyLog() {
  erased_ = writer_.TakeErased() || erased_;
  if (!erased_) return;
  const auto now = std::chrono::steady_clock::now();
  const bool waits = now >= next_wait_;
  if (waits) next_wait_ = now + kNextWait;
  const auto emptied = database_.EmptyLog(waits ? kPatience : std::chrono::milliseconds(0));
  if (!emptied)
    Log(LogLevel::kWarning, "could not empty the database's log of what was erased", emptied.error());
  erased_ = !emptied || !*emptied;
}

// A group that could not be committed is tried again job by job, so that one that needs too much room (or
// meets a damaged page) fails alone.
void CommitLoop::Commit(std::span<QueuedJob> group) {
  const Status committed = TryCommit(group);
  if (committed) return;
  failures_.fetch_add(1, std::memory_order_relaxed);
  if (group.size() == 1) {
    group[0].status = committed;
    return;
  }
  for (QueuedJob& job : group) {
    if (const Status alone = TryCommit({&job, 1}); !alone) job.status = alone;
  }
}

Status CommitLoop::TryCommit(std::span<QueuedJob> group) {
  audit_.Begin();
  lost_.reset();
  Transaction transaction = GRANTFS_TRY(Transaction::Begin(database_));
  for (QueuedJob& job : group) {
    job.status = RunJob(job.job);
    if (lost_) return *lost_;
  }
  GRANTFS_CHECK(audit_.Finish());
  GRANTFS_CHECK(transaction.Commit());
  audit_.Committed();
  commits_.fetch_add(1, std::memory_order_relaxed);
  jobs_.fetch_add(group.size(), std::memory_order_relaxed);
  return {};
}

Status CommitLoop::RunJob(const Store::Job& job) {
  GRANTFS_CHECK(database_.Run("SAVEPOINT job"));
  const auto mark = audit_.mark();
  Status status = job(writer_);
  if (const Status failure = writer_.TakeFailure(); status && !failure) status = failure;
  if (!database_.InTransaction()) {  // SQLite itself has rolled back: a full disk, say
    lost_ = status ? Error{Code::kIo, "the database gave the transaction up", 0, database_.path()}
                   : status.error();
    return *lost_;
  }
  if (!status) {
    audit_.RollBackTo(mark);
    if (const Status undone = database_.Run("ROLLBACK TO job"); !undone) lost_ = undone.error();
  }
  if (const Status released = database_.Run("RELEASE job"); !released) lost_ = released.error();
  return status;
}

}  // namespace grantfs

#include <pthread.h>

#include <utility>

#include "mount/base/signals_internal.h"
#include "mount/base/work_queue_internal.h"

namespace grantfs {

namespace {
std::int64_t SteadyNow() {
  return std::chrono::nanoseconds(std::chrono::steady_clock::now().time_since_epoch()).count();
}
}  // namespace

WorkQueue::WorkQueue(const char* name, std::chrono::seconds interval, Job idle) {
  thread_ = std::thread([this, interval, idle = std::move(idle)] {
    BlockAllSignals();
    Run(interval, idle);
  });
  pthread_setname_np(thread_.native_handle(), name);
}

bool WorkQueue::Post(Job job) {
  std::lock_guard lock(mutex_);
  if (stopped_ || jobs_.size() >= kMaxJobs) return false;
  jobs_.push_back(std::move(job));
  changed_.notify_one();
  return true;
}

void WorkQueue::Run(std::chrono::seconds interval, const Job& idle) {
  std::unique_lock lock(mutex_);
  while (!stopped_) {
    Job job;
    if (changed_.wait_for(lock, interval, [this] { return stopped_ || !jobs_.empty(); })) {
      if (stopped_) return;
      job = std::move(jobs_.front());
      jobs_.pop_front();
    } else {
      job = idle;
    }
    lock.unlock();
    busy_since_ = SteadyNow();
    try {
      if (job) job();
    } catch (...) {
      // Memory ran out: the job is lost, as if it had not fitted.
    }
    job = nullptr;  // what it held is released outside of the lock
    busy_since_ = 0;
    lock.lock();
  }
}

std::chrono::nanoseconds WorkQueue::BusyFor() const {
  const std::int64_t since = busy_since_;
  return std::chrono::nanoseconds(since == 0 ? 0 : SteadyNow() - since);
}

void WorkQueue::Stop() {
  std::deque<Job> dropped;
  {
    std::lock_guard lock(mutex_);
    stopped_ = true;
    dropped.swap(jobs_);
    changed_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

}  // namespace grantfs

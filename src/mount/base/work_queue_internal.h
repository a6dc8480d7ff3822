#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace grantfs {

/// One thread that runs jobs in order. What does not fit (`kMaxJobs` waiting) is dropped: jobs here only make
/// things sooner right that time makes right too. Threads: safe.
class WorkQueue {
 public:
  static constexpr std::size_t kMaxJobs = 65536;
  using Job = std::function<void()>;

  /// @param idle runs whenever nothing came for `interval`; may be empty.
  explicit WorkQueue(const char* name, std::chrono::seconds interval = std::chrono::hours(1), Job idle = {});
  WorkQueue(const WorkQueue&) = delete;
  WorkQueue& operator=(const WorkQueue&) = delete;
  ~WorkQueue() { Stop(); }

  /// @return false if the job was dropped.
  bool Post(Job job);

  /// For how long it has been at one job; 0 if it is at none.
  std::chrono::nanoseconds BusyFor() const;

  /// Drops what waits and ends the thread, after the job that runs.
  void Stop();

 private:
  void Run(std::chrono::seconds interval, const Job& idle);

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> jobs_;
  bool stopped_ = false;
  std::atomic<std::int64_t> busy_since_{0};  ///< on the steady clock; 0: it waits for a job
  std::thread thread_;
};

}  // namespace grantfs

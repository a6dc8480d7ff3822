#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <thread>

namespace grantfs {

/// Runs functions later, one after the other, on a thread of its own. Threads: safe.
class Timer {
 public:
  using Clock = std::chrono::steady_clock;
  /// @param asked  may be null; is told of each wait that After() is asked for, on the thread that asks.
  explicit Timer(std::function<void(std::chrono::milliseconds)> asked = nullptr);
  ~Timer();  ///< what has not run does not run any more
  void At(Clock::time_point when, std::function<void()> run);
  void After(std::chrono::milliseconds wait, std::function<void()> run) {
    if (asked_) asked_(wait);
    At(Clock::now() + wait, std::move(run));
  }

 private:
  void Run();
  const std::function<void(std::chrono::milliseconds)> asked_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::multimap<Clock::time_point, std::function<void()>> waiting_;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace grantfs

#include <utility>

#include "timer_internal.h"

namespace grantfs {

Timer::Timer(std::function<void(std::chrono::milliseconds)> asked)
    : asked_(std::move(asked)), thread_([this] { Run(); }) {}

Timer::~Timer() {
  {
    const std::lock_guard guard(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Timer::At(Clock::time_point when, std::function<void()> run) {
  {
    const std::lock_guard guard(mutex_);
    waiting_.emplace(when, std::move(run));
  }
  changed_.notify_all();
}

void Timer::Run() {
  std::unique_lock lock(mutex_);
  while (!stop_) {
    if (waiting_.empty()) {
      changed_.wait(lock);
      continue;
    }
    const auto first = waiting_.begin();
    if (first->first > Clock::now()) {
      const auto until = first->first;
      changed_.wait_until(lock, until);
      continue;
    }
    const auto run = std::move(first->second);
    waiting_.erase(first);
    lock.unlock();
    run();
    lock.lock();
  }
}

}  // namespace grantfs

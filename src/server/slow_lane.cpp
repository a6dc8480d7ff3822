#include <pthread.h>

#include <utility>

#include "slow_lane_internal.h"

namespace grantfs {

SlowLane::SlowLane(unsigned threads) {
  for (unsigned i = 0; i < threads; ++i) {
    threads_.emplace_back([this] { Run(); });
    pthread_setname_np(threads_.back().native_handle(), "grantfs-slow");
  }
}

bool SlowLane::Add(const Hash& identity, Work work) {
  {
    const std::lock_guard lock(mutex_);
    if (closing_ || count_ >= kMaxWaiting) return false;
    std::deque<Work>& own = waiting_[identity];
    if (own.empty() && !running_.contains(identity)) turns_.push_back(identity);
    own.push_back(std::move(work));
    ++count_;
  }
  changed_.notify_one();
  return true;
}

void SlowLane::Close() {
  std::unordered_map<Hash, std::deque<Work>> dropped;
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
    waiting_.swap(dropped);
    turns_.clear();
    count_ = 0;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_)
    if (thread.joinable()) thread.join();
}

void SlowLane::Run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return closing_ || !turns_.empty(); });
    if (closing_) return;
    const Hash identity = turns_.front();
    turns_.pop_front();
    const auto own = waiting_.find(identity);
    Work work = std::move(own->second.front());
    own->second.pop_front();
    if (own->second.empty()) waiting_.erase(own);
    --count_;
    running_.insert(identity);
    lock.unlock();
    try {
      work();
    } catch (...) {
      // For want of memory; its responder goes with it, and says so.
    }
    work = nullptr;  // what it holds is let go of before the lock is taken
    lock.lock();
    running_.erase(identity);
    if (!waiting_.contains(identity)) continue;
    turns_.push_back(identity);
    changed_.notify_one();
  }
}

}  // namespace grantfs

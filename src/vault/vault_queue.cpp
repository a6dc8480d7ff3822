#include "vault_queue_internal.h"

namespace grantfs {

VaultQueue::VaultQueue(std::size_t max_waiting) : max_waiting_(max_waiting), thread_([this] { Run(); }) {}

bool VaultQueue::Add(Work work, const Hash& who) {
  {
    const std::lock_guard lock(mutex_);
    if (closing_ || waiting_.size() >= max_waiting_) return false;
    if (who != Hash{}) {
      std::size_t& of_one = of_one_[who];
      if (of_one >= kMaxOfOne) return false;
      ++of_one;
    }
    waiting_.push_back({who, std::move(work)});
  }
  changed_.notify_one();
  return true;
}

bool VaultQueue::GoOn(Work rest) {
  const std::lock_guard lock(mutex_);
  if (closing_) return false;
  waiting_.push_back({Hash{}, std::move(rest)});  // and the thread that runs this looks before it waits
  return true;
}

void VaultQueue::Close() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void VaultQueue::Run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return closing_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    Work work = std::move(waiting_.front().work);
    const auto of_one = of_one_.find(waiting_.front().who);
    if (of_one != of_one_.end() && --of_one->second == 0) of_one_.erase(of_one);
    waiting_.pop_front();
    const bool cancelled = closing_;
    lock.unlock();
    work(cancelled);
    work = nullptr;  // what it holds is let go of before the lock is taken
    lock.lock();
  }
}

}  // namespace grantfs

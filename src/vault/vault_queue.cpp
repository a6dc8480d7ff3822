#include "vault_queue_internal.h"

namespace grantfs {

VaultQueue::VaultQueue(std::size_t max_waiting) : max_waiting_(max_waiting), thread_([this] { Run(); }) {}

bool VaultQueue::Add(Work work) {
  {
    const std::lock_guard lock(mutex_);
    if (closing_ || waiting_.size() >= max_waiting_) return false;
    waiting_.push_back(std::move(work));
  }
  changed_.notify_one();
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
    Work work = std::move(waiting_.front());
    waiting_.pop_front();
    const bool cancelled = closing_;
    lock.unlock();
    work(cancelled);
    work = nullptr;  // what it holds is let go of before the lock is taken
    lock.lock();
  }
}

}  // namespace grantfs

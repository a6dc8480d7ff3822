#include <pthread.h>

#include <cerrno>

#include "mount/base/signals_internal.h"
#include "mount/kernel/requests_internal.h"
#include "mount/kernel/session_internal.h"

namespace grantfs {

namespace {

constexpr std::chrono::milliseconds kSlack{200};
constexpr std::size_t kMostThreads = MountShared::kMaxThreads;
static_assert(Requests::kMostWaiting + kMostThreads <= Slots::kCount);

// Runs with libfuse's lock of the request held, and perhaps after the request was answered on another thread:
// so the request is named by number.
void OnInterrupt(fuse_req_t req, void* id) {
  Session::Of(req).requests().Interrupt(reinterpret_cast<std::uintptr_t>(id));
}

}  // namespace

Requests::Requests() {
  watcher_ = std::thread([this] {
    BlockAllSignals();
    WatchDeadlines();
  });
  pthread_setname_np(watcher_.native_handle(), "deadlines");
}

/// @return false if too many wait already.
bool Requests::Enter(const Shared& request, Id* id) {
  const std::size_t most = request->user == 0 ? kMostOfRoot : kMostOfUser;
  std::lock_guard lock(mutex_);
  const auto of_user = of_user_.try_emplace(request->user, 0).first;
  if (open_.size() >= kMostWaiting || of_user->second >= most) {
    ++throttled_;
    if (of_user->second == 0) of_user_.erase(of_user);
    return false;
  }
  ++of_user->second;
  *id = next_++;
  open_.emplace(*id, request);
  if (std::exchange(watcher_idle_, false)) changed_.notify_one();
  return true;
}

bool Requests::Begin(fuse_req_t req, std::chrono::milliseconds deadline, std::function<void()> late,
                     const Start& start) {
  auto request = std::make_shared<Request>();
  request->req = req;
  request->user = fuse_req_ctx(req)->uid;
  request->deadline = std::chrono::steady_clock::now() + deadline + kSlack;
  request->late = std::move(late);
  Id id = 0;
  if (!Enter(request, &id)) return false;
  if (!Arm(id, request.get())) {
    Interrupt(id);
    return true;
  }
  auto pending = start(id);
  bool ended = false;
  {
    std::lock_guard lock(mutex_);
    request->pending = pending;
    ended = request->ended;
  }
  if (ended && pending) pending->Cancel();
  return true;
}

/// libfuse may call OnInterrupt from within fuse_req_interrupt_func and then goes on to use the request, so
/// nobody answers before that has returned. @return false if an interrupt came meanwhile.
bool Requests::Arm(Id id, Request* request) {
  fuse_req_interrupt_func(request->req, OnInterrupt,
                          reinterpret_cast<void*>(static_cast<std::uintptr_t>(id)));
  std::lock_guard lock(mutex_);
  request->armed = true;
  return !request->interrupted;
}

/// With the lock held. The caller then owes an answer, and Answered().
Requests::Shared Requests::Remove(Id id) {
  auto found = open_.find(id);
  if (found == open_.end() || !found->second->armed) return nullptr;
  Shared request = std::move(found->second);
  open_.erase(found);
  if (const auto of_user = of_user_.find(request->user); --of_user->second == 0) of_user_.erase(of_user);
  ++claims_;
  return request;
}

Requests::Claim Requests::Take(Id id) {
  std::lock_guard lock(mutex_);
  const Shared request = Remove(id);
  return request ? Claim(this, request->req) : Claim();
}

Requests::Claim Requests::TakeAtOnce(fuse_req_t req) {
  std::lock_guard lock(mutex_);
  ++claims_;
  return Claim(this, req);
}

void Requests::Interrupt(Id id) {
  Shared request;
  {
    std::lock_guard lock(mutex_);
    if (auto found = open_.find(id); found != open_.end()) found->second->interrupted = true;
    request = Remove(id);
  }
  if (request) End(request, EINTR);
}

/// Answers first: cancelling takes locks of the source.
void Requests::End(const Shared& request, int error) {
  fuse_reply_err(request->req, error);
  std::shared_ptr<SecretSource::Pending> pending;
  {
    std::lock_guard lock(mutex_);
    request->ended = true;
    pending = request->pending;
  }
  Answered();
  if (pending) pending->Cancel();
}

void Requests::Answered() {
  std::lock_guard lock(mutex_);
  if (--claims_ == 0) answered_.notify_all();
}

void Requests::WatchDeadlines() {
  std::unique_lock lock(mutex_);
  while (!closed_) {
    const Shared request = NextLate(&lock);
    if (!request) continue;
    lock.unlock();
    if (request->late) request->late();
    End(request, EIO);
    lock.lock();
  }
}

/// Waits until a request is late, at most until the set of requests changed.
Requests::Shared Requests::NextLate(std::unique_lock<std::mutex>* lock) {
  if (open_.empty()) {
    watcher_idle_ = true;
    changed_.wait(*lock, [this] { return closed_ || !watcher_idle_; });
    return nullptr;
  }
  // Requests come nearly in the order of their deadlines; a look at all of them, a few times a second, is
  // cheap.
  const auto now = std::chrono::steady_clock::now();
  for (const auto& [id, request] : open_) {
    if (request->armed && request->deadline <= now) return Remove(id);
  }
  changed_.wait_for(*lock, kSlack / 2, [this] { return closed_; });
  return nullptr;
}

void Requests::Close() {
  std::unique_lock lock(mutex_);
  closed_ = true;
  changed_.notify_one();
  while (!open_.empty()) {
    const Shared request = Remove(open_.begin()->first);
    if (!request) break;  // not armed: somebody is in Begin, against the contract
    lock.unlock();
    End(request, EIO);
    lock.lock();
  }
  answered_.wait(lock, [this] { return claims_ == 0; });
  lock.unlock();
  if (watcher_.joinable()) watcher_.join();
}

}  // namespace grantfs

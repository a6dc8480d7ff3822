#pragma once

#include <fuse_lowlevel.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

#include "grantfs/client/secret_source.h"

namespace grantfs {

/// The requests of the kernel that wait for the source. Each is answered exactly once, by whoever claims it
/// first: the source's callback, the kernel's interrupt, the deadline, or the end of the mount. Threads:
/// safe.
class Requests {
 public:
  using Id = std::uint64_t;
  /// Starts the source's work, whose callback claims the request with the id.
  using Start = std::function<std::shared_ptr<SecretSource::Pending>(Id)>;

  Requests();
  Requests(const Requests&) = delete;
  Requests& operator=(const Requests&) = delete;
  ~Requests() { Close(); }

  /// Takes `req` over and starts the work. If nobody answers within `deadline`, runs `late`, answers EIO and
  /// cancels the work. The source keeps that deadline itself and knows why it was missed, so it has a little
  /// longer.
  void Begin(fuse_req_t req, std::chrono::milliseconds deadline, std::function<void()> late,
             const Start& start);

  /// The right, and the duty, to answer a request. While one lives, Close() waits.
  class Claim {
   public:
    Claim() = default;
    Claim(Requests* requests, fuse_req_t req) : requests_(requests), req_(req) {}
    Claim(Claim&& other) noexcept : requests_(std::exchange(other.requests_, nullptr)), req_(other.req_) {}
    Claim(const Claim&) = delete;
    Claim& operator=(const Claim&) = delete;
    ~Claim() {
      if (requests_ != nullptr) requests_->Answered();
    }
    explicit operator bool() const { return requests_ != nullptr; }
    fuse_req_t req() const { return req_; }

   private:
    Requests* requests_ = nullptr;
    fuse_req_t req_ = nullptr;
  };
  /// Empty if the request was answered already.
  Claim Take(Id id);
  /// For a request that is answered on its own thread, and so was never taken over.
  Claim TakeAtOnce(fuse_req_t req);

  /// The kernel wants request `id` to end: answers EINTR and cancels the work.
  void Interrupt(Id id);

  /// Cancels all work, answers EIO, and returns when no claim is left; none is given any more. Call it when
  /// nobody is in Begin.
  void Close();

 private:
  struct Request {
    fuse_req_t req = nullptr;
    std::chrono::steady_clock::time_point deadline;
    std::function<void()> late;
    std::shared_ptr<SecretSource::Pending> pending;
    bool armed = false;        ///< libfuse has let go of `req`, so that it may be answered
    bool interrupted = false;  ///< before it was armed
    bool ended = false;        ///< before `pending` was known
  };
  using Shared = std::shared_ptr<Request>;

  bool Arm(Id id, Request* request);
  Shared Remove(Id id);
  void End(const Shared& request, int error);
  void Answered();
  void WatchDeadlines();
  Shared NextLate(std::unique_lock<std::mutex>* lock);

  std::mutex mutex_;
  std::condition_variable changed_;   // for the watcher
  std::condition_variable answered_;  // for Close
  std::map<Id, Shared> open_;
  Id next_ = 1;
  unsigned claims_ = 0;
  bool closed_ = false;
  bool watcher_idle_ = false;
  std::thread watcher_;
};

}  // namespace grantfs

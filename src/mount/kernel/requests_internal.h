#pragma once

#include <fuse_lowlevel.h>
#include <sys/types.h>

#include <atomic>
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

  /// More than so many do not wait: the other slots are for requests that are answered at once, and for the
  /// kernel's interrupts. Nor do more of one user, who would keep all others from reading.
  static constexpr std::size_t kMostWaiting = 448;
  static constexpr std::size_t kMostOfUser = 96;
  static constexpr std::size_t kMostOfRoot = 2 * kMostOfUser;

  /// Takes `req` over and starts the work. If nobody answers within `deadline`, runs `late`, answers EIO and
  /// cancels the work. The source keeps that deadline itself and knows why it was missed, so it has a little
  /// longer. @return false, and `req` is still the caller's, if too many wait already.
  [[nodiscard]] bool Begin(fuse_req_t req, std::chrono::milliseconds deadline, std::function<void()> late,
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
  /// How many were not taken.
  std::uint64_t throttled() const { return throttled_; }

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
    uid_t user = 0;
    std::chrono::steady_clock::time_point deadline;
    std::function<void()> late;
    std::shared_ptr<SecretSource::Pending> pending;
    bool armed = false;        ///< libfuse has let go of `req`, so that it may be answered
    bool interrupted = false;  ///< before it was armed
    bool ended = false;        ///< before `pending` was known
  };
  using Shared = std::shared_ptr<Request>;

  bool Enter(const Shared& request, Id* id);
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
  std::map<uid_t, std::size_t> of_user_;  ///< of the open ones
  std::atomic<std::uint64_t> throttled_{0};
  Id next_ = 1;
  unsigned claims_ = 0;
  bool closed_ = false;
  bool watcher_idle_ = false;
  std::thread watcher_;
};

}  // namespace grantfs

#pragma once

#include <sys/types.h>

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "grantfs/util/result.h"
#include "grantfs/util/unique_fd.h"

namespace grantfs {

/// What the workers of one mount share beside the requests. The supervisor reads it too and believes none of
/// it: a worker may have written anything.
struct MountShared {
  static constexpr std::uint64_t kLayout = 0x67726d6e74303034;  ///< changes with anything in this memory
  static constexpr unsigned kMaxThreads = 64;
  std::uint64_t layout = 0;
  std::uint64_t connection = 0;  ///< random: names this mount in the ids of its opens
  /// The kernel's FUSE_INIT, which it sends once.
  std::uint32_t init_bytes = 0;
  std::uint8_t init[256] = {};
  std::atomic<std::uint64_t> next_handle{1};  ///< no worker gives a handle that another one has given
  std::atomic<std::int64_t> beat{0};          ///< the serving worker lives: nanoseconds, CLOCK_MONOTONIC
  /// What each thread that serves the kernel is at.
  struct Work {
    std::atomic<std::uint64_t> unique{0};  ///< of the request; 0: none
    std::atomic<std::int64_t> since{0};
  } work[kMaxThreads];
  // For the status report.
  std::atomic<std::uint64_t> killed{0};   ///< workers that something else ended
  std::atomic<std::uint64_t> crashed{0};  ///< workers that ended by themselves
  std::atomic<std::uint64_t> hung{0};     ///< workers that had to be ended
  std::atomic<std::uint64_t> upgrades{0};
  std::atomic<std::uint64_t> refused{0};     ///< times that every request was refused for a while
  std::atomic<std::int64_t> last_death{0};   ///< unix seconds
  std::atomic<std::int32_t> supervisor{0};   ///< its process
  std::atomic<std::uint32_t> stored{0};      ///< 1: a service manager keeps what the supervisor holds, too
  std::atomic<std::uint64_t> taken_over{0};  ///< times that a supervisor went on where one had ended
  std::atomic<std::int64_t> last_taken_over{0};  ///< unix seconds
  std::atomic<std::uint32_t> vain_takeovers{0};  ///< of these, the last ones that ended before they served
};

/// Nanoseconds of CLOCK_MONOTONIC.
std::int64_t MonotonicNow();

/// The requests that the kernel has handed out and that are not answered yet, in memory that outlives a
/// worker: each is read straight into a *slot*, which is free again only after the answer was written. What a
/// worker leaves there when it dies, the next one answers.
///
/// The kernel's own copy of a request's header is what makes a slot count: the header is zero, read(2) fills
/// it, and it is zeroed after the answer. A request that fits a page is copied whole or not at all, as long
/// as the page is present and writable in the process that reads; what is larger is cut off, and whoever
/// takes it over refuses it. One process serves at a time. Threads: safe.
class Slots {
 public:
  static constexpr unsigned kCount = 512;  ///< requests that may wait for their answer at once
  static constexpr std::size_t kSlotBytes = 4096;
  /// A request that three workers ended by themselves at, or stood still at, is not tried again; nor is one
  /// that so many were killed at that it may be the reason (it takes all memory, say).
  static constexpr std::uint32_t kOwnDeath = 8;
  static constexpr std::uint32_t kKill = 1;
  static constexpr std::uint32_t kHopeless = 3 * kOwnDeath;

  /// Memory for a new mount. Errors: kIo.
  static Result<UniqueFd> Make();
  /// Maps it, locked and present. Errors: kInvalid (another layout), kIo.
  static Result<std::unique_ptr<Slots>> Map(int fd);
  Slots(const Slots&) = delete;
  Slots& operator=(const Slots&) = delete;
  ~Slots();

  /// Waits until no other process serves the requests in this memory, and is then the one that does, until it
  /// ends: the kernel sees to it that this is after the last of its threads. Closing any descriptor of that
  /// memory would end it too. Errors: kIo.
  static Status AwaitOthers(int fd);

  MountShared& shared() { return *shared_; }
  /// No thread is at any request: those of who served before are gone.
  void ForgetWork();

  /// In a process that was forked from the one that mapped it: makes it present there too.
  void MakePresent();

  /// Before anything else: takes over what is there when the one before is dead.
  ///
  /// @return the slots that hold requests: INTERRUPTs last, others in the order of their numbers.
  std::vector<unsigned> TakeOver();
  /// The request in such a slot, cut off at kSlotBytes.
  std::span<const std::uint8_t> RequestIn(unsigned slot) const;
  /// Whether it has ended too many workers, or is cut off.
  bool IsHopeless(unsigned slot) const;
  /// An INTERRUPT that was taken over counts now. @return false if its request is answered already.
  bool AdmitInterrupt(unsigned slot);

  /// read(2) of the next request by way of a slot. Waits while all are in use.
  /// @return as read(2), with errno; EINTR after Stop().
  ssize_t Read(int fd, void* buffer, std::size_t size);
  /// After the answer to request `unique` was written.
  void Answered(std::uint64_t unique);
  /// Requests that wait for their answer.
  std::size_t Waiting() const;
  /// Wakes who waits for a slot.
  void Stop();

  // For the supervisor, when a worker has ended: counts that against the requests that it was at.
  /// By itself. If it was at none, against all.
  void CountDeath();
  /// It stood still: against those that it was at since before then (CLOCK_MONOTONIC).
  void CountHang(std::int64_t then);
  /// Something else ended it.
  void CountKill();
  /// The request with that number; empty if there is none.
  std::span<const std::uint8_t> Find(std::uint64_t unique) const;

 private:
  struct Control;
  struct Interrupt {
    unsigned slot = 0;
    std::uint64_t own = 0;  ///< its own number
  };
  Slots() = default;
  std::uint8_t* At(unsigned slot) const { return requests_ + slot * kSlotBytes; }
  int Take();
  void Put(unsigned slot);
  void Admit(unsigned slot);
  void Await(unsigned slot);
  std::optional<unsigned> SlotOf(std::uint64_t unique) const;
  bool IsOutstanding(std::uint64_t unique) const;
  void DropInterrupts(std::uint64_t unique);
  std::vector<unsigned> InWork(std::int64_t since_before) const;
  void Blame(const std::vector<unsigned>& slots, std::uint32_t weight);

  std::uint8_t* memory_ = nullptr;
  MountShared* shared_ = nullptr;
  Control* control_ = nullptr;
  std::uint8_t* requests_ = nullptr;

  mutable std::mutex mutex_;
  std::condition_variable freed_;
  bool stopped_ = false;
  std::vector<unsigned> free_;
  std::array<std::uint64_t, kCount>
      waiting_{};  // slot -> unique of what waits for its answer there; 0: nothing
  std::size_t waiting_count_ = 0;
  std::unordered_map<std::uint64_t, std::vector<Interrupt>> interrupts_;  // of which request
};

}  // namespace grantfs
